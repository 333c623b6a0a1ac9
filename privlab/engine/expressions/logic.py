"""Conditions, comparisons and choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import polars as pl

from privlab.connector.scan import DTYPES
from privlab.engine.expressions.typed import INT_MAX, INT_MIN, Typed, fitted, once
from privlab.query.kinds import COMPARISONS, EXTREMES, common_kind
from privlab.query.plan import Op
from privlab.terms.catalog import Kind, Scalar

OPERATIONS = COMPARISONS | EXTREMES | {Op.AND, Op.OR, Op.NOT, Op.IS_NULL, Op.IS_IN}
OPERATIONS |= {Op.CASE, Op.COALESCE}

_COMPARE: dict[Op, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    Op.EQ: lambda a, b: a == b,
    Op.NE: lambda a, b: a != b,
    Op.LT: lambda a, b: a < b,
    Op.LE: lambda a, b: a <= b,
    Op.GT: lambda a, b: a > b,
    Op.GE: lambda a, b: a >= b,
}
MIRROR = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}


def apply(op: Op, args: Sequence[Typed]) -> Typed:
    """A condition, or one of its arguments."""
    first = args[0]
    match op:
        case Op.AND | Op.OR:
            terms = [arg.as_kind(Kind.BOOL) for arg in args]
            return Typed(_joined(op, terms), Kind.BOOL)
        case Op.NOT:
            return Typed(first.as_kind(Kind.BOOL).not_(), Kind.BOOL)
        case Op.IS_NULL:
            return Typed(first.expr.is_null(), Kind.BOOL)
        case Op.IS_IN:
            return Typed(_is_in(first, [arg.constant for arg in args[1:]]), Kind.BOOL)
        case Op.CASE:
            return _case(args)
        case Op.COALESCE:
            kind, values = _alike(args)
            return Typed(pl.coalesce(values), kind)
    if op in EXTREMES:
        return _extreme(op, args)
    return Typed(_compare(op, first, args[1]), Kind.BOOL)


def _joined(op: Op, terms: Sequence[pl.Expr]) -> pl.Expr:
    """Halves of halves: a chain of many conditions is no deep expression."""
    if len(terms) == 1:
        return terms[0]
    middle = len(terms) // 2
    left, right = _joined(op, terms[:middle]), _joined(op, terms[middle:])
    return left & right if op is Op.AND else left | right


def _alike(args: Sequence[Typed]) -> tuple[Kind | None, list[pl.Expr]]:
    """Arguments as values of their common kind."""
    kind = common_kind(arg.kind for arg in args)
    return kind, [arg.expr if kind is None else arg.as_kind(kind) for arg in args]


def _case(args: Sequence[Typed]) -> Typed:
    kind, values = _alike([*args[1::2], args[-1]])
    found = values[-1]
    for condition, value in zip(args[-3::-2], values[-2::-1], strict=True):
        found = pl.when(condition.as_kind(Kind.BOOL)).then(value).otherwise(found)
    return Typed(found, kind)


def _extreme(op: Op, args: Sequence[Typed]) -> Typed:
    kind, values = _alike(args)
    largest = op in (Op.GREATEST, Op.MAX_OF)

    def extreme(*values: pl.Expr) -> pl.Expr:
        found = pl.max_horizontal(values) if largest else pl.min_horizontal(values)
        if op in (Op.MAX_OF, Op.MIN_OF):
            return found
        return pl.when(pl.all_horizontal([value.is_not_null() for value in values])).then(found)

    return Typed(once(extreme, *values), kind)


def _compare(op: Op, left: Typed, right: Typed) -> pl.Expr:
    if left.kind is None or right.kind is None:
        return pl.lit(None, pl.Boolean)
    if left.expr.meta.is_literal() and not right.expr.meta.is_literal():
        # Polars takes a column of one row for a value, put together with others too, and
        # gives one answer for all where a value stands on the left of it
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
