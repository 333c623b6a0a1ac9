"""Custody of the master key, and everything that is derived from it.

One 32-byte master per workspace.  Data keys are wrapped with AES-256-GCM whose
additional data names the master, dataset, table, version and column, so a
wrapped key opens in its own place only (AES key wrap, RFC 3394, cannot bind a
context).  Every other secret comes from HKDF-SHA256 (RFC 5869) under a label.
Python does not erase memory: we keep keys few and short-lived, and promise no more.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privlab.errors import BadContract, IntegrityError

KEY_BYTES = 32
NONCE_BYTES = 12
SERVICE = "privlab"
_SALT = b"privlab/custody/v1"

KEYRINGS = (
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.libsecret.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
    "keyring.backends.kwallet.DBusKeyringKWallet5",
    "keyring.backends.macOS.Keyring",
    "keyring.backends.Windows.WinVaultKeyring",
)
"""The system keyrings we trust.  Never keyring's own choice: it may pick one that stores plain text."""


def key_context(dataset: str, table: str, version: int, column: str) -> bytes:
    """What a data key is for; the footer's key has the column ""."""
    return _framed(dataset, table, str(version), column)


class Custody:
    """Holds the master key of one workspace."""

    __slots__ = ("_master", "_wrapping", "master_id")

    def __init__(self, master: bytes) -> None:
        """Take the 32 bytes of a master key.

        :raises IntegrityError: PL404, not 32 bytes.
        """
        if len(master) != KEY_BYTES:
            raise IntegrityError(
                f"a master key has {KEY_BYTES} bytes, this has {len(master)}", code="PL404"
            )
        self._master = bytes(master)
        self._wrapping = AESGCM(self.derive("wrap"))
        self.master_id = self.derive("id")[:8].hex()

    @classmethod
    def open(cls, uri: str, *, base: Path | None = None) -> Custody:
        """The custody that ``uri`` names: ``keyring:NAME`` or ``file:PATH``.

        A relative PATH is taken from ``base``.

        :raises BadContract: PL152, no such key, an unsafe file or keyring.
        :raises IntegrityError: PL404, what is stored there is no master key.
        """
        scheme, name = _split(uri)
        return cls(_read_file(_path(name, base)) if scheme == "file" else _read_keyring(name))

    @classmethod
    def create(cls, uri: str, *, base: Path | None = None) -> Custody:
        """Make a new random master key at ``uri``; never overwrites one.

        :raises BadContract: PL152, something is there already, or it cannot be kept there.
        """
        scheme, name = _split(uri)
        master = secrets.token_bytes(KEY_BYTES)
        if scheme == "file":
            _write_file(_path(name, base), master)
        else:
            _write_keyring(name, master)
        return cls(master)

    def derive(self, label: str, *parts: str) -> bytes:
        """32 bytes that only this master, label and parts give (HKDF-SHA256)."""
        kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=_SALT, info=_framed(label, *parts))
        return kdf.derive(self._master)

    def signing_seed(self) -> bytes:
        """The seed of the curator's Ed25519 key."""
        return self.derive("sign")

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Encrypt a 32-byte data key for its place: nonce, ciphertext, tag."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes, this has {len(key)}")
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, self._aad(context))

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The data key again.

        :raises IntegrityError: PL404, another master, another place, or altered bytes.
        """
        try:
            key = self._wrapping.decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], self._aad(context)
            )
        except (InvalidTag, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise IntegrityError(
                "the master key does not open this table's key",
                code="PL404",
                hint="the table was protected under another master key, or its manifest was moved",
            )
        return key

    def _aad(self, context: bytes) -> bytes:
        return b"privlab/wrap/v1\0" + bytes.fromhex(self.master_id) + context

    def __repr__(self) -> str:
        return f"Custody(master_id={self.master_id!r})"

    def __reduce__(self) -> str:
        raise TypeError("a master key is never serialised")


def _framed(*parts: str) -> bytes:
    raw = [part.encode("utf-8") for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in raw)


def _unusable(what: str, hint: str) -> BadContract:
    return BadContract(what, code="PL152", hint=hint)


def _split(uri: str) -> tuple[str, str]:
    scheme, _, name = uri.partition(":")
    if scheme not in ("file", "keyring") or not name:
        raise _unusable(
            f"custody {uri!r} is unknown", 'write "file:keys/master.key" or "keyring:NAME"'
        )
    return scheme, name


def _path(name: str, base: Path | None) -> Path:
    path = Path(name)
    return path if path.is_absolute() or base is None else base / path


def _read_file(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise _unusable(
            f"there is no readable master key at {path}", "make a workspace with: privlab init"
        ) from None
    try:
        facts = os.fstat(descriptor)
        mode = stat.S_IMODE(facts.st_mode)
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.getuid():
            raise _unusable(f"{path} is not a file of yours", "let its owner run the curator")
        if mode & 0o077:
            raise _unusable(
                f"{path} can be read by others (mode {mode:04o})", f"type: chmod 600 {path}"
            )
        return os.read(descriptor, KEY_BYTES + 1)
    finally:
        os.close(descriptor)


def _write_file(path: Path, master: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise _unusable(f"{path} exists already", "use it, or name another file") from None
    except OSError:
        raise _unusable(f"{path} cannot be written", "name a folder of yours") from None
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(master)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def trusted_keyring() -> object:
    """The system keyring of highest priority that is on our list.

    :raises BadContract: PL152, there is none; ``file:`` works everywhere.
    """
    from keyring.backend import get_all_keyring  # slow to import, and used only for keyring:

    usable = [b for b in get_all_keyring() if _class_name(b) in KEYRINGS]
    if not usable:
        raise _unusable(
            "there is no system keyring we trust here",
            'keep the master key in a file: custody = "file:keys/master.key"',
        )
    return max(usable, key=lambda backend: float(backend.priority))


def check_keyring(backend: object) -> None:
    """Refuse a keyring that is not on our list: plain text, null, fail, chained or unknown.

    :raises BadContract: PL152.
    """
    if _class_name(backend) not in KEYRINGS:
        raise _unusable(
            f"the keyring {_class_name(backend)} is not one we trust with a master key",
            'use the system\'s own, or: custody = "file:keys/master.key"',
        )


def _class_name(backend: object) -> str:
    kind = type(backend)
    return f"{kind.__module__}.{kind.__qualname__}"


def _read_keyring(name: str) -> bytes:
    stored = _call(trusted_keyring(), "get_password", SERVICE, name)
    if stored is None:
        raise _unusable(
            f"the keyring has no master key {name!r}", "make a workspace with: privlab init"
        )
    try:
        return base64.b64decode(stored, validate=True)
    except (binascii.Error, ValueError):
        raise IntegrityError("the keyring's entry is not a master key", code="PL404") from None


def _write_keyring(name: str, master: bytes) -> None:
    backend = trusted_keyring()
    if _call(backend, "get_password", SERVICE, name) is not None:
        raise _unusable(f"the keyring has a key {name!r} already", "use it, or name another")
    _call(backend, "set_password", SERVICE, name, base64.b64encode(master).decode("ascii"))


def _call(backend: object, method: str, *arguments: str) -> str | None:
    from keyring.errors import KeyringError

    check_keyring(backend)
    try:
        result = getattr(backend, method)(*arguments)
    except KeyringError:
        raise _unusable("the system keyring refused", "unlock it, then try again") from None
    return result if isinstance(result, str) else None
