"""What every provider does, and what it may need to be told.

A provider holds a small set of masters: one, and for the length of a rotation
two.  A master is named by eight bytes of its hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import unicodedata
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from privlab.connector.durable import read_private
from privlab.errors import BadContract, IntegrityError

MASTER_BYTES = 32
LEAST_PASSPHRASE = 12
PASSPHRASE_FILE = "PRIVLAB_PASSPHRASE_FILE"  # noqa: S105 - the variable's name
TOKEN_FILE = "PRIVLAB_TRANSIT_TOKEN_FILE"  # noqa: S105
TOKENS = ("PRIVLAB_TRANSIT_TOKEN", "BAO_TOKEN", "VAULT_TOKEN")
"""Where a transit token may stand in the environment, first come, first taken."""


@dataclass(frozen=True, slots=True)
class Masters:
    """What a provider holds: each master by its name, and how often it was changed.

    counter: rises with every change; 0 where the provider cannot count.
    """

    by_name: Mapping[str, bytes]
    counter: int = 0


@runtime_checkable
class Provider(Protocol):
    """One place for masters.  Every method is durable when it returns.

    Two processes may use one place at a time: a change is done whole or not at all.

    All of them raise BadContract (PL152: absent, locked, refused, unreachable) or
    IntegrityError (PL404: what is there is no master, or does not open).
    """

    def exists(self) -> bool:
        """Whether something is there already."""

    def read(self) -> Masters:
        """Every master that is held."""

    def add(self, master: bytes) -> None:
        """Hold this one too; the first one makes the place."""

    def keep(self, name: str) -> str:
        """Destroy every master but this one.

        Returns what its owner must still do by hand to make that final, or "".
        """

    def destroy(self) -> str:
        """Destroy all.  Returns as `keep`."""


def master_name(master: bytes) -> str:
    """16 hex digits that name a master and tell nothing of it."""
    return hashlib.sha256(b"privlab/master/v1\0" + master).digest()[:8].hex()


def encode_masters(masters: Masters) -> bytes:
    """The text in which local providers keep their masters."""
    kept = sorted(base64.b64encode(one).decode("ascii") for one in masters.by_name.values())
    return json.dumps({"counter": str(masters.counter), "masters": kept}).encode("ascii")


def decode_masters(raw: bytes) -> Masters:
    """Read `encode_masters` back.

    :raises IntegrityError: PL404, these are no masters.
    """
    try:
        value = json.loads(raw)
        found = [base64.b64decode(text, validate=True) for text in value["masters"]]
        counter = int(value["counter"])
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        found, counter = [], 0
    if not found or any(len(one) != MASTER_BYTES for one in found):
        raise IntegrityError(
            "what is kept there is no master key",
            code="PL404",
            hint="restore it from a backup, or with: privlab key restore",
        )
    return Masters({master_name(one): one for one in found}, counter)


def unusable(what: str, hint: str) -> BadContract:
    """PL152, as every provider says it."""
    return BadContract(what, code="PL152", hint=hint)


@dataclass(frozen=True, slots=True)
class Secrets:
    """How to learn a passphrase or a token; asked only by the provider that needs one.

    Never printed: the functions hold what they were given.
    """

    passphrase: Callable[[], bytes]
    token: Callable[[], str]

    @classmethod
    def found(cls, environ: Mapping[str, str] = os.environ) -> Secrets:
        """As the environment says, now.

        PRIVLAB_PASSPHRASE_FILE and PRIVLAB_TRANSIT_TOKEN_FILE name files that must be
        closed to others; a token may also stand in the environment itself.
        """
        passphrase_file, token_file = environ.get(PASSPHRASE_FILE, ""), environ.get(TOKEN_FILE, "")
        token = next((environ[name] for name in TOKENS if environ.get(name)), "")

        def passphrase() -> bytes:
            if not passphrase_file:
                raise locked()
            return as_passphrase(_line(Path(passphrase_file)))

        def the_token() -> str:
            found = _line(Path(token_file)).decode("utf-8", "replace") if token_file else token
            if not found or not found.isascii() or not found.isprintable():
                raise unusable(
                    "there is no token for the transit server",
                    f"name its file in {TOKEN_FILE}, or set BAO_TOKEN or VAULT_TOKEN",
                )
            return found

        return cls(passphrase, the_token)

    @classmethod
    def typed(cls, passphrase: Callable[[], bytes]) -> Secrets:
        """A passphrase that somebody types; a token as `found` finds it."""
        return cls(lambda: as_passphrase(passphrase()), cls.found().token)

    def __repr__(self) -> str:
        return "Secrets()"


def forget(environ: MutableMapping[str, str] = os.environ) -> None:
    """Take all of this out of the environment, so that children inherit none of it."""
    for name in (PASSPHRASE_FILE, TOKEN_FILE, *TOKENS):
        environ.pop(name, None)


LOCKED = "the master key is locked with a passphrase"
"""What the curator says when it has none; it ends with a status of its own then."""


def locked() -> BadContract:
    """PL152: a passphrase is needed and nobody gave one."""
    return unusable(LOCKED, f"type: privlab key unlock; or name its file in {PASSPHRASE_FILE}")


def as_passphrase(raw: bytes) -> bytes:
    """The bytes that are hashed: UTF-8 in normal form C, without line ends.

    :raises BadContract: PL152, it is empty, or no UTF-8.
    """
    try:
        text = unicodedata.normalize("NFC", raw.decode("utf-8")).strip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise unusable("the passphrase is empty, or no UTF-8", "write it as text on one line")
    return text.encode("utf-8")


def _line(path: Path) -> bytes:
    try:
        return read_private(path).split(b"\n", 1)[0]
    except FileNotFoundError:
        raise unusable(f"there is no file {path}", "name one that holds the secret") from None
