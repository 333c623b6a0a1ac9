"""A 64-bit hash of a key value, that names it: one in Python, columns of them compiled.

The hash is of the value's type and text, so it is the same in every question that has
the value, however many others there are, and whether keys are public or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.connector.rowtags import text_buffers
from privlab.connector.scan import DTYPES
from privlab.kernels.blake2b import first_words
from privlab.query.encoding import encode_scalar
from privlab.terms.catalog import Kind, Scalar

Words = NDArray[np.uint64]

PERSON = b"privlab/value/v1"
_SIZE = 8
_PARAMETERS = np.frombuffer(bytes((_SIZE, 0, 1, 1)).ljust(48, b"\0") + PERSON, dtype="<u8")
"""Of a digest of eight bytes without a key (RFC 7693, section 2.5)."""

_KINDS: dict[type, Kind] = {
    bool: Kind.BOOL,
    int: Kind.INT,
    str: Kind.TEXT,
    date: Kind.DATE,
    datetime: Kind.DATETIME,
}

_NAMES = {
    Kind.BOOL: "bool\0",
    Kind.INT: "int\0",
    Kind.TEXT: "text\0",
    Kind.DATE: "date\0",
    Kind.DATETIME: "datetime\0",
}
"""Types as `encode_scalar` writes them."""


def value_hash(value: Scalar | None) -> int:
    """64 bits of BLAKE2b (RFC 7693) over a key value's type and text."""
    encoded = encode_scalar(value)
    text = "\0".join(encoded) if encoded is not None else ""
    digest = hashlib.blake2b(text.encode("utf-8"), digest_size=_SIZE, person=PERSON)
    return int.from_bytes(digest.digest(), "little")


def hashes_of(values: Sequence[Scalar | None]) -> Words:
    """`value_hash` of each, uint64[n]."""
    types = {type(value) for value in values} - {type(None)}
    kind = _KINDS.get(next(iter(types))) if len(types) == 1 else None
    if kind is not None:
        try:
            return column_hashes(pl.Series(values, dtype=DTYPES[kind]), kind)
        except (OverflowError, TypeError):  # beyond what a column of whole numbers holds
            kind = None
    return np.array([value_hash(value) for value in values], dtype=np.uint64)


def column_hashes(column: pl.Series, kind: Kind) -> Words:
    """`value_hash` of each value of a column as it is stored, uint64[n].

    :raises TypeError: decimals, which no label holds.
    """
    value = pl.col("value")
    match kind:
        case Kind.TEXT:
            text = value
        case Kind.BOOL | Kind.INT:
            text = value.cast(pl.String)
        case Kind.DATE:
            text = value.dt.to_string("%Y-%m-%d")
        case Kind.DATETIME:
            whole = value.dt.microsecond() == 0
            text = (
                pl.when(whole)
                .then(value.dt.to_string("%Y-%m-%dT%H:%M:%S"))
                .otherwise(value.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f"))
            )
        case Kind.FLOAT:
            raise TypeError("no label holds decimals")
    texts = column.to_frame("value").select(pl.lit(_NAMES[kind]) + text).to_series()
    offsets, data = text_buffers(texts)
    words = np.empty(len(column), dtype=np.uint64)
    first_words(_PARAMETERS, offsets, data, words)
    return words
