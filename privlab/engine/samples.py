"""The kept rows behind a measure that is no sum: values to choose among, or to tell apart.

A `Sample` is secret.  Samples of parts are put together, because a quantile is one
of the whole table, and because two units in two parts may share a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.engine.expressions import Typed
from privlab.terms.catalog import Kind

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Of every kept row its group and a number.  codes, values: int64[n].

    values: whole steps of a quantile, or what tells a distinct value from others.
    """

    codes: Ints
    values: Ints

    @classmethod
    def merged(cls, parts: Sequence[Sample]) -> Sample:
        """All rows, by group and then by value."""
        codes = np.concatenate([part.codes for part in parts])
        values = np.concatenate([part.values for part in parts])
        order = np.lexsort((values, codes))
        return cls(codes[order], values[order])

    def unique(self) -> Sample:
        """Each value of a group once, by group and then by value."""
        together = Sample.merged([self])
        codes, values = together.codes, together.values
        new = np.ones(codes.size, dtype=np.bool_)
        new[1:] = (codes[1:] != codes[:-1]) | (values[1:] != values[:-1])
        return Sample(codes[new], values[new])

    def sizes(self, cells: int) -> Ints:
        """How many rows each group has, int64[cells]."""
        return np.bincount(self.codes, minlength=cells).astype(np.int64)

    def by_cell(self, cells: int) -> list[Ints]:
        """The values of each group; the sample is sorted by group."""
        ends = np.cumsum(self.sizes(cells))
        if not cells:
            return []
        return np.split(self.values, ends[:-1])

    def only(self, places: Ints, cells: int) -> Sample:
        """Rows of these of ``cells`` groups, which are numbered anew, in this order."""
        new = np.full(cells, -1, dtype=np.int64)
        new[places] = np.arange(places.size)
        codes = new[self.codes]
        kept = codes >= 0
        return Sample.merged([Sample(codes[kept], self.values[kept])])


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """What noise and choices are to hide.

    sums: int64[measures, cells]; of a quantile nothing.  samples: of each quantile,
    by its place among the measures, the kept rows of all parts.
    """

    sums: Ints
    samples: Mapping[int, Sample]

    def cells(self, places: Ints) -> Exact:
        """These cells, in this order."""
        size = self.sums.shape[1]
        return Exact(
            np.ascontiguousarray(self.sums[:, places]),
            {j: one.only(places, size) for j, one in self.samples.items()},
        )


def identity(value: Typed, key: NDArray[np.uint64]) -> pl.Expr:
    """What `numbers` tells values apart by.

    A number, a day or a moment is its own; a text has 64 bits of a keyed hash.  Two
    texts with one hash would be counted as one: the count is less, and no unit moves
    it by more (``docs/proofs/bounding.md``).
    """
    match value.kind:
        case Kind.TEXT:
            return value.expr.hash(int(key[0])).fill_null(0)
        case Kind.FLOAT:
            return value.expr.fill_null(0.0)
        case Kind.DATE:
            return value.expr.cast(pl.Int32).cast(pl.Int64).fill_null(0)
        case _:
            return value.expr.cast(pl.Int64).fill_null(0)


def numbers(column: pl.Series) -> Ints:
    """An int64 per row that is the same exactly for the same value; minus zero is zero."""
    values = column.to_numpy()
    if values.dtype == np.float64:
        values = np.where(values == 0, 0.0, values)
    return np.ascontiguousarray(values).view(np.int64)
