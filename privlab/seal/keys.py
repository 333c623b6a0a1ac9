"""Ed25519 keys (RFC 8032): one that signs, one that checks.

Knows no files and makes no keys: whoever keeps the 32-byte seed hands it in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from privlab.errors import IntegrityError

KEY_PREFIX = "privlab-ed25519:"
"""What a public key's text begins with."""

KEY_BYTES = 32
SIGNATURE_BYTES = 64


class PublicKey:
    """Checks signatures.  Equal when the 32 bytes are equal."""

    __slots__ = ("_key", "raw")

    def __init__(self, raw: bytes) -> None:
        """Take the 32 bytes of RFC 8032.

        :raises IntegrityError: PL404, not 32 bytes.
        """
        if len(raw) != KEY_BYTES:
            raise IntegrityError(
                f"a public key has {KEY_BYTES} bytes, this has {len(raw)}", code="PL404"
            )
        self.raw = bytes(raw)
        self._key = Ed25519PublicKey.from_public_bytes(self.raw)

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read `text` back; white space around it is ignored.

        :raises IntegrityError: PL404, not ``privlab-ed25519:`` and 32 bytes of base64.
        """
        body = text.strip()
        try:
            if not body.startswith(KEY_PREFIX):
                raise ValueError("prefix")
            raw = decode_base64(body.removeprefix(KEY_PREFIX))
        except ValueError:
            raise IntegrityError(
                "this is not a privlab public key",
                code="PL404",
                hint=f"a key is written {KEY_PREFIX} and 44 characters of base64",
            ) from None
        return cls(raw)

    @property
    def text(self) -> str:
        """``privlab-ed25519:`` and the key in base64."""
        return KEY_PREFIX + base64.b64encode(self.raw).decode("ascii")

    @property
    def key_id(self) -> str:
        """The first 8 hex digits of the key's SHA-256: a name, not a proof."""
        return hashlib.sha256(self.raw).hexdigest()[:8]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return when ``signature`` is this key's signature of ``message``.

        :raises IntegrityError: PL400, it is not.  Always the same words.
        """
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise IntegrityError(
                "the signature is not from this key, or the text was changed"
            ) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def __repr__(self) -> str:
        return f"PublicKey({self.text!r})"


class SigningKey:
    """Signs.  Never printed, compared or serialised."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        """Take the 32-byte seed that RFC 8032 calls the private key.

        :raises ValueError: not 32 bytes.
        """
        if len(seed) != KEY_BYTES:
            raise ValueError(f"a seed has {KEY_BYTES} bytes, this has {len(seed)}")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = PublicKey(raw)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature.  Callers sign labelled bytes only: see ``dsse``."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.text!r})"

    def __reduce__(self) -> str:
        raise TypeError("a signing key is never serialised")


def decode_base64(text: str) -> bytes:
    """Decode standard base64, accepting only the one text that encodes the bytes.

    :raises ValueError: wrong alphabet, wrong padding, or stray trailing bits.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("not base64") from None
    if base64.b64encode(raw).decode("ascii") != text:
        raise ValueError("not the canonical base64 of these bytes")
    return raw
