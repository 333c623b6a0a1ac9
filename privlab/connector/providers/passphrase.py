"""``file:PATH``: masters in a file sealed with a passphrase, for machines without a keyring.

scrypt (RFC 7914) makes a key of the passphrase, once per start; AES-256-GCM seals
masters and counter, and the header is part of what is authenticated.  The file has
a lock, mode 0600, and is replaced as a whole.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from privlab.connector.durable import write_private
from privlab.connector.providers.key_file import KeyFile
from privlab.connector.providers.provider import (
    LEAST_PASSPHRASE,
    MASTER_BYTES,
    Masters,
    Secrets,
    decode_masters,
    encode_masters,
    unusable,
)
from privlab.errors import IntegrityError
from privlab.seal.envelope import seal, unseal

FORMAT = "privlab/master-file/v1"
WORK = 1 << 17
"""scrypt's N: 128 MiB and some half a second (OWASP's first choice, with r = 8, p = 1)."""

LEAST_WORK, MOST_WORK = 1 << 14, 1 << 20
"""What a file may ask for: not so little that it is weak, not so much that it stops us."""

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Opener:
    """The key that a passphrase and a file's salt make, kept while the curator runs."""

    key: bytes
    work: int
    salt: bytes

    def header(self) -> dict[str, str]:
        salt = base64.b64encode(self.salt).decode("ascii")
        return {"format": FORMAT, "kdf": "scrypt", "n": str(self.work), "salt": salt}


class PassphraseFile(KeyFile):
    """See `provider.Provider`."""

    def __init__(self, path: Path, given: Secrets) -> None:
        super().__init__(path)
        self._given = given
        self._opener: _Opener | None = None

    def _opened(self, raw: bytes) -> Masters:
        if len(raw) == MASTER_BYTES or raw.startswith(b'{"counter"'):
            raise unusable(
                f"{self._path} is a plain key, and file: means one with a passphrase",
                'write custody = "plain:PATH" to use it as it is; '
                "then seal it with: privlab key move file:PATH",
            )
        header, sealed = _parsed(raw)
        opener = self._opener
        if opener is None or opener.header() != header:
            opener = _opener(self._given.passphrase(), int(header["n"]), _salt(header["salt"]))
        try:
            found = decode_masters(unseal(opener.key, sealed, _bound(header)))
        except IntegrityError:
            raise IntegrityError(
                f"the passphrase does not open {self._path}, or the file was changed",
                code="PL404",
                hint="try the passphrase again; else restore the file from a backup, "
                "or with: privlab key restore",
            ) from None
        self._opener = opener
        return found

    def _first(self) -> Masters:
        passphrase = self._given.passphrase()
        if len(passphrase.decode("utf-8")) < LEAST_PASSPHRASE:
            raise unusable(
                f"the passphrase is shorter than {LEAST_PASSPHRASE} characters",
                "four or five random words are good",
            )
        self._opener = _opener(passphrase, WORK, secrets.token_bytes(SALT_BYTES))
        return Masters({})

    def _write(self, masters: Masters) -> None:
        if self._opener is None:
            raise ValueError("read before it is written")
        header = self._opener.header()
        sealed = seal(self._opener.key, encode_masters(masters), _bound(header))
        body = {**header, "sealed": base64.b64encode(sealed).decode("ascii")}
        write_private(self._path, json.dumps(body, sort_keys=True).encode("ascii"))


def _opener(passphrase: bytes, work: int, salt: bytes) -> _Opener:
    return _Opener(Scrypt(salt=salt, length=32, n=work, r=8, p=1).derive(passphrase), work, salt)


def _bound(header: dict[str, str]) -> bytes:
    return json.dumps(header, sort_keys=True).encode("ascii")


def _salt(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _parsed(raw: bytes) -> tuple[dict[str, str], bytes]:
    """The header and what is sealed.

    :raises IntegrityError: PL404, no file of this format, or it asks for too much.
    """
    try:
        value = json.loads(raw)
        sealed = base64.b64decode(value.pop("sealed"), validate=True)
        salt, work = _salt(value["salt"]), int(value["n"])
        fits = LEAST_WORK <= work <= MOST_WORK and work & (work - 1) == 0
        if (
            set(value) != {"format", "kdf", "n", "salt"}
            or not all(isinstance(one, str) for one in value.values())
            or (value["format"], value["kdf"], str(work)) != (FORMAT, "scrypt", value["n"])
            or len(salt) != SALT_BYTES
            or not fits
        ):
            raise ValueError("header")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
        raise IntegrityError(
            "this is no file of master keys",
            code="PL404",
            hint="restore it from a backup, or with: privlab key restore",
        ) from None
    return value, sealed
