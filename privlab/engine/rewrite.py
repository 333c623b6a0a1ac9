"""What a child is told that makes parts of a new version from those of an earlier one.

Rows of a delta may come in, and units may go.  The child gets the keys of exactly the
parts that it reads and of those that it writes, and a folder for them; it answers
with what a manifest says of files, and with nothing that follows from values.  This
half knows no Polars.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privlab.connector.contract import parse
from privlab.connector.datakeys import KEY_BYTES
from privlab.connector.manifest import key_names
from privlab.connector.parts import ROWS, UNITS, FileFacts, PartFacts, file_name
from privlab.engine.stored import Stored, bytes_of_text, text, text_of_bytes, whole
from privlab.terms.catalog import Table

VERSION = 1
PSEUDONYM_BYTES = 16
TOO_MANY, FULL = "too many rows", "the disk is full"
"""What may be wrong with a rewriting, and that its owner is told."""

_MARK = b'{"rewrite": '
_FIELDS = {"rewrite", "contract", "to", "sources", "keys", "order_key", "drop", "folder", "least"}


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One run.  The parts of all sources are the buckets that are written anew.

    contract: of the version that is read, and of the one that is made.  version: the one
    that is made.  sources: the earlier version first.  keys: per bucket, of the parts that
    are written.  order_key: 32 secret bytes.  drop: the pseudonyms of units that go, of 16
    bytes each.  folder: where the files are made.  least: sizes of the files beside them.
    """

    contract: str
    version: int
    sources: tuple[Stored, ...]
    keys: Mapping[int, Mapping[str, bytes]]
    order_key: bytes
    drop: tuple[bytes, ...]
    folder: str
    least: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        names = set(key_names(self.table()))
        if len(self.order_key) != KEY_BYTES or any(len(p) != PSEUDONYM_BYTES for p in self.drop):
            raise ValueError("a key or a pseudonym is of another length")
        buckets = [[part.facts.bucket for part in one.parts] for one in self.sources]
        if not self.sources or any(found != sorted(self.keys) for found in buckets):
            raise ValueError("every source has the buckets that are written")
        for keys in (*self.keys.values(), *(part.keys for s in self.sources for part in s.parts)):
            if set(keys) != names or any(len(key) != KEY_BYTES for key in keys.values()):
                raise ValueError("keys are those of all columns")

    def table(self) -> Table:
        """What is made.

        :raises BadContract: PL150, the contract is none.
        """
        return parse(self.contract).table(self.version)

    @property
    def rows(self) -> int:
        """No version of the table has more."""
        return self.table().row_cap

    @staticmethod
    def is_encoded(raw: bytes) -> bool:
        """Whether ``raw`` is a rewriting."""
        return raw.startswith(_MARK)

    def encode(self) -> bytes:
        """JSON, keys in base64: for the socket to the child, and nowhere else."""
        return json.dumps(
            {
                "rewrite": VERSION,
                "contract": self.contract,
                "to": self.version,
                "sources": [one.encode() for one in self.sources],
                "keys": [
                    [bucket, {name: text_of_bytes(key) for name, key in keys.items()}]
                    for bucket, keys in self.keys.items()
                ],
                "order_key": text_of_bytes(self.order_key),
                "drop": [text_of_bytes(one) for one in self.drop],
                "folder": self.folder,
                "least": list(self.least),
            }
        ).encode("ascii")

    @classmethod
    def decode(cls, raw: bytes) -> Rewrite:
        """Read `encode` back, strictly.

        :raises ValueError: not a rewriting of this version.
        """
        try:
            value = json.loads(raw)
            if set(value) != _FIELDS or value["rewrite"] != VERSION:
                raise ValueError("fields")
            rows, units = value["least"]
            return cls(
                contract=text(value["contract"]),
                version=whole(value["to"]),
                sources=tuple(Stored.decode(one) for one in value["sources"]),
                keys={
                    whole(bucket): {name: bytes_of_text(key) for name, key in keys.items()}
                    for bucket, keys in value["keys"]
                },
                order_key=bytes_of_text(value["order_key"]),
                drop=tuple(bytes_of_text(one) for one in value["drop"]),
                folder=text(value["folder"]),
                least=(whole(rows), whole(units)),
            )
        except Exception:  # noqa: BLE001  whatever is wrong with it, it is not a job
            raise ValueError("this is not a rewriting") from None

    def __repr__(self) -> str:
        return f"Rewrite(version {self.version}, {len(self.keys)} parts)"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """parts: in the order of their buckets; none where ``refused`` says why."""

    parts: tuple[PartFacts, ...]
    refused: str = ""

    def encode(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "refused": self.refused,
            "parts": [
                [part.bucket, *([file.size, file.footer_sha256] for file in part.files)]
                for part in self.parts
            ],
        }

    @classmethod
    def decode(cls, raw: bytes, job: Rewrite) -> Rewritten:
        """What the child answered.

        :raises ValueError: or TypeError, LookupError: no answer to this job.
        """
        value = json.loads(raw)
        if value["refused"] in (TOO_MANY, FULL):
            return cls((), value["refused"])
        parts = tuple(
            PartFacts(
                whole(bucket),
                job.version,
                *(
                    FileFacts(file_name(kind, whole(bucket)), whole(size), text(digest))
                    for kind, (size, digest) in ((ROWS, rows), (UNITS, units))
                ),
            )
            for bucket, rows, units in value["parts"]
        )
        if value["refused"] or [part.bucket for part in parts] != sorted(job.keys):
            raise ValueError("not the parts that were to be written")
        return cls(parts)
