"""The secret tag that orders the rows of a unit: a keyed function of a row's values alone.

So a version is the same whatever order its source had and in whatever pieces it was
read (``docs/spec/table.md``, Rows).  Apart from pseudonyms, which the engine never makes.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.kernels.rowtag import fold_texts, fold_words
from privlab.terms.catalog import Kind, Table

Words = np.ndarray[Any, np.dtype[np.uint64]]

_HI, _LO = UNIT_COLUMNS


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
