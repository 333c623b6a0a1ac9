"""What stands for a unit: a keyed function of its id alone (``docs/spec/table.md``, Rows)."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl

from privlab.connector.rowtags import text_buffers
from privlab.kernels.blake2b import digests, keyed_state

Words = np.ndarray[Any, np.dtype[np.uint64]]

_PERSON = b"privlab/unit/v1"
_DIGEST_BYTES = 16


def pseudonym(unit_key: bytes, unit: str | None) -> bytes:
    """16 bytes that stand for a unit: keyed BLAKE2b (RFC 7693) of its canonical text.

    The text is the decimal of a whole number, else the id itself, so that tables
    of one dataset agree on a unit whatever type its column has.  None is the one
    unit of all rows without one.
    """
    content = b"\0" if unit is None else b"\1" + unit.encode("utf-8")
    return hashlib.blake2b(
        content, digest_size=_DIGEST_BYTES, key=unit_key, person=_PERSON
    ).digest()


class Pseudonyms:
    """`pseudonym` of many units at once; holds what the key gives, so keep it as the key."""

    def __init__(self, unit_key: bytes) -> None:
        """unit_key: 1 to 64 secret bytes."""
        parameters = bytes((_DIGEST_BYTES, len(unit_key), 1, 1)).ljust(48, b"\0")
        parameters += _PERSON.ljust(16, b"\0")
        self._state = np.empty(8, dtype=np.uint64)
        keyed_state(
            np.frombuffer(parameters, dtype="<u8"),
            np.frombuffer(unit_key.ljust(128, b"\0"), dtype="<u8"),
            self._state,
        )

    def of(self, units: pl.Series) -> tuple[Words, Words]:
        """The upper and lower halves, uint64[n], of the pseudonyms of n ids."""
        texts = units.cast(pl.String)
        present = texts.is_not_null().to_numpy()
        offsets, data = text_buffers(texts)
        high = np.empty(len(units), dtype=np.uint64)
        low = np.empty(len(units), dtype=np.uint64)
        digests(self._state, offsets, data, present, high, low)
        return high, low
