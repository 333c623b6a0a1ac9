"""A table version as a job reads it: where it is, its signed parts, and the keys of some columns.

Tables of one dataset share the pseudonyms of their units, and a part holds those of
one range of pseudonyms; of two tables, one's ranges are unions of the other's,
because the number of parts is a power of two.  So whole units can be read from all
of them range by range.  This half knows no Polars.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from privlab.connector.keys import Custody
from privlab.connector.manifest import FOOTER_KEY, UNITS_FILE_COLUMNS, Manifest
from privlab.connector.parts import ROWS, UNITS, FileFacts, PartFacts, file_name
from privlab.connector.reader import Reader
from privlab.query.relations import Scan

KEY_BYTES = 32

_FIELDS = {"table", "version", "folder", "parts", "row_cap", "reader"}


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One part.  keys: column to its 32-byte key in this bucket, and in no other."""

    facts: PartFacts
    keys: Mapping[str, bytes]

    def __post_init__(self) -> None:
        if any(len(key) != KEY_BYTES for key in self.keys.values()):
            raise ValueError(f"a data key has {KEY_BYTES} bytes")

    def encode(self) -> list[Any]:
        """JSON values, keys in base64."""
        return [
            self.facts.bucket,
            self.facts.written,
            *([file.size, file.footer_sha256] for file in self.facts.files),
            {name: text_of_bytes(key) for name, key in self.keys.items()},
        ]

    @classmethod
    def decode(cls, value: Any) -> StoredPart:
        """Read `encode` back; an error of any kind when it is something else."""
        bucket, written, rows, units, keys = value
        files = [
            FileFacts(file_name(kind, whole(bucket)), whole(size), text(digest))
            for kind, (size, digest) in ((ROWS, rows), (UNITS, units))
        ]
        return cls(
            PartFacts(whole(bucket), whole(written), *files),
            {name: bytes_of_text(key) for name, key in keys.items()},
        )

    def __repr__(self) -> str:
        return f"StoredPart({self.facts.bucket})"


@dataclass(frozen=True, slots=True)
class Stored:
    """One table version.  folder: absolute.

    parts: in the order of their buckets.  row_cap: no version of the table has more rows.
    reader: who decrypts and decodes them.
    """

    table: str
    version: int
    folder: str
    parts: tuple[StoredPart, ...]
    row_cap: int
    reader: Reader = Reader.NATIVE

    def __post_init__(self) -> None:
        buckets = [part.facts.bucket for part in self.parts]
        if buckets != sorted(set(buckets)):
            raise ValueError("parts are in the order of their buckets, each once")

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        folder: Path,
        columns: frozenset[str],
        row_cap: int,
        custody: Custody,
        reader: Reader = Reader.NATIVE,
    ) -> Stored:
        """Check the parts on disk and unwrap the keys of ``columns``.

        :raises IntegrityError: PL402, PL403, a part is not the one signed; PL404,
            the master does not open a key.
        """
        manifest.verify_parts(folder)
        keys = manifest.data_keys(columns, custody)
        return cls(
            table=manifest.table,
            version=manifest.version,
            folder=str(folder.resolve()),
            parts=tuple(
                StoredPart(part, keys[part.bucket])
                for part in sorted(manifest.parts, key=lambda part: part.bucket)
            ),
            row_cap=row_cap,
            reader=reader,
        )

    @property
    def scan(self) -> Scan:
        """The relation it stands for."""
        return Scan(self.table, self.version)

    def holds(self, columns: frozenset[str]) -> bool:
        """Whether every part has the keys of exactly these columns, of the units and the footer."""
        names = {FOOTER_KEY, *UNITS_FILE_COLUMNS, *columns}
        return all(set(part.keys) == names for part in self.parts)

    def encode(self) -> dict[str, Any]:
        """JSON values, keys in base64."""
        return {
            "table": self.table,
            "version": self.version,
            "folder": self.folder,
            "parts": [part.encode() for part in self.parts],
            "row_cap": self.row_cap,
            "reader": str(self.reader),
        }

    @classmethod
    def decode(cls, value: Any) -> Stored:
        """Read `encode` back, strictly.

        :raises ValueError: or TypeError, LookupError, AttributeError: anything else.
        """
        if set(value) != _FIELDS:
            raise ValueError("fields")
        return cls(
            table=text(value["table"]),
            version=whole(value["version"]),
            folder=text(value["folder"]),
            parts=tuple(StoredPart.decode(part) for part in value["parts"]),
            row_cap=whole(value["row_cap"]),
            reader=Reader(text(value["reader"])),
        )

    def __repr__(self) -> str:
        return f"Stored({self.table} v{self.version}, {len(self.parts)} parts)"


Batch = tuple[tuple[StoredPart, ...], ...]
"""Per table, the parts that hold one range of pseudonyms, in their order."""


def batches(tables: Sequence[Stored]) -> tuple[Batch, ...]:
    """The parts of all tables, range by range: as many as the table with fewest parts has.

    :raises ValueError: of several tables, one's parts are not a power of two of equal ranges.
    """
    if len(tables) == 1:
        return tuple(((part,),) for part in tables[0].parts)
    for one in tables:
        count = len(one.parts)
        if count & (count - 1) or [part.facts.bucket for part in one.parts] != list(range(count)):
            raise ValueError("parts of joined tables are a power of two of equal ranges")
    ranges = min(len(one.parts) for one in tables)
    return tuple(
        tuple(
            one.parts[at * len(one.parts) // ranges : (at + 1) * len(one.parts) // ranges]
            for one in tables
        )
        for at in range(ranges)
    )


def text_of_bytes(raw: bytes) -> str:
    """Base64."""
    return base64.b64encode(raw).decode("ascii")


def bytes_of_text(value: Any) -> bytes:
    """The bytes of a base64 text."""
    return base64.b64decode(text(value), validate=True)


def text(value: Any) -> str:
    """A text, or a TypeError."""
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def whole(value: Any) -> int:
    """A whole number from zero, or a TypeError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("whole number")
    return value
