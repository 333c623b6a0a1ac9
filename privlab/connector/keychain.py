"""The keychain: every key of a workspace in one file, sealed under the master.

A table version has one key per column (and one for the footer, the column ""), and one
per bucket of its units.  They wrap the data keys in the manifest, and those of the
columns seal the answers that read them.  To
shred is to write the file without a key, under a new master, and to destroy the old
one: a copy of the old file then opens no more (``docs/spec/keys.md``).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privlab.connector.durable import read_private, write_private
from privlab.connector.providers.provider import master_name
from privlab.errors import BadContract, IntegrityError, PrivlabError
from privlab.seal.envelope import seal, unseal

FORMAT = "privlab/keychain/v1"
KEY_BYTES = 32


_BUCKET = "privlab_bucket_"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What a key is for: a column of one table version, or a bucket of its units.

    The footer's column is "".  No contract has a column that is called as buckets are.

    The words of a dataset's questions have one for each month (`of_texts`).
    """

    dataset: str
    table: str
    version: int
    column: str

    @classmethod
    def of_bucket(cls, dataset: str, table: str, version: int, bucket: int) -> Place:
        """The place of a bucket's key."""
        return cls(dataset, table, version, f"{_BUCKET}{bucket:04d}")

    @property
    def is_bucket(self) -> bool:
        """Whether it is a bucket's, and no column's."""
        return self.column.startswith(_BUCKET)

    @classmethod
    def of_texts(cls, dataset: str, month: str) -> Place:
        """Of the words of the questions that were put to a dataset in this month, as 2026-11."""
        return cls(dataset, "", 0, month)

    @property
    def is_texts(self) -> bool:
        """Whether it is of words of questions, not of a table."""
        return not self.table

    def framed(self) -> bytes:
        """Its names, each with its length: what additional data is made of."""
        parts = (self.dataset, self.table, str(self.version), self.column)
        raw = [part.encode("utf-8") for part in parts]
        return b"".join(len(part).to_bytes(4, "big") + part for part in raw)


@dataclass(frozen=True, slots=True)
class Keychain:
    """One state of it.

    secret: 32 bytes of which everything else is derived; fixed for the workspace's
    life.  generation: rises with every write.  since: when this master took over
    (UTC, RFC 3339).  seen: the provider's counter at the last write.
    """

    secret: bytes
    keys: Mapping[Place, bytes] = field(default_factory=dict)
    gone: frozenset[Place] = frozenset()
    generation: int = 0
    since: str = ""
    seen: int = 0

    def with_keys(self, fresh: Mapping[Place, bytes]) -> Keychain:
        """With these keys as well."""
        return replace(self, keys={**self.keys, **fresh})

    def without(self, places: Iterable[Place]) -> Keychain:
        """Without the keys of these places, which are remembered as gone."""
        lost = frozenset(places) & frozenset(self.keys)
        kept = {place: key for place, key in self.keys.items() if place not in lost}
        return replace(self, keys=kept, gone=self.gone | lost)

    def __repr__(self) -> str:
        return f"Keychain(generation={self.generation}, {len(self.keys)} keys)"

    def __reduce__(self) -> str:
        raise TypeError("a keychain is never serialised")


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in front, in the clear: which master opens the file, and its generation."""

    master: str
    generation: int

    def line(self) -> bytes:
        body = {"format": FORMAT, "generation": str(self.generation), "master": self.master}
        return json.dumps(body, sort_keys=True).encode("ascii") + b"\n"


def write(path: Path, chain: Keychain, master: bytes) -> None:
    """Seal under the master, durably, at once or not at all.

    :raises BadContract: PL152, the disk does not take it; the old file is still there.
    """
    head = Header(master_name(master), chain.generation).line()
    write_private(path, head + seal(_key(master), _encode(chain), head))


def read(path: Path) -> tuple[Header, bytes]:
    """The header and what is sealed.

    :raises BadContract: PL152, there is none.
    :raises IntegrityError: PL404, it is no keychain.
    """
    try:
        raw = read_private(path)
    except FileNotFoundError:
        raise BadContract(
            f"there is no keychain at {path}",
            code="PL152",
            hint="restore it from a backup of the workspace",
        ) from None
    line, mark, sealed = raw.partition(b"\n")
    try:
        value = json.loads(line)
        header = Header(str(value["master"]), int(value["generation"]))
        if not mark or header.line() != line + b"\n":
            raise ValueError("not our header")
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _damaged() from None
    return header, sealed


def opened(header: Header, sealed: bytes, master: bytes) -> Keychain:
    """What the master opens.

    :raises IntegrityError: PL404, it does not, or the file was changed.
    """
    try:
        chain = _decode(unseal(_key(master), sealed, header.line()))
    except (PrivlabError, ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        raise _damaged() from None
    if chain.generation != header.generation:
        raise _damaged()
    return chain


def _key(master: bytes) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"privlab/keychain/v1")
    return kdf.derive(master)


def _encode(chain: Keychain) -> bytes:
    return json.dumps(
        {
            "generation": str(chain.generation),
            "since": chain.since,
            "seen": str(chain.seen),
            "secret": _text(chain.secret),
            "keys": [[*_names(place), _text(key)] for place, key in sorted(chain.keys.items())],
            "gone": [_names(place) for place in sorted(chain.gone)],
        }
    ).encode("utf-8")


def _decode(raw: bytes) -> Keychain:
    value = json.loads(raw)
    keys = {_place(entry[:4]): _bytes(entry[4]) for entry in value["keys"]}
    return Keychain(
        secret=_bytes(value["secret"]),
        keys=keys,
        gone=frozenset(map(_place, value["gone"])),
        generation=int(value["generation"]),
        since=str(value["since"]),
        seen=int(value["seen"]),
    )


def _names(place: Place) -> list[str]:
    return [place.dataset, place.table, str(place.version), place.column]


def _place(entry: list[str]) -> Place:
    dataset, table, version, column = entry
    return Place(dataset, table, int(version), column)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if len(raw) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    return raw


def _damaged() -> IntegrityError:
    return IntegrityError(
        "the keychain is not what this master sealed",
        code="PL404",
        hint="restore keys/keychain and the master key from one backup",
    )
