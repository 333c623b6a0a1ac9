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
from privlab.connector.keys import Custody, Place
from privlab.connector.parts import FORMAT, PartFacts, check_file, open_regular
from privlab.errors import IntegrityError, PrivlabError
from privlab.seal import dsse
from privlab.seal.canonical import Json, canonical
from privlab.seal.keys import PublicKey, SigningKey, decode_base64
from privlab.terms.catalog import Table

__all__ = ["FOOTER_KEY", "MANIFEST_FILE", "UNIT_COLUMNS", "Manifest", "PartFacts", "key_names"]

MANIFEST_FILE = "manifest.json"
PAYLOAD_TYPE = "application/vnd.privlab.table.v1+json"
MAX_MANIFEST = 64 << 20

FOOTER_KEY = ""
"""The column name under which the footer's key is kept."""

UNIT_COLUMNS = ("privlab_unit_hi", "privlab_unit_lo")
"""The two halves of the pseudonym, as columns of every part."""

_FIELDS = {"format", "dataset", "table", "version", "contract", "created", "parts", "keys"}
_PART_NAME = re.compile(r"part-[0-9]{4}\.parquet")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_HEX = re.compile(r"[0-9a-f]{64}")


def key_names(table: Table) -> tuple[str, ...]:
    """Everything of a part that has a key of its own: footer, pseudonym, columns."""
    return (
        FOOTER_KEY,
        *UNIT_COLUMNS,
        *(c.name for c in table.columns if c.name != table.unit),
    )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the curator signed about one table version.

    keys: column name to wrapped data key; ``""`` is the footer's.
    created: UTC, RFC 3339, to the second.
    """

    dataset: str
    table: str
    version: int
    contract_text: str
    parts: tuple[PartFacts, ...]
    keys: Mapping[str, bytes]
    created: str

    @classmethod
    def wrapping(
        cls,
        table: Table,
        contract_text: str,
        parts: Sequence[PartFacts],
        keys: Mapping[str, bytes],
        custody: Custody,
        created: datetime,
    ) -> Manifest:
        """Wrap the data keys and write the list down.

        :raises IntegrityError: PL404, the keys are not those of the contract's
            columns; PL402, the parts are not those of a protected table.
        """
        if set(keys) != set(key_names(table)):
            raise IntegrityError(
                "the keys are not one per column of the contract, the pseudonym and the footer",
                code="PL404",
                hint="protect the file again",
            )
        places = {name: Place(table.dataset, table.name, table.version, name) for name in keys}
        custody.provide(places.values())
        wrapped = {name: custody.wrap(key, places[name]) for name, key in keys.items()}
        stamp = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        manifest = cls(
            table.dataset, table.name, table.version, contract_text, tuple(parts), wrapped, stamp
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
            return _decoded(json.loads(dsse.verify(envelope, PAYLOAD_TYPE, public)))
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
            check_file(part, folder / part.name)

    def data_keys(self, columns: Iterable[str], custody: Custody) -> dict[str, bytes]:
        """The keys of these columns, of the footer and of the pseudonym.

        :raises IntegrityError: PL404, the workspace's keys do not open them; PL411, one
            was shredded.
        """
        return {
            name: custody.unwrap(
                self.keys.get(name, b""),
                Place(self.dataset, self.table, self.version, name),
            )
            for name in (FOOTER_KEY, *UNIT_COLUMNS, *sorted(columns))
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
            "parts": [
                {
                    "name": part.name,
                    "bucket": str(part.bucket),
                    "size": str(part.size),
                    "footer_sha256": part.footer_sha256,
                }
                for part in self.parts
            ],
            "keys": {
                name: base64.b64encode(key).decode("ascii") for name, key in self.keys.items()
            },
        }
        return canonical(value)


def _decoded(value: object) -> Manifest:
    """The manifest in a payload; KeyError, TypeError or ValueError when it is none."""
    if not isinstance(value, dict) or set(value) != _FIELDS or value["format"] != FORMAT:
        raise ValueError("not a manifest of this format")
    parts = tuple(_part(entry) for entry in value["parts"])
    if not parts or len({p.name for p in parts}) != len(parts):
        raise ValueError("no parts, or one twice")
    if len({p.bucket for p in parts}) != len(parts):
        raise ValueError("a bucket has two parts")
    keys = {str(name): decode_base64(_text(key)) for name, key in value["keys"].items()}
    return Manifest(
        dataset=_text(value["dataset"]),
        table=_text(value["table"]),
        version=_number(value["version"]),
        contract_text=_text(value["contract"]),
        parts=parts,
        keys=keys,
        created=_text(value["created"]),
    )


def _part(entry: Mapping[str, object]) -> PartFacts:
    if set(entry) != {"name", "bucket", "size", "footer_sha256"}:
        raise ValueError("not a part")
    name, digest = _text(entry["name"]), _text(entry["footer_sha256"])
    if _PART_NAME.fullmatch(name) is None or _HEX.fullmatch(digest) is None:
        raise ValueError("not a part")
    return PartFacts(name, _number(entry["bucket"]), _number(entry["size"]), digest)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(value: object) -> int:
    text = _text(value)
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("not a number")
    return int(text)
