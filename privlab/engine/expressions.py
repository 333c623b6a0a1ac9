"""Row expressions of a plan as Polars expressions.  Total: a value or null, never an error.

The same meaning as ``reference.py``:

* whole numbers are exact in int64; a result outside it is null;
* as soon as a decimal is involved, float64; a result that is NaN is null;
* a comparison, test or part of null is null; AND and OR are Kleene's;
* a decimal constant is the nearest float64 beside decimals, and exact beside
  whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import reduce

import polars as pl

from privlab.connector.scan import DTYPES
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind, Scalar

INT_MIN, INT_MAX = -(1 << 63), (1 << 63) - 1

_COMPARE: dict[Op, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    Op.EQ: lambda a, b: a == b,
    Op.NE: lambda a, b: a != b,
    Op.LT: lambda a, b: a < b,
    Op.LE: lambda a, b: a <= b,
    Op.GT: lambda a, b: a > b,
    Op.GE: lambda a, b: a >= b,
}
MIRROR = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
_ARITHMETIC: dict[Op, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    Op.ADD: lambda a, b: a + b,
    Op.SUB: lambda a, b: a - b,
    Op.MUL: lambda a, b: a * b,
}


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


def translate(expr: Expr) -> Typed:
    """The Polars expression of a plan's expression.

    :raises TypeError: an operation on kinds it is not defined for.
    """
    match expr:
        case Ref(column=name, kind=kind):
            value = pl.col(name)
            return Typed(value.fill_nan(None) if kind is Kind.FLOAT else value, kind)
        case Literal(value=value):
            return _literal(value)
        case Call(op=op, args=args):
            return _call(op, [translate(arg) for arg in args])
    raise TypeError("not an expression")


def nearest(value: object) -> float:
    """The nearest float64; infinite when out of its range."""
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def _literal(value: Scalar | None) -> Typed:
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


def _call(op: Op, args: Sequence[Typed]) -> Typed:
    first = args[0]
    match op:
        case Op.AND | Op.OR:
            terms = [_bool(arg) for arg in args]
            joined = reduce(lambda a, b: a & b if op is Op.AND else a | b, terms)
            return Typed(joined, Kind.BOOL)
        case Op.NOT:
            return Typed(_bool(first).not_(), Kind.BOOL)
        case Op.IS_NULL:
            return Typed(first.expr.is_null(), Kind.BOOL)
        case Op.IS_IN:
            return Typed(_is_in(first, [arg.constant for arg in args[1:]]), Kind.BOOL)
        case Op.ADD | Op.SUB | Op.MUL:
            return _arithmetic(op, args)
        case Op.NEG:
            return _arithmetic(Op.SUB, [_literal(0), first])
        case Op.ABS:
            return _absolute(first)
        case Op.CLIP:
            return _clip(first, args[1], args[2])
        case Op.YEAR | Op.MONTH | Op.DAY:
            parts = {Op.YEAR: "year", Op.MONTH: "month", Op.DAY: "day"}
            part: pl.Expr = getattr(_moment(first).dt, parts[op])()
            return Typed(part.cast(pl.Int64), Kind.INT)
        case Op.WEEK | Op.TO_MONTH | Op.TO_DATE:
            day = _moment(first)
            if first.kind is not Kind.DATE:
                day = day.dt.date()
            if op is Op.WEEK:
                day = day.dt.truncate("1w")
            elif op is Op.TO_MONTH:
                day = day.dt.month_start()
            return Typed(day, Kind.DATE)
    return Typed(_compare(op, first, args[1]), Kind.BOOL)


def _bool(value: Typed) -> pl.Expr:
    return pl.lit(None, pl.Boolean) if value.kind is None else value.expr


def _moment(value: Typed) -> pl.Expr:
    return pl.lit(None, pl.Date) if value.kind is None else value.expr


def _compare(op: Op, left: Typed, right: Typed) -> pl.Expr:
    if left.kind is None or right.kind is None:
        return pl.lit(None, pl.Boolean)
    if left.constant is not None and right.constant is None:
        return _compare(MIRROR.get(op, op), right, left)
    same = left.kind is right.kind
    if left.kind.is_number and right.kind.is_number:
        if left.kind is Kind.INT and isinstance(right.constant, int | Fraction):
            return _compare_whole(op, left.expr, Fraction(right.constant))
        if not same or left.kind is Kind.FLOAT:
            return _COMPARE[op](left.as_float(), right.as_float())
        return _COMPARE[op](left.expr, right.expr)
    if same:
        return _COMPARE[op](left.expr, right.expr)
    if left.kind.is_time and right.kind.is_time:
        clock = pl.Datetime("us")
        return _COMPARE[op](left.expr.cast(clock), right.expr.cast(clock))
    raise TypeError("these kinds do not compare")


def _compare_whole(op: Op, value: pl.Expr, constant: Fraction) -> pl.Expr:
    """int64 against an exact number, exactly."""
    whole = constant.denominator == 1
    bound = math.ceil(constant) if op in (Op.LT, Op.GE) else math.floor(constant)
    if op in (Op.EQ, Op.NE) and not whole:
        return pl.when(value.is_not_null()).then(pl.lit(op is Op.NE, pl.Boolean))
    if INT_MIN <= bound <= INT_MAX:
        return _COMPARE[op](value, pl.lit(bound, pl.Int64))
    sign = 1 if bound > 0 else -1
    known = {Op.EQ: False, Op.NE: True, Op.LT: sign > 0, Op.LE: sign > 0}
    answer = known.get(op, sign < 0)
    return pl.when(value.is_not_null()).then(pl.lit(answer, pl.Boolean))


def _is_in(value: Typed, listed: Sequence[Scalar | None]) -> pl.Expr:
    if value.kind is None or None in listed:
        return pl.lit(None, pl.Boolean)
    fitting = [fit for one in listed if (fit := fitted(one, value.kind)) is not None]
    if not fitting:
        return pl.when(value.expr.is_not_null()).then(pl.lit(False, pl.Boolean))  # noqa: FBT003
    known = pl.Series(fitting, dtype=DTYPES[value.kind]).implode()
    return value.expr.is_in(known)


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


def _arithmetic(op: Op, args: Sequence[Typed]) -> Typed:
    kinds = {arg.kind for arg in args}
    if None in kinds:
        kind = Kind.FLOAT if Kind.FLOAT in kinds else Kind.INT
        return Typed(pl.lit(None, DTYPES[kind]), kind)
    if not kinds <= {Kind.INT, Kind.FLOAT}:
        raise TypeError("arithmetic is for numbers")
    apply = _ARITHMETIC[op]
    if Kind.FLOAT in kinds:
        floats = [arg.as_float() for arg in args]
        return Typed(reduce(lambda a, b: apply(a, b).fill_nan(None), floats), Kind.FLOAT)

    def exact(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        wide = apply(a.cast(pl.Int128), b.cast(pl.Int128))
        return wide.cast(pl.Int64, strict=False)

    return Typed(reduce(exact, [arg.expr for arg in args]), Kind.INT)


def _absolute(value: Typed) -> Typed:
    if value.kind is Kind.FLOAT:
        return Typed(value.as_float().abs(), Kind.FLOAT)
    if value.kind is None:
        return Typed(pl.lit(None, pl.Int64), Kind.INT)
    wide = value.expr.cast(pl.Int128).abs()
    return Typed(wide.cast(pl.Int64, strict=False), Kind.INT)


def _clip(value: Typed, low: Typed, high: Typed) -> Typed:
    kinds = {value.kind, low.kind, high.kind}
    if value.kind is None:
        return Typed(pl.lit(None, pl.Int64), Kind.INT)
    if Kind.FLOAT in kinds:
        clipped = value.as_float()
        if low.kind is not None:
            clipped = clipped.clip(lower_bound=low.as_float())
        if high.kind is not None:
            clipped = clipped.clip(upper_bound=high.as_float())
        return Typed(clipped, Kind.FLOAT)
    clipped = value.expr
    if isinstance(low.constant, int):
        clipped = clipped.clip(lower_bound=pl.lit(saturated(low.constant), pl.Int64))
    if isinstance(high.constant, int):
        clipped = clipped.clip(upper_bound=pl.lit(saturated(high.constant), pl.Int64))
    return Typed(clipped, Kind.INT)


def saturated(value: int) -> int:
    """The nearest value of int64."""
    return min(max(value, INT_MIN), INT_MAX)
