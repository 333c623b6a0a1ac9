"""A bucket of a table version, opened: its rows as a lazy read, and its units as arrays.

The two files agree by their order: the first unit's rows are the first ones.  So
nothing is stored per row but the contract's columns, and whoever walks the units
knows where each begins without looking at a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from privlab.connector.decrypt import open_part
from privlab.connector.manifest import FOOTER_KEY, UNIT_COLUMNS, UNIT_ROWS, UNITS_FILE_COLUMNS
from privlab.connector.parts import ROWS, UNITS, PartFacts, aad_prefix, read_file
from privlab.connector.reader import Reader

Words = np.ndarray[Any, np.dtype[np.uint64]]
Counts = np.ndarray[Any, np.dtype[np.uint32]]

UNITS_SCHEMA = pl.Schema(
    {UNIT_COLUMNS[0]: pl.UInt64(), UNIT_COLUMNS[1]: pl.UInt64(), UNIT_ROWS: pl.UInt32()}
)
"""Of a units file."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """rows: the contract's columns without the unit, decrypted as they are read.

    high, low: uint64[units], the halves of the pseudonyms, ascending.  counts:
    uint32[units], at least 1 each: so many rows of ``rows`` are the unit's, in order.
    """

    rows: pl.LazyFrame
    high: Words
    low: Words
    counts: Counts

    @property
    def height(self) -> int:
        """How many rows there are."""
        return int(self.counts.sum(dtype=np.int64))

    def ids(self) -> tuple[Words, Words]:
        """The halves of each row's pseudonym, uint64[height]."""
        return np.repeat(self.high, self.counts), np.repeat(self.low, self.counts)

    def with_ids(self) -> pl.LazyFrame:
        """The rows with the pseudonym in front: for what needs an id in every row."""
        high, low = self.ids()
        ids = pl.LazyFrame(dict(zip(UNIT_COLUMNS, (high, low), strict=True)))
        return pl.concat([ids, self.rows], how="horizontal")


def open_bucket(
    folder: Path,
    dataset: str,
    table: str,
    part: PartFacts,
    keys: Mapping[str, bytes],
    reader: Reader = Reader.NATIVE,
) -> Bucket:
    """A part of a version, decrypted from bytes that were checked after they were read.

    folder: the version's.  keys: of this bucket: the footer's, the units file's, and those
    of the columns that are going to be read, which ``rows`` then has, in this order.  Where
    there are none the rows file is not read: how many rows there are, the units tell.

    :raises IntegrityError: PL402, PL403, a file is not the one signed.
    """

    def scan(kind: str, names: Mapping[str, bytes]) -> pl.LazyFrame:
        facts = part.rows if kind == ROWS else part.units
        data = read_file(facts, folder / facts.name)
        aad = aad_prefix(dataset, table, part.written, part.bucket, kind)
        return open_part(facts, data, aad, names, reader)

    own = {name: key for name, key in keys.items() if name not in UNITS_FILE_COLUMNS}
    columns = [name for name in own if name != FOOTER_KEY]
    stored = {name: keys[name] for name in (FOOTER_KEY, *UNITS_FILE_COLUMNS)}
    units = scan(UNITS, stored).select(UNITS_FILE_COLUMNS).collect(engine="in-memory")
    high, low, counts = (units[name].to_numpy() for name in UNITS_FILE_COLUMNS)
    if not columns:
        return Bucket(pl.LazyFrame(height=int(counts.sum(dtype=np.int64))), high, low, counts)
    return Bucket(scan(ROWS, own).select(columns), high, low, counts)
