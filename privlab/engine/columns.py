"""What of a batch goes to the kernels, and how: raw where a kernel can work on it.

Polars works a row expression out only where it is more than a column.  A column of
whole numbers as it is stored gives groups by an offset, and a column of numbers is
clamped and coded by the kernel, for the rows that are kept alone; bit for bit what
`privlab.engine.steps` gives.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.engine.cells import group_codes, run_of
from privlab.engine.expressions import Typed, nearest, translate
from privlab.engine.samples import Ints, identity
from privlab.engine.steps import added
from privlab.kernels import adding
from privlab.query.plan import Key, Measure, MeasureKind, Plan, Ref
from privlab.query.shares import Share
from privlab.terms.catalog import Kind

Flags = NDArray[np.bool_]
Shorts = NDArray[np.int32]

ALL: Flags = np.zeros(0, dtype=np.bool_)
"""Of a column without nulls: every row is valid."""

INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1

_SHARES = {
    None: adding.WHOLE_VALUE,
    Share.ABOVE: adding.ABOVE,
    Share.BELOW: adding.BELOW,
    Share.INNER: adding.INNER,
    Share.RIGHT: adding.RIGHT,
    Share.LEFT: adding.LEFT,
}


@dataclass(frozen=True, slots=True)
class Coding:
    """How a row's group is told: ``expr`` less ``first`` is its number, if that is one.

    expr: int64, null for none; None: all rows are in group 0.
    """

    expr: pl.Expr | None
    first: int
    none: int

    @classmethod
    def of(cls, plan: Plan) -> Coding:
        """The coding of a plan whose groups are public."""
        if not plan.keys and plan.where is None:
            return cls(None, 0, -1)
        code, first = group_codes(plan), 0
        raw = _raw_key(plan.keys)
        if raw is not None:
            code, first = pl.col(raw[0]), raw[1]
        none = first - 1 if first > INT_MIN else INT_MAX
        if plan.where is not None:
            code = pl.when(translate(plan.where).expr.cast(pl.Boolean)).then(code)
        return cls(code.cast(pl.Int64), first, none)

    def codes(self, column: pl.Series) -> Ints:
        """What `bounding.keep` takes, of the column that ``expr`` gave."""
        return whole_numbers(column, self.none)


def _raw_key(keys: Sequence[Key]) -> tuple[str, int] | None:
    """Column and first value, when it alone tells the group: consecutive whole numbers."""
    if len(keys) != 1 or keys[0].kind is not Kind.INT or not isinstance(keys[0].expr, Ref):
        return None
    values = keys[0].values
    run = run_of(Kind.INT, list(values)) if all(type(one) is int for one in values) else None
    if run is None or run[0] < INT_MIN or run[1] >= INT_MAX:
        return None
    return keys[0].expr.column, run[0]


def whole_numbers(column: pl.Series, null: int) -> Ints:
    """int64[n], with this number for nulls."""
    if column.null_count():
        column = column.fill_null(null)
    return np.ascontiguousarray(column.to_numpy())


def valid_of(column: pl.Series) -> Flags:
    """Which rows have a value; `ALL` when all have one."""
    return column.is_not_null().to_numpy() if column.null_count() else ALL


@dataclass(frozen=True, slots=True)
class Adder:
    """What one measure adds of each kept row: a column, and what is made of it.

    name, expr: the column; none where every row adds one.  form: ones, whole numbers
    that Polars has worked out or that are stored, or decimals as they are stored.
    """

    measure: Measure
    name: str | None = None
    expr: pl.Expr | None = None
    form: str = "ones"
    raw: bool = False

    @classmethod
    def of(cls, j: int, measure: Measure) -> Adder:
        """For measure ``j``, a count of rows or a sum."""
        if measure.of is None:
            return cls(measure)
        value, of = translate(measure.of), measure.of
        if measure.kind is MeasureKind.ROWS:
            return cls(measure, f"valid{j}", value.expr.is_not_null())
        if isinstance(of, Ref) and value.kind is Kind.FLOAT and _plain_decimals(measure):
            return cls(measure, f"column {of.column}", pl.col(of.column), "steps", raw=True)
        if isinstance(of, Ref) and value.kind is Kind.INT and _plain_whole(measure):
            return cls(measure, f"column {of.column}", pl.col(of.column), "whole", raw=True)
        return cls(measure, f"value{j}", added(measure, value), "whole")

    def add(self, frame: pl.DataFrame, rows: Shorts, codes: Shorts, out: Ints) -> None:
        """Add to ``out``, int64[G], what the kept rows add."""
        if self.name is None:
            adding.add_ones(rows, codes, ALL, out)
            return
        column, one = frame[self.name], self.measure
        if self.form == "ones":
            adding.add_ones(rows, codes, column.to_numpy(), out)
            return
        valid, share = valid_of(column), _SHARES[one.share]
        if self.form == "steps":
            low, high, centre = (nearest(end) for end in (one.low, one.high, one.centre))
            up, down = nearest(one.step.denominator), nearest(one.step.numerator)
            values = (column.fill_null(0.0) if valid.size else column).to_numpy()
            adding.add_steps(
                rows, codes, valid, values, low, high, centre, up, down, one.reach, share, out
            )
            return
        values = whole_numbers(column, 0)
        if self.raw:
            low, high, centre, reach = int(one.low), int(one.high), int(one.centre), one.reach
        else:
            low, high, centre, reach = -one.radius, one.radius, 0, one.radius
            share = adding.WHOLE_VALUE
        adding.add_whole(rows, codes, valid, values, low, high, centre, reach, share, out)


def _plain_decimals(measure: Measure) -> bool:
    """Whether ends and centre are doubles."""
    return all(math.isfinite(nearest(end)) for end in (measure.low, measure.high, measure.centre))


def _plain_whole(measure: Measure) -> bool:
    """Whether whole numbers are counted one by one, between ends inside int64."""
    ends = (measure.low, measure.high, measure.centre)
    return measure.step == 1 and all(
        end.denominator == 1 and INT_MIN <= end <= INT_MAX for end in ends
    )


def selected(adders: Sequence[Adder]) -> Iterator[pl.Expr]:
    """The columns that these need, each once."""
    seen: set[str] = set()
    for one in adders:
        if one.name is not None and one.expr is not None and one.name not in seen:
            seen.add(one.name)
            yield one.expr.alias(one.name)


def told_apart(one: Measure, value: Typed, key: NDArray[np.uint64]) -> pl.Expr:
    """What a measure that is no sum is made of, in each row; null for none."""
    made: pl.Expr = identity(value, key) if one.kind is MeasureKind.DISTINCT else added(one, value)
    return made.fill_null(0)
