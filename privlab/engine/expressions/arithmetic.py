"""Numbers: int64 where everything is whole, else float64."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce

import polars as pl

from privlab.connector.scan import DTYPES
from privlab.engine.expressions.typed import (
    INT_MAX,
    Typed,
    divided,
    known,
    literal,
    narrowed,
    once,
    saturated,
    without,
)
from privlab.query.kinds import DIVISIONS, ROUNDINGS, common_kind
from privlab.query.magnitude import FIRST, LAST, ONE
from privlab.query.plan import Op
from privlab.terms.catalog import Kind

OPERATIONS = DIVISIONS | ROUNDINGS | {Op.ADD, Op.SUB, Op.MUL, Op.NEG, Op.ABS, Op.CLIP, Op.SIGN}
OPERATIONS |= {Op.SQRT, Op.LN, Op.EXP, Op.MAGNITUDE}

_ARITHMETIC: dict[Op, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    Op.ADD: lambda a, b: a + b,
    Op.SUB: lambda a, b: a - b,
    Op.MUL: lambda a, b: a * b,
}
_MODES = {Op.ROUND: "half_away_from_zero", Op.ROUND_EVEN: "half_to_even"}


def apply(op: Op, args: Sequence[Typed]) -> Typed:
    """A number."""
    first = args[0]
    if any(arg.kind not in (None, Kind.INT, Kind.FLOAT) for arg in args):
        raise TypeError("arithmetic is for numbers")
    match op:
        case Op.NEG:
            return _folded(Op.SUB, [literal(0), first])
        case Op.ABS:
            return _absolute(first)
        case Op.CLIP:
            return _clip(first, args[1], args[2])
        case Op.SIGN:
            return Typed(first.as_kind(Kind.FLOAT).sign().cast(pl.Int64), Kind.INT)
        case Op.MAGNITUDE:
            return Typed(_magnitude(first), Kind.INT)
        case Op.SQRT | Op.LN | Op.EXP:
            return Typed(_transcendental(op, first.as_kind(Kind.FLOAT)), Kind.FLOAT)
    if op in ROUNDINGS:
        digits = args[1].constant
        if not isinstance(digits, int):
            raise TypeError("digits are a whole number")
        return _rounded(op, first, digits)
    return _divided(op, first, args[1]) if op in DIVISIONS else _folded(op, args)


def _folded(op: Op, args: Sequence[Typed]) -> Typed:
    kinds = {arg.kind for arg in args}
    if None in kinds:
        kind = Kind.FLOAT if Kind.FLOAT in kinds else Kind.INT
        return Typed(pl.lit(None, DTYPES[kind]), kind)
    combine = _ARITHMETIC[op]
    if Kind.FLOAT in kinds:
        floats = [arg.as_float() for arg in args]
        return Typed(known(reduce(combine, floats)), Kind.FLOAT)  # NaN goes through to the end

    def exact(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return narrowed(combine(a.cast(pl.Int128), b.cast(pl.Int128)))

    return Typed(reduce(exact, [arg.expr for arg in args]), Kind.INT)


def _divided(op: Op, a: Typed, b: Typed) -> Typed:
    """Quotients and remainders; null by zero.  Whole numbers divide exactly."""
    kind = common_kind((a.kind, b.kind))
    if op is Op.DIVIDE or kind is not Kind.INT:
        top, bottom = a.as_kind(Kind.FLOAT), b.as_kind(Kind.FLOAT)
        quotient = known(divided(top, without(bottom, 0)))
        match op:
            case Op.DIVIDE:
                return Typed(quotient, Kind.FLOAT)
            case Op.FLOOR_DIV:
                return Typed(narrowed(quotient.floor()), Kind.INT)
            case Op.TRUNC_DIV:
                return Typed(narrowed(quotient.truncate()), Kind.INT)

        def rest_of(top: pl.Expr, bottom: pl.Expr) -> pl.Expr:
            quotient = divided(top, without(bottom, 0))
            return top - (quotient.floor() if op is Op.MOD else quotient.truncate()) * bottom

        return Typed(known(once(rest_of, top, bottom)), Kind.FLOAT)
    wide, by = a.as_kind(Kind.INT).cast(pl.Int128), b.as_kind(Kind.INT).cast(pl.Int128)
    by = without(by, 0)
    if op in (Op.FLOOR_DIV, Op.MOD):
        return Typed(narrowed(wide // by if op is Op.FLOOR_DIV else wide % by), Kind.INT)
    if op is Op.REMAINDER:
        rest = once(lambda wide, by: _sign(wide) * (wide.abs() % by.abs()), wide, by)
        return Typed(narrowed(rest), Kind.INT)
    towards = once(lambda wide, by: _sign(wide) * _sign(by) * (wide.abs() // by.abs()), wide, by)
    return Typed(narrowed(towards), Kind.INT)


def _sign(value: pl.Expr) -> pl.Expr:
    """-1 or 1, as wide as a whole number gets."""
    return pl.when(value < 0).then(pl.lit(-1, pl.Int128)).otherwise(pl.lit(1, pl.Int128))


def _rounded(op: Op, value: Typed, digits: int) -> Typed:
    scale = 10 ** abs(digits)
    if value.kind in (None, Kind.INT):
        number = value.as_kind(Kind.INT)
        if digits >= 0:
            return Typed(number, Kind.INT)
        wide, by = number.cast(pl.Int128), pl.lit(scale, pl.Int128)

        def rounded(wide: pl.Expr) -> pl.Expr:
            size = wide.abs()
            down, rest = size // by, 2 * (size % by)
            up = rest >= by if op is Op.ROUND else (rest > by) | ((rest == by) & (down % 2 == 1))
            return _sign(wide) * (down + up.cast(pl.Int128)) * by

        return Typed(narrowed(once(rounded, wide)), Kind.INT)
    number = value.as_float()
    if digits <= 0:
        parts = divided(number, pl.lit(float(scale)))
        near = narrowed(parts.round(0, mode=_MODES[op]))  # type: ignore[arg-type]
        return Typed(narrowed(near.cast(pl.Int128) * pl.lit(scale, pl.Int128)), Kind.INT)

    def to_digits(number: pl.Expr) -> pl.Expr:
        scaled = number * float(scale)
        whole = scaled.round(0, mode=_MODES[op])  # type: ignore[arg-type]
        near = divided(whole, pl.lit(float(scale)))
        return pl.when(scaled.abs() < math.inf).then(near).otherwise(number)

    return Typed(once(to_digits, number), Kind.FLOAT)


def _transcendental(op: Op, value: pl.Expr) -> pl.Expr:
    match op:
        case Op.SQRT:
            return known(value.sqrt())
        case Op.LN:
            return known(without(value, 0).log())
    return without(value.exp(), math.inf)


def _magnitude(value: Typed) -> pl.Expr:
    """How many powers of two are not above the value, less how many not above minus it.

    Counted by comparing, because a logarithm is not exact beside a power.
    """
    if value.kind is Kind.FLOAT:
        powers: list[float | int] = [2.0**exponent for exponent in range(FIRST, LAST + 1)]
        return once(lambda x: _passed(x, powers, 1), value.as_float())
    powers = [1 << exponent for exponent in range(LAST + 1)]
    return once(lambda x: _passed(x, powers, ONE), value.as_kind(Kind.INT))


def _passed(x: pl.Expr, powers: Sequence[float | int], first: int) -> pl.Expr:
    """How many powers x reaches, less how many -x reaches; the least of them counts as ``first``."""

    def count(reached: Sequence[pl.Expr]) -> pl.Expr:
        least, *others = (one.cast(pl.Int16) for one in reached)
        return reduce(lambda a, b: a + b, others, least * first)

    up = [x >= pl.lit(power) for power in powers if not isinstance(power, int) or power <= INT_MAX]
    down = [x <= pl.lit(-power) for power in powers]
    return (count(up) - count(down)).cast(pl.Int64)


def _absolute(value: Typed) -> Typed:
    if value.kind is Kind.FLOAT:
        return Typed(value.as_float().abs(), Kind.FLOAT)
    return Typed(narrowed(value.as_kind(Kind.INT).cast(pl.Int128).abs()), Kind.INT)


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
