"""The signed list of what belongs to a table version.

The curator wraps the data keys, signs the list and checks it again whenever a
question needs the table.  ``docs/spec/table.md`` is the format; ``parts`` is
the check of the files themselves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from privlab.connector.contract import parse
from privlab.connector.datakeys import DataKeys
from privlab.connector.keys import Custody, Place
from privlab.connector.lineage import Lineage
from privlab.connector.parts import (
    FORMAT,
    ROWS,
    UNITS,
    FileFacts,
    PartFacts,
    check_file,
    file_name,
    open_regular,
)
from privlab.errors import IntegrityError, PrivlabError
from privlab.seal import dsse
from privlab.seal.canonical import Json, canonical
from privlab.seal.keys import PublicKey, SigningKey, decode_base64
from privlab.terms.catalog import Table

__all__ = [
    "FOOTER_KEY",
    "MANIFEST_FILE",
    "UNITS_FILE_COLUMNS",
    "UNIT_COLUMNS",
    "UNIT_ROWS",
    "Manifest",
    "PartFacts",
    "key_names",
]

MANIFEST_FILE = "manifest.json"
PAYLOAD_TYPE = "application/vnd.privlab.table.v1+json"
MAX_MANIFEST = 64 << 20

FOOTER_KEY = ""
"""The column name under which the footer's key is kept."""

UNIT_COLUMNS = ("privlab_unit_hi", "privlab_unit_lo")
"""The two halves of the pseudonym."""

UNIT_ROWS = "privlab_unit_rows"
"""How many rows a unit has."""

UNITS_FILE_COLUMNS = (*UNIT_COLUMNS, UNIT_ROWS)
"""The columns of every units file."""

_OLD_FIELDS = {"format", "dataset", "table", "version", "contract", "created", "parts", "keys"}
_FIELDS = _OLD_FIELDS | {"rows_since", "lineage"}
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_HEX = re.compile(r"[0-9a-f]{64}")


def key_names(table: Table) -> tuple[str, ...]:
    """Everything of a part that has a key of its own: footer, units, columns."""
    return (
        FOOTER_KEY,
        *UNITS_FILE_COLUMNS,
        *(c.name for c in table.columns if c.name != table.unit),
    )


@dataclass(frozen=True, slots=True)
class Wrapped:
    """`DataKeys`, each wrapped for its place in the version whose manifest holds them."""

    columns: Mapping[str, bytes]
    buckets: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the curator signed about one table version.

    keys: by the version that wrote them; all are wrapped for places of this one, so a
    version's keys do not need those of another.
    created, rows_since: UTC, RFC 3339, to the second: of this version, and of the oldest
    rows in it.
    lineage: where rows are from, one entry per version that brought some.
    """

    dataset: str
    table: str
    version: int
    contract_text: str
    parts: tuple[PartFacts, ...]
    keys: Mapping[int, Wrapped]
    created: str
    rows_since: str
    lineage: tuple[Lineage, ...] = ()

    @classmethod
    def wrapping(
        cls,
        table: Table,
        contract_text: str,
        parts: Sequence[PartFacts],
        keys: DataKeys,
        custody: Custody,
        created: datetime,
        *,
        carried: Mapping[int, DataKeys] | None = None,
        rows_since: str | None = None,
        lineage: Sequence[Lineage] = (),
    ) -> Manifest:
        """Wrap the data keys and write the list down.

        keys: of what this version wrote.  carried: of the parts that earlier versions
        wrote, by version.  rows_since: of the oldest rows, if not all are new.

        :raises IntegrityError: PL404, the keys are not those of the contract's
            columns and of the parts; PL402, the parts are not those of a protected table.
        """
        by_version = {**(carried or {}), table.version: keys}
        _check_keys(table, parts, by_version)
        column = {
            name: Place(table.dataset, table.name, table.version, name) for name in keys.columns
        }
        bucket = {
            part.bucket: Place.of_bucket(table.dataset, table.name, table.version, part.bucket)
            for part in parts
        }
        custody.provide((*column.values(), *bucket.values()))
        wrapped = {
            written: Wrapped(
                {name: custody.wrap(key, column[name]) for name, key in of.columns.items()},
                {number: custody.wrap(key, bucket[number]) for number, key in of.buckets.items()},
            )
            for written, of in by_version.items()
        }
        stamp = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        manifest = cls(
            table.dataset,
            table.name,
            table.version,
            contract_text,
            tuple(parts),
            wrapped,
            stamp,
            rows_since or stamp,
            tuple(lineage),
        )
        try:
            return _decoded(json.loads(manifest.payload()))
        except (ValueError, TypeError, KeyError):
            raise IntegrityError(
                "the parts are not those of a protected table",
                code="PL402",
                hint="protect the file again",
            ) from None

    @classmethod
    def load(cls, path: Path, public: PublicKey, digest: str | None = None) -> Manifest:
        """Read a manifest that ``public`` signed.

        digest: the SHA-256 of the file in hex that was recorded when the table
        version was registered; a file with another one is not parsed.

        :raises IntegrityError: PL401, absent, no regular file, not the one that
            was registered, not signed by ``public``, or changed.
        """
        try:
            with open_regular(path) as file:
                raw = file.read(MAX_MANIFEST)
            if digest is not None and hashlib.sha256(raw).hexdigest() != digest:
                raise ValueError("not the file that was registered")
            envelope = json.loads(raw)
            if not isinstance(envelope, dict):
                raise TypeError("an envelope is an object")
            payload = json.loads(dsse.verify(envelope, PAYLOAD_TYPE, public))
            if isinstance(payload, dict) and set(payload) == _OLD_FIELDS:
                raise _before_release(path)
            return _decoded(payload)
        except _BeforeRelease:
            raise
        except (OSError, ValueError, TypeError, KeyError, RecursionError, PrivlabError):
            raise IntegrityError(
                "a table's manifest is missing, is not the one that was registered, "
                "or its signature is wrong",
                code="PL401",
                facts={"manifest": "/".join(path.parts[-4:])},
                hint="restore the table version's folder from a backup, or protect the table again",
            ) from None

    def write(self, folder: Path, signer: SigningKey) -> bytes:
        """Sign and write ``manifest.json``, durably and at once or not at all.

        Returns the bytes of the file.
        """
        envelope = dsse.sign(PAYLOAD_TYPE, self.payload(), signer)
        raw = json.dumps(envelope, sort_keys=True).encode("ascii")
        draft = folder / f".{MANIFEST_FILE}.new"
        draft.unlink(missing_ok=True)  # of a write that was interrupted
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / MANIFEST_FILE)
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return raw

    def described(self) -> Table:
        """The table as this version states it.

        :raises BadContract: PL150, the signed contract is of a form this program does not read.
        """
        return parse(self.contract_text).table(self.version)

    def verify_parts(self, folder: Path) -> None:
        """Check every part on disk: present, of its size, encrypted, and the one signed.

        Reads both ends of each file.  The engine repeats the check on the very
        bytes it decrypts.

        :raises IntegrityError: PL402 or PL403, naming the part.
        """
        for part in self.parts:
            for facts in part.files:
                check_file(facts, folder / facts.name)

    def data_keys(self, columns: Iterable[str], custody: Custody) -> dict[int, dict[str, bytes]]:
        """Per bucket, the keys of these columns, of the footer and of the units file.

        They open these columns alone, and nothing else can be worked out from them.

        :raises IntegrityError: PL404, the workspace's keys do not open them; PL411, one
            was shredded.
        """
        names = (FOOTER_KEY, *UNITS_FILE_COLUMNS, *sorted(columns))
        opened = self.unwrapped(names, custody)
        return {part.bucket: opened[part.written].of(part.bucket) for part in self.parts}

    def unwrapped(self, names: Iterable[str], custody: Custody) -> dict[int, DataKeys]:
        """The data keys themselves, by the version that wrote them.

        :raises IntegrityError: as `data_keys`.
        """
        listed = tuple(names)
        buckets: dict[int, list[int]] = {}
        for part in self.parts:
            buckets.setdefault(part.written, []).append(part.bucket)
        empty = Wrapped({}, {})
        return {
            written: DataKeys(
                {
                    name: custody.unwrap(
                        self.keys.get(written, empty).columns.get(name, b""),
                        Place(self.dataset, self.table, self.version, name),
                    )
                    for name in listed
                },
                {
                    bucket: custody.unwrap(
                        self.keys.get(written, empty).buckets.get(bucket, b""),
                        Place.of_bucket(self.dataset, self.table, self.version, bucket),
                    )
                    for bucket in numbers
                },
            )
            for written, numbers in buckets.items()
        }

    def payload(self) -> bytes:
        """The canonical JSON that is signed."""
        value: Json = {
            "format": FORMAT,
            "dataset": self.dataset,
            "table": self.table,
            "version": str(self.version),
            "contract": self.contract_text,
            "created": self.created,
            "rows_since": self.rows_since,
            "lineage": [
                {
                    "version": str(one.version),
                    "tool": one.tool,
                    "contract": one.contract,
                    "source": one.source,
                }
                for one in self.lineage
            ],
            "parts": [
                {
                    "bucket": str(part.bucket),
                    "written": str(part.written),
                    ROWS: _file_value(part.rows),
                    UNITS: _file_value(part.units),
                }
                for part in self.parts
            ],
            "keys": {
                str(written): {
                    "columns": {name: _base64(key) for name, key in of.columns.items()},
                    "buckets": {str(number): _base64(key) for number, key in of.buckets.items()},
                }
                for written, of in self.keys.items()
            },
        }
        return canonical(value)


def _file_value(facts: FileFacts) -> Json:
    return {"size": str(facts.size), "footer_sha256": facts.footer_sha256}


def _base64(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


class _BeforeRelease(IntegrityError):
    """A manifest of the form before the first release."""


def _before_release(path: Path) -> IntegrityError:
    return _BeforeRelease(
        "this table was protected by a privlab of before the first release, "
        "whose files this one does not read",
        code="PL401",
        facts={"manifest": "/".join(path.parts[-4:])},
        hint="make a new workspace with: privlab init, and protect the tables again",
    )


def _check_keys(
    table: Table, parts: Sequence[PartFacts], by_version: Mapping[int, DataKeys]
) -> None:
    """:raises IntegrityError: PL404, the keys are not those of the columns and of the parts."""
    names = set(key_names(table))
    buckets: dict[int, set[int]] = {table.version: set()}
    for part in parts:
        buckets.setdefault(part.written, set()).add(part.bucket)
    if set(by_version) != set(buckets) or any(
        set(of.columns) != names or set(of.buckets) != buckets[written]
        for written, of in by_version.items()
    ):
        raise IntegrityError(
            "the keys are not one per column of the contract, per bucket, for the units and the footer",
            code="PL404",
            hint="protect the file again",
        )


def _decoded(value: object) -> Manifest:
    """The manifest in a payload; KeyError, TypeError or ValueError when it is none."""
    if (
        not isinstance(value, dict)
        or set(value) | {"lineage"} != _FIELDS
        or value["format"] != FORMAT
    ):
        raise ValueError("not a manifest of this format")
    version = _number(value["version"])
    parts = tuple(_part(entry) for entry in value["parts"])
    if not parts or len({part.bucket for part in parts}) != len(parts):
        raise ValueError("no parts, or a bucket twice")
    if any(not 1 <= part.written <= version for part in parts):
        raise ValueError("a part was written in no version up to this one")
    return Manifest(
        dataset=_text(value["dataset"]),
        table=_text(value["table"]),
        version=version,
        contract_text=_text(value["contract"]),
        parts=parts,
        keys={_number(written): _wrapped(entry) for written, entry in value["keys"].items()},
        created=_text(value["created"]),
        rows_since=_text(value["rows_since"]),
        lineage=tuple(_lineage(entry, version) for entry in value.get("lineage", ())),
    )


def _lineage(entry: Mapping[str, object], version: int) -> Lineage:
    if set(entry) != {"version", "tool", "contract", "source"}:
        raise ValueError("no lineage")
    found = Lineage(
        _number(entry["version"]),
        _text(entry["tool"]),
        _text(entry["contract"]),
        _text(entry["source"]),
    )
    macs = (found.contract, found.source or found.contract)
    if not 1 <= found.version <= version or not all(map(_HEX.fullmatch, macs)):
        raise ValueError("no lineage")
    return found


def _part(entry: Mapping[str, object]) -> PartFacts:
    if set(entry) != {"bucket", "written", ROWS, UNITS}:
        raise ValueError("not a part")
    bucket = _number(entry["bucket"])
    return PartFacts(
        bucket,
        _number(entry["written"]),
        _file(file_name(ROWS, bucket), entry[ROWS]),
        _file(file_name(UNITS, bucket), entry[UNITS]),
    )


def _file(name: str, entry: object) -> FileFacts:
    if not isinstance(entry, dict) or set(entry) != {"size", "footer_sha256"}:
        raise ValueError("not a file")
    digest = _text(entry["footer_sha256"])
    if _HEX.fullmatch(digest) is None:
        raise ValueError("not a digest")
    return FileFacts(name, _number(entry["size"]), digest)


def _wrapped(entry: Mapping[str, Mapping[str, object]]) -> Wrapped:
    if set(entry) != {"columns", "buckets"}:
        raise ValueError("not the keys of a version")
    return Wrapped(
        {str(name): decode_base64(_text(key)) for name, key in entry["columns"].items()},
        {_number(number): decode_base64(_text(key)) for number, key in entry["buckets"].items()},
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(value: object) -> int:
    text = _text(value)
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("not a number")
    return int(text)
