"""Numbers: int64 where everything is whole, else float64."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce

import polars as pl

from privlab.connector.scan import DTYPES
from privlab.engine.expressions.typed import Typed, literal, narrowed, saturated
from privlab.query.kinds import DIVISIONS, ROUNDINGS, common_kind
from privlab.query.plan import Op
from privlab.terms.catalog import Kind

OPERATIONS = DIVISIONS | ROUNDINGS | {Op.ADD, Op.SUB, Op.MUL, Op.NEG, Op.ABS, Op.CLIP, Op.SIGN}
OPERATIONS |= {Op.SQRT, Op.LN, Op.EXP}

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
        return Typed(reduce(lambda a, b: combine(a, b).fill_nan(None), floats), Kind.FLOAT)

    def exact(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return narrowed(combine(a.cast(pl.Int128), b.cast(pl.Int128)))

    return Typed(reduce(exact, [arg.expr for arg in args]), Kind.INT)


def _divided(op: Op, a: Typed, b: Typed) -> Typed:
    """Quotients and remainders; null by zero.  Whole numbers divide exactly."""
    kind = common_kind((a.kind, b.kind))
    if op is Op.DIVIDE or kind is not Kind.INT:
        top, bottom = a.as_kind(Kind.FLOAT), b.as_kind(Kind.FLOAT)
        quotient = pl.when(bottom != 0).then(top / bottom).fill_nan(None)
        match op:
            case Op.DIVIDE:
                return Typed(quotient, Kind.FLOAT)
            case Op.FLOOR_DIV:
                return Typed(narrowed(quotient.floor()), Kind.INT)
            case Op.TRUNC_DIV:
                return Typed(narrowed(quotient.truncate()), Kind.INT)
        whole = quotient.floor() if op is Op.MOD else quotient.truncate()
        return Typed((top - whole * bottom).fill_nan(None), Kind.FLOAT)
    wide, by = a.as_kind(Kind.INT).cast(pl.Int128), b.as_kind(Kind.INT).cast(pl.Int128)
    by = pl.when(by != 0).then(by)
    if op in (Op.FLOOR_DIV, Op.MOD):
        return Typed(narrowed(wide // by if op is Op.FLOOR_DIV else wide % by), Kind.INT)
    if op is Op.REMAINDER:
        return Typed(narrowed(_sign(wide) * (wide.abs() % by.abs())), Kind.INT)
    size = wide.abs() // by.abs()
    return Typed(narrowed(_sign(wide) * _sign(by) * size), Kind.INT)


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
        size = wide.abs()
        down, rest = size // by, 2 * (size % by)
        up = rest >= by if op is Op.ROUND else (rest > by) | ((rest == by) & (down % 2 == 1))
        near = (down + up.cast(pl.Int128)) * by
        return Typed(narrowed(_sign(wide) * near), Kind.INT)
    number = value.as_float()
    if digits <= 0:
        near = narrowed((number / float(scale)).round(0, mode=_MODES[op]))  # type: ignore[arg-type]
        return Typed(narrowed(near.cast(pl.Int128) * pl.lit(scale, pl.Int128)), Kind.INT)
    scaled = number * float(scale)
    near = scaled.round(0, mode=_MODES[op]) / float(scale)  # type: ignore[arg-type]
    return Typed(pl.when(scaled.abs() < math.inf).then(near).otherwise(number), Kind.FLOAT)


def _transcendental(op: Op, value: pl.Expr) -> pl.Expr:
    match op:
        case Op.SQRT:
            return pl.when(value >= 0).then(value.sqrt())
        case Op.LN:
            return pl.when(value > 0).then(value.log())
    power = value.exp()
    return pl.when(power < math.inf).then(power)


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
