"""What is known of a column that an expression makes, as a contract would state it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.query.ask import Source, Span
from privlab.query.kinds import kind_of
from privlab.query.passes.choose_step import grid
from privlab.query.passes.infer_interval import Interval, infer_interval
from privlab.query.passes.infer_null import can_be_null
from privlab.query.passes.key_space import key_space
from privlab.query.plan import Expr, Ref
from privlab.terms.catalog import Column, Kind, Scalar, Table

MOST_KEYS = 10_000
"""Most values of a column that are kept as its keys."""


def derive_column(
    name: str, expr: Expr, table: Table, where: Expr | None, source: Source, span: Span
) -> Column:
    """The column ``name`` that holds ``expr`` on the rows of ``table`` that pass ``where``."""
    kind = kind_of(expr) or Kind.TEXT
    base = table.column(expr.column) if isinstance(expr, Ref) else None
    low, high = ends(kind, infer_interval(expr, table, where))
    return Column(
        name,
        kind,
        nullable=can_be_null(expr, table, where),
        low=low,
        high=high,
        step=grid(expr, table) if kind is Kind.FLOAT else None,
        keys=_keys(expr, base, kind, table, where, source, span),
        about="" if base is None else base.about,
        withheld=base is not None and base.withheld,
        found=None if base is None else base.found,
        searched="" if base is None else base.searched,
    )


def ends(kind: Kind, interval: Interval) -> tuple[Fraction | date | None, Fraction | date | None]:
    """A range as a column states it: both ends, or neither."""
    low, high = interval.low, interval.high
    if low is None or high is None or low > high:
        return None, None
    if kind.is_number:
        return low, high
    if kind.is_time and low >= 1 and high <= date.max.toordinal():
        return date.fromordinal(int(low)), date.fromordinal(int(high))
    return None, None


def _keys(
    expr: Expr,
    base: Column | None,
    kind: Kind,
    table: Table,
    where: Expr | None,
    source: Source,
    span: Span,
) -> tuple[Scalar, ...] | None:
    """Its public values, where they are no plain range."""
    if kind in (Kind.FLOAT, Kind.BOOL) or (base is not None and base.keys is None):
        return None
    try:
        found = key_space(expr, table, where, source, span).values
    except BadQuery:
        return None
    return listed(found) if len(found) <= MOST_KEYS else None


def listed(values: Sequence[Scalar | None]) -> tuple[Scalar, ...] | None:
    """Values as keys of a column."""
    return tuple(one for one in values if one is not None) or None
