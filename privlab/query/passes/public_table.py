"""What is known of a table the analyst brought: everything, as its values are public."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction

from privlab.query.evaluate import evaluate
from privlab.query.plan import Expr
from privlab.query.relations import PublicRows
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Column, Kind, Scalar, Table

NOBODY = ContributionBound(1, 1, 1)
"""Public rows are of no unit."""


def public_table(name: str, rows: PublicRows) -> Table:
    """A table that states of every column what its values show."""
    columns = tuple(
        _column(column, kind, [row[at] for row in rows.rows])
        for at, (column, kind) in enumerate(rows.columns)
    )
    size = len(rows.rows)
    return Table("", name, 0, "", "", NOBODY, max(1, size), columns, rows=size)


def _column(name: str, kind: Kind, values: Sequence[Scalar | None]) -> Column:
    known = list(dict.fromkeys(one for one in values if one is not None))
    low: Fraction | date | None = None
    high: Fraction | date | None = None
    step: Fraction | None = None
    if known and kind.is_number:
        numbers = [Fraction(one) for one in known if isinstance(one, int | Fraction)]
        low, high = min(numbers), max(numbers)
        step = _divisor(numbers) if kind is Kind.FLOAT else None
    if known and kind.is_time:
        days = [_day(one) for one in known]
        low, high = min(days), max(days)
    keys = tuple(known) if known and kind is not Kind.FLOAT else None
    return Column(name, kind, len(known) == 0 or None in values, low, high, step, keys)


def _day(value: Scalar) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    raise TypeError("no day")


def _divisor(numbers: Sequence[Fraction]) -> Fraction | None:
    """The greatest number of which all are multiples."""
    bottom = math.lcm(*(one.denominator for one in numbers))
    top = math.gcd(*(int(one * bottom) for one in numbers))
    return Fraction(top, bottom) if top else None


def values_of(rows: PublicRows, exprs: Sequence[Expr]) -> list[tuple[Scalar | None, ...]]:
    """What expressions are on each public row."""
    names = [name for name, _ in rows.columns]
    named = [dict(zip(names, row, strict=True)) for row in rows.rows]
    return [tuple(evaluate(expr, row) for expr in exprs) for row in named]


def passing(rows: PublicRows, where: Expr | None) -> PublicRows:
    """The public rows that pass a condition."""
    if where is None:
        return rows
    names = [name for name, _ in rows.columns]
    kept = (row for row in rows.rows if evaluate(where, dict(zip(names, row, strict=True))) is True)
    return PublicRows(rows.columns, tuple(kept))
