"""A master as 64 letters that a person can print, read aloud and type again.

Base32 (RFC 4648) of one byte of version, the master, and seven bytes of SHA-256 over
both: a mistake of any kind is found but for one in 2^56.  Small letters, spaces and
the digits 0, 1 and 8 for O, I and B are taken as they were meant.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from privlab.connector.providers.provider import MASTER_BYTES
from privlab.errors import IntegrityError

VERSION = b"\1"
LETTERS = 64
_MEANT = str.maketrans({"0": "O", "1": "I", "8": "B"})
_LINE = re.compile(r"[A-Z2-7018]{4}(?:[ \t-]*[A-Z2-7018]{4}){7}", re.IGNORECASE)


def encode(master: bytes) -> tuple[str, str]:
    """Two lines of eight groups of four letters."""
    body = VERSION + master
    text = base64.b32encode(body + _check(body)).decode("ascii")
    groups = [text[at : at + 4] for at in range(0, LETTERS, 4)]
    return " ".join(groups[:8]), " ".join(groups[8:])


def decode(text: str) -> bytes:
    """The master in a kit's text: its two lines, wherever they stand in it.

    :raises IntegrityError: PL404, there are none, or they were mistyped.
    """
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if _LINE.fullmatch(line)]
    letters = re.sub(r"[ \t-]", "", "".join(found)).upper().translate(_MEANT)
    try:
        raw = base64.b32decode(letters) if len(letters) == LETTERS else b""
    except (ValueError, binascii.Error):
        raw = b""
    body = raw[: 1 + MASTER_BYTES]
    if not raw or body[:1] != VERSION or raw[1 + MASTER_BYTES :] != _check(body):
        raise IntegrityError(
            "this is no recovery kit, or a letter of it is wrong",
            code="PL404",
            hint=f"type both lines of eight groups, {LETTERS} letters in all",
        )
    return body[1:]


def _check(body: bytes) -> bytes:
    return hashlib.sha256(b"privlab/kit/v1\0" + body).digest()[:7]
