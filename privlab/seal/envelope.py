"""The one envelope for what is kept: AES-256-GCM with its place as additional data.

``pvE1``, a random 96-bit nonce, ciphertext, tag: 32 bytes more than the plain text.
What was sealed for one place does not open in another.  A key seals at most 2^32
envelopes (NIST SP 800-38D, 8.3): none of ours comes near.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privlab.errors import IntegrityError

MARK = b"pvE1"
NONCE_BYTES = 12
OVERHEAD = len(MARK) + NONCE_BYTES + 16


def seal(key: bytes, plain: bytes, *place: bytes) -> bytes:
    """Encrypt ``plain`` under a 32-byte key, for this place only."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return MARK + nonce + AESGCM(key).encrypt(nonce, plain, _bound(place))


def unseal(key: bytes, sealed: bytes, *place: bytes) -> bytes:
    """The plain text again.

    :raises IntegrityError: PL404, another key, another place, or altered bytes.
        Always the same words.
    """
    nonce, rest = sealed[len(MARK) : len(MARK) + NONCE_BYTES], sealed[len(MARK) + NONCE_BYTES :]
    try:
        if not sealed.startswith(MARK):
            raise ValueError("no envelope")
        return AESGCM(key).decrypt(nonce, rest, _bound(place))
    except (InvalidTag, ValueError):
        raise IntegrityError(
            "a key does not open what was sealed, or that was changed", code="PL404"
        ) from None


def _bound(place: tuple[bytes, ...]) -> bytes:
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in place)
    return b"privlab/envelope/v1\0" + framed
