"""Between which values an expression can lie, from public facts alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction

from privlab.query.evaluate import evaluate
from privlab.query.intervals import (
    OPEN,
    Interval,
    hull,
    largest,
    magnitude,
    monotone,
    negated,
    power,
    product,
    reciprocal,
    smallest,
    total,
)
from privlab.query.kinds import DIVISIONS, GRAINS, ROUNDINGS, SHIFTS, conjuncts, flattened, kind_of
from privlab.query.magnitude import MOST, magnitude_of
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind, Scalar, Table

__all__ = ["OPEN", "Interval", "infer_interval", "taken"]

PARTS: dict[Op, tuple[int, int]] = {
    Op.QUARTER: (1, 4),
    Op.MONTH: (1, 12),
    Op.WEEK_NUMBER: (1, 53),
    Op.WEEKDAY: (1, 7),
    Op.DAY: (1, 31),
    Op.ORDINAL_DAY: (1, 366),
    Op.HOUR: (0, 23),
    Op.MINUTE: (0, 59),
    Op.SECOND: (0, 59),
    Op.SIGN: (-1, 1),
}
MICROSECONDS = 86_400_000_000
MAX_POWER = 700
"""e to a larger power is taken for unbounded."""


def infer_interval(expr: Expr, table: Table, where: Expr | None) -> Interval:
    """Bounds of ``expr`` on rows that pass ``where``.

    A column has its contract's range; arithmetic carries bounds; a clip and a
    condition of WHERE on the same expression narrow them, and so does the
    condition of a CASE in its own value.  These bounds choose a clamp, which is
    then enforced on every row: a wrong one would cost accuracy, never privacy.
    """
    found = _structure(expr, table, where)
    for condition in conjuncts(where):
        match condition:
            case Call(op=op, args=(left, Literal(value=value))) if left == expr:
                found = found.within(_condition(op, value))
            case Call(op=Op.IS_IN, args=(left, *listed)) if left == expr:
                points = [_point(one.value) for one in listed if isinstance(one, Literal)]
                known = [point for point in points if point is not None]
                if known and len(known) == len(points):
                    found = found.within(Interval(min(known), max(known)))
    return found


def _point(value: Scalar | None) -> Fraction | None:
    match value:
        case bool() | str() | None:
            return None
        case datetime():
            return Fraction(value.date().toordinal())
        case date():
            return Fraction(value.toordinal())
        case _:
            return Fraction(value)


def _condition(op: Op, value: Scalar | None) -> Interval:
    point = _point(value)
    if point is None:
        return OPEN
    match op:
        case Op.EQ:
            return Interval(point, point)
        case Op.GE | Op.GT:
            return Interval(point, None)
        case Op.LE:
            return Interval(None, point)
        case Op.LT:
            midnight = isinstance(value, datetime) and value.time() == datetime.min.time()
            return Interval(None, point - 1 if midnight and point > 1 else point)
    return OPEN


def _structure(expr: Expr, table: Table, where: Expr | None) -> Interval:
    match expr:
        case Ref(column=name):
            column = table.column(name)
            if column is None:
                return OPEN
            return Interval(_point(column.low), _point(column.high))
        case Literal(value=value):
            point = _point(value)
            return Interval(point, point)
        case Call(op=Op.MUL, args=args):
            factors = [one for arg in args for one in flattened(Op.MUL, arg)]
            found = Interval(Fraction(1), Fraction(1))
            for factor in dict.fromkeys(factors):
                base = infer_interval(factor, table, where)
                found = product(found, power(base, factors.count(factor)))
            return found
        case Call(op=Op.CASE, args=args):
            return hull(infer_interval(value, table, seen) for value, seen in taken(args, where))
        case Call(op=op, args=args):
            if op in PARTS and op is not Op.SIGN:
                return Interval(*map(Fraction, PARTS[op]))
            found_args = [infer_interval(arg, table, where) for arg in args]
            if op in DIVISIONS:
                whole = all(kind_of(arg) is Kind.INT for arg in args)
                return _divided(op, *found_args, whole=whole)
            return _call(op, args, found_args)


def taken(args: tuple[Expr, ...], where: Expr | None) -> list[tuple[Expr, Expr | None]]:
    """The values of a CASE that are not NULL, each with what holds where it is taken.

    A condition that failed was false or null, and it is null only with the very
    values that it compares: for their bounds, its opposite holds.
    """
    found, before = [], conjuncts(where)
    for condition, value in zip(args[:-1:2], args[1::2], strict=True):
        found.append((value, _all([*before, *conjuncts(condition)])))
        before += conjuncts(normalise(Call(Op.NOT, (condition,))))
    found.append((args[-1], _all(before)))
    return [(value, seen) for value, seen in found if value != Literal(None)]


def _all(conditions: list[Expr]) -> Expr | None:
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else Call(Op.AND, tuple(conditions))


def _divided(op: Op, top: Interval, bottom: Interval, *, whole: bool) -> Interval:
    """By zero it is null; a whole divisor is at least one away from it."""
    size = magnitude(bottom)
    most = None if size.high is None else size.high - (1 if whole else 0)
    if op is Op.MOD and bottom.low is not None and bottom.low >= 0:
        return Interval(Fraction(0), most)
    if op in (Op.MOD, Op.REMAINDER):
        limits = Interval(None if most is None else -most, most)
        if op is Op.MOD:
            return limits
        reach = magnitude(top).high
        limits = limits.within(Interval(None if reach is None else -reach, reach))
        positive = top.low is not None and top.low >= 0
        return limits.within(Interval(Fraction(0), None)) if positive else limits
    if whole and bottom.low is not None and bottom.low >= 0:
        bottom = bottom.within(Interval(Fraction(1), None))
    if bottom.low is not None and bottom.high is not None and bottom.low > bottom.high:
        return OPEN  # by zero alone: always null
    quotient = product(top, reciprocal(bottom))
    if op is Op.DIVIDE:
        return quotient
    return monotone(quotient, lambda end: evaluate(Call(op, (Literal(end), Literal(1))), {}))


def _call(op: Op, args: tuple[Expr, ...], found: list[Interval]) -> Interval:
    first = found[0]
    match op:
        case Op.ADD:
            return total(found)
        case Op.SUB | Op.DAYS:
            return total([first, negated(found[1])])
        case Op.ELAPSED:
            days = total([first, negated(found[1]), Interval(Fraction(-1), Fraction(1))])
            return product(days, Interval(Fraction(MICROSECONDS), Fraction(MICROSECONDS)))
        case Op.NEG:
            return negated(first)
        case Op.ABS:
            return magnitude(first)
        case Op.CLIP:
            low, high = found[1].low, found[2].high
            return Interval(
                _clipped(first.low, low, high, low), _clipped(first.high, low, high, high)
            )
        case Op.COALESCE:
            return hull(found)
        case Op.GREATEST:
            return largest(found)
        case Op.LEAST:
            return smallest(found)
        case Op.MAX_OF | Op.MIN_OF:
            return hull(found)
        case Op.SIGN:
            return monotone(first, lambda end: (end > 0) - (end < 0)).within(_range(PARTS[op]))
        case Op.MAGNITUDE:
            return monotone(first, magnitude_of).within(_range((-MOST, MOST)))
        case Op.SQRT:
            return monotone(first.within(Interval(Fraction(0), None)), _function(op))
        case Op.LN:
            low = first.low if first.low is not None and first.low > 0 else None
            return monotone(Interval(low, first.high), _function(op))
        case Op.EXP:
            high = first.high if first.high is not None and first.high <= MAX_POWER else None
            low = first.low if first.low is not None and first.low <= MAX_POWER else None
            return monotone(Interval(low, high), _function(op)).within(Interval(Fraction(0), None))
        case Op.LENGTH:
            return Interval(Fraction(0), _longest(args[0]))
    if op in ROUNDINGS:
        return monotone(first, lambda end: evaluate(Call(op, (Literal(end), args[1])), {}))
    if op is Op.TO_HOUR:
        return first
    if op is Op.YEAR or op in GRAINS or op in SHIFTS:
        return monotone(first, lambda end: _of_day(op, end, args[1:]))
    return OPEN


def _range(ends: tuple[int, int]) -> Interval:
    return Interval(Fraction(ends[0]), Fraction(ends[1]))


def _function(op: Op) -> Callable[[Fraction], Scalar | None]:
    return lambda end: evaluate(Call(op, (Literal(end),)), {})


def _of_day(op: Op, end: Fraction, rest: tuple[Expr, ...]) -> Fraction | None:
    """A part, a grain or a shift of a day that is given as its ordinal."""
    if not 1 <= end <= date.max.toordinal():
        return None
    return _point(evaluate(Call(op, (Literal(date.fromordinal(int(end))), *rest)), {}))


def _longest(text: Expr) -> Fraction | None:
    """Characters of the longest text that a slice can be."""
    match text:
        case Call(op=Op.SLICE, args=(_, _, Literal(value=int() as length))):
            return Fraction(length)
        case Call(op=Op.SLICE, args=(_, Literal(value=int() as offset), _)) if offset < 0:
            return Fraction(-offset)
    return None


def _clipped(
    end: Fraction | None, low: Fraction | None, high: Fraction | None, missing: Fraction | None
) -> Fraction | None:
    if end is None:
        return missing
    end = end if low is None else max(end, low)
    return end if high is None else min(end, high)
