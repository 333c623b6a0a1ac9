"""The units of a batch of rows: who they are, and how many rows each has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.connector.bucket import Bucket
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.engine.samples import Ints
from privlab.kernels import bounding

Words = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """hi, lo: uint64[m], ascending.  rows: int64[m], at least one each, in the order of the rows."""

    hi: Words
    lo: Words
    rows: Ints

    @classmethod
    def of_bucket(cls, bucket: Bucket) -> Units:
        """Those of a bucket's own file."""
        return cls(bucket.high, bucket.low, bucket.counts.astype(np.int64))

    @classmethod
    def of_rows(cls, ids: pl.DataFrame) -> Units:
        """ids: the two halves of every row's pseudonym; rows of one unit together."""
        hi, lo = (ids[name].to_numpy() for name in UNIT_COLUMNS)
        starts = np.empty(hi.size, dtype=np.int64)
        count = bounding.find_runs(hi, lo, starts)
        starts = starts[:count]
        return cls(hi[starts], lo[starts], np.diff(starts, append=hi.size))

    @property
    def height(self) -> int:
        """How many rows there are."""
        return int(self.rows.sum())

    @property
    def largest(self) -> int:
        """The most rows of one unit."""
        return int(self.rows.max(initial=0))
