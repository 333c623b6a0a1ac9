"""A Polars expression with its kind, and constants as values of a kind."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import reduce

import polars as pl

from privlab.connector.scan import DTYPES
from privlab.terms.catalog import Kind, Scalar

INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Typed:
    """A Polars expression and its kind; kind None is a bare null.

    constant: the literal's value, when it is one.
    """

    expr: pl.Expr
    kind: Kind | None
    constant: Scalar | None = None

    def as_float(self) -> pl.Expr:
        """float64."""
        if self.constant is not None:
            return pl.lit(nearest(self.constant), pl.Float64)
        return self.expr if self.kind is Kind.FLOAT else self.expr.cast(pl.Float64)

    def as_kind(self, kind: Kind) -> pl.Expr:
        """The value as one of ``kind``: a null of its type, or a whole number as a decimal."""
        if self.kind is None:
            return pl.lit(None, DTYPES[kind])
        return self.as_float() if kind is Kind.FLOAT else self.expr


def once(body: Callable[..., pl.Expr], *values: pl.Expr) -> pl.Expr:
    """``body`` of the values, each worked out once however often ``body`` names it.

    Polars copies an expression to every place it stands in before it looks for equal
    ones, and copies in copies grow as a power of two in the depth.  Fields of a struct
    are not copied; they still cost time as the square of the depth, so what Polars does
    in one operation is better done by it.
    """
    if all(value.meta.is_column() or value.meta.is_literal() for value in values):
        return body(*values)
    bound: list[pl.Expr] = []
    given = []
    for value in values:
        if value.meta.is_literal():
            given.append(value)
        else:  # columns too: beside them, what is the same in all rows gets as many
            name = f"value{len(bound)}"
            bound.append(value.alias(name))
            given.append(pl.field(name))
    made = pl.struct(bound).struct.with_fields(made=body(*given))
    return made.struct.field("made")


def without(value: pl.Expr, *excluded: float) -> pl.Expr:
    """A number; null where it equals one of ``excluded``, NaN being equal to NaN."""
    return reduce(lambda left, one: left.replace(one, None), excluded, value)


def known(value: pl.Expr) -> pl.Expr:
    """A float64; null when it is NaN."""
    return without(value, math.nan)


def narrowed(value: pl.Expr) -> pl.Expr:
    """int64 of a wider whole number or of a whole float64; null outside."""
    return value.cast(pl.Int64, strict=False)


def divided(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
    """The nearest float64 to the quotient of two, for every row the same as for that row alone.

    By one number for many rows Polars multiplies with its reciprocal instead, which
    rounds otherwise; so ``bottom`` is made a column.  It is not zero.
    """

    def quotient(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
        return top / (bottom + top.is_null().cast(pl.Float64))

    return once(quotient, top, bottom)


def nearest(value: object) -> float:
    """The nearest float64; infinite when out of its range."""
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def saturated(value: int) -> int:
    """The nearest value of int64."""
    return min(max(value, INT_MIN), INT_MAX)


def literal(value: Scalar | None) -> Typed:
    """A constant."""
    match value:
        case None:
            return Typed(pl.lit(None), None)
        case bool():
            return Typed(pl.lit(value, pl.Boolean), Kind.BOOL, value)
        case int():
            inside = value if INT_MIN <= value <= INT_MAX else None
            return Typed(pl.lit(inside, pl.Int64), Kind.INT, value)
        case Fraction():
            return Typed(pl.lit(nearest(value), pl.Float64), Kind.FLOAT, value)
        case str():
            return Typed(pl.lit(value, pl.String), Kind.TEXT, value)
        case datetime():
            return Typed(pl.lit(value, pl.Datetime("us")), Kind.DATETIME, value)
        case date():
            return Typed(pl.lit(value, pl.Date), Kind.DATE, value)
    raise TypeError("not a scalar")


def fitted(value: Scalar | None, kind: Kind) -> object | None:
    """The constant as a value of ``kind``; None when no such value equals it."""
    match kind, value:
        case Kind.BOOL, bool():
            return value
        case (Kind.BOOL, _) | (_, bool() | None):
            return None
        case Kind.INT, int() | Fraction():
            whole = Fraction(value)
            inside = whole.denominator == 1 and INT_MIN <= whole <= INT_MAX
            return int(whole) if inside else None
        case Kind.FLOAT, int() | Fraction():
            return nearest(value)
        case Kind.TEXT, str():
            return value
        case Kind.DATETIME, datetime():
            return value
        case Kind.DATETIME, date():
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001
        case Kind.DATE, datetime():
            midnight = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
            return value.date() if midnight else None
        case Kind.DATE, date():
            return value
    return None
