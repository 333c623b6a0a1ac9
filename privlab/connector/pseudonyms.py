"""What stands for a unit, and the secret tag that orders its rows.

Both are keyed functions of content alone: of a unit's id, and of a row's values.
So a version is the same whatever order its source had and in whatever pieces it
was read (``docs/spec/table.md``, Rows).
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.kernels.blake2b import digests, keyed_state
from privlab.kernels.rowtag import fold_texts, fold_words
from privlab.terms.catalog import Kind, Table

Words = np.ndarray[Any, np.dtype[np.uint64]]

_HI, _LO = UNIT_COLUMNS
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


def row_tags(frame: pl.DataFrame, table: Table, order_key: bytes) -> Words:
    """The secret tag of each row, uint64[n]: over its unit's pseudonym and all its values."""
    seed = hashlib.blake2b(order_key, digest_size=16, person=b"privlab/rows/v1").digest()
    key0, key1 = (np.uint64(int.from_bytes(half, "little")) for half in (seed[:8], seed[8:]))
    state = frame[_HI].to_numpy().copy()
    everywhere = np.ones(frame.height, dtype=np.bool_)
    fold_words(state, frame[_LO].to_numpy(), everywhere, np.uint64(0), key0, key1)
    columns = sorted((c for c in table.columns if c.name != table.unit), key=lambda c: c.name)
    for position, column in enumerate(columns, 1):
        series = frame[column.name]
        there = series.is_not_null().to_numpy()
        place = np.uint64(position)
        if column.kind is Kind.TEXT:
            offsets, data = text_buffers(series)
            fold_texts(state, offsets, data, there, place, key0, key1)
        else:
            fold_words(state, _words(series, column.kind), there, place, key0, key1)
    return state


def text_buffers(series: pl.Series) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Offsets, int64[n + 1], and UTF-8 bytes of a text column (Arrow's large_string)."""
    array = series.fill_null("").rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    count = len(array) + 1
    start = array.offset
    bounds = np.frombuffer(offsets, dtype=np.int64, count=count, offset=8 * start)
    return bounds, np.frombuffer(data if data is not None else b"", dtype=np.uint8)


def _words(series: pl.Series, kind: Kind) -> np.ndarray[Any, Any]:
    """Values as 64-bit words; whatever where they are null."""
    if kind is Kind.FLOAT:
        return np.ascontiguousarray(series.fill_null(0.0).to_numpy()).view(np.uint64)
    whole = series.to_physical().cast(pl.Int64).fill_null(0)
    return np.ascontiguousarray(whole.to_numpy()).view(np.uint64)
