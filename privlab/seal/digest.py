"""SHA-256 under a label, so that a digest of one kind never serves as another.

Every label is ``privlab/NAME/vN`` and ends in a zero byte when hashed; the
parts that follow carry their lengths, so no two lists of parts collide.
"""

from __future__ import annotations

import hashlib
import hmac
import re

_LABEL = re.compile(r"privlab/[a-z-]+(/[a-z-]+)*/v[1-9][0-9]*")


def digest(label: str, *parts: bytes) -> bytes:
    """SHA-256 of the label and the parts; 32 bytes.

    :raises ValueError: the label is not of the form ``privlab/NAME/v1``.
    """
    return hashlib.sha256(_framed(label, parts)).digest()


def keyed_digest(label: str, key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 of the same bytes under ``key``: a name only key holders can check.

    For salted account names: ``key`` is the workspace's salt, at least 16 bytes.

    :raises ValueError: a bad label, or a key below 16 bytes.
    """
    if len(key) < 16:
        raise ValueError(f"a salt has at least 16 bytes, this has {len(key)}")
    return hmac.digest(key, _framed(label, parts), "sha256")


def _framed(label: str, parts: tuple[bytes, ...]) -> bytes:
    if _LABEL.fullmatch(label) is None:
        raise ValueError(f"a label reads privlab/NAME/v1, not {label!r}")
    framed = [label.encode("ascii"), b"\0"]
    for part in parts:
        framed += [len(part).to_bytes(8, "big"), part]
    return b"".join(framed)
