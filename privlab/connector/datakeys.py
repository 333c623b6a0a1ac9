"""The data keys of what one version wrote: a key per column, and one per bucket.

A page is encrypted under neither, but under a key that takes both.  So who destroys a
column's key, or a bucket's, destroys what they have in common, in every copy of the
files.  ``docs/spec/table.md``, Keys.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

KEY_BYTES = 32

_LABEL = b"privlab/column/v1"


@dataclass(frozen=True, slots=True)
class DataKeys:
    """columns: by name, the footer's under ``""``.  buckets: by number.  Each of 32 bytes."""

    columns: Mapping[str, bytes]
    buckets: Mapping[int, bytes]

    @classmethod
    def fresh(cls, names: Iterable[str], buckets: Iterable[int]) -> DataKeys:
        """Random ones."""
        return cls(
            {name: secrets.token_bytes(KEY_BYTES) for name in names},
            {bucket: secrets.token_bytes(KEY_BYTES) for bucket in buckets},
        )

    def of(self, bucket: int) -> dict[str, bytes]:
        """What opens the columns in this bucket.

        :raises KeyError: there is no key of the bucket.
        """
        own = self.buckets[bucket]
        return {name: column_key(key, own, name) for name, key in self.columns.items()}

    def __repr__(self) -> str:
        return f"DataKeys({len(self.columns)} columns, {len(self.buckets)} buckets)"

    def __reduce__(self) -> str:
        raise TypeError("a key is never serialised")


def column_key(column: bytes, bucket: bytes, name: str) -> bytes:
    """The key of a column in a bucket: HKDF-SHA256 (RFC 5869) of the column's, salted with the bucket's.

    Written out, since a question takes some hundreds of them: one block is two hashes.
    """
    extracted = hmac.digest(bucket, column, hashlib.sha256)
    text = name.encode("utf-8")
    return hmac.digest(
        extracted, _LABEL + len(text).to_bytes(4, "big") + text + b"\x01", hashlib.sha256
    )
