"""Between which values an expression can lie, from public facts alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from privlab.query.kinds import conjuncts
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Scalar, Table


@dataclass(frozen=True, slots=True)
class Interval:
    """Inclusive ends; None is open.  Dates are ordinals, times their day's ordinal."""

    low: Fraction | None = None
    high: Fraction | None = None

    def within(self, other: Interval) -> Interval:
        """Both hold.  Ends may cross when nothing satisfies both."""
        lows = [end for end in (self.low, other.low) if end is not None]
        highs = [end for end in (self.high, other.high) if end is not None]
        return Interval(max(lows, default=None), min(highs, default=None))


OPEN = Interval()


def infer_interval(expr: Expr, table: Table, where: Expr | None) -> Interval:
    """Bounds of ``expr`` on rows that pass ``where``.

    A column has its contract's range; arithmetic carries bounds; a clip and a
    condition of WHERE on the same expression narrow them.  These bounds choose
    a clamp, which is then enforced on every row: a wrong one would cost
    accuracy, never privacy.
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
        case Call(op=op, args=args):
            return _call(op, [infer_interval(arg, table, where) for arg in args])


def _call(op: Op, args: list[Interval]) -> Interval:
    first = args[0]
    match op:
        case Op.ADD:
            return Interval(
                _all(sum, [arg.low for arg in args]), _all(sum, [arg.high for arg in args])
            )
        case Op.SUB:
            return _call(Op.ADD, [first, _call(Op.NEG, [args[1]])])
        case Op.NEG:
            return Interval(_negative(first.high), _negative(first.low))
        case Op.MUL:
            product = first
            for arg in args[1:]:
                product = _product(product, arg)
            return product
        case Op.ABS:
            return _absolute(first)
        case Op.CLIP:
            low, high = args[1].low, args[2].high
            return Interval(
                _clipped(first.low, low, high, low), _clipped(first.high, low, high, high)
            )
        case Op.MONTH:
            return Interval(Fraction(1), Fraction(12))
        case Op.DAY:
            return Interval(Fraction(1), Fraction(31))
        case Op.YEAR:
            return Interval(_year(first.low), _year(first.high))
    return OPEN


def _all(
    combine: Callable[[list[Fraction]], Fraction | int], ends: list[Fraction | None]
) -> Fraction | None:
    known = [end for end in ends if end is not None]
    return Fraction(combine(known)) if len(known) == len(ends) else None


def _negative(end: Fraction | None) -> Fraction | None:
    return None if end is None else -end


def _product(one: Interval, two: Interval) -> Interval:
    ends = [one.low, one.high, two.low, two.high]
    if any(end is None for end in ends):
        zero = Interval(Fraction(0), Fraction(0))
        return zero if zero in (one, two) else OPEN
    corners = [
        a * b
        for a in (one.low, one.high)
        for b in (two.low, two.high)
        if a is not None and b is not None
    ]
    return Interval(min(corners), max(corners))


def _absolute(arg: Interval) -> Interval:
    low, high = arg.low, arg.high
    if low is not None and low >= 0:
        return arg
    if high is not None and high <= 0:
        return Interval(-high, _negative(low))
    return Interval(Fraction(0), None if low is None or high is None else max(-low, high))


def _clipped(
    end: Fraction | None, low: Fraction | None, high: Fraction | None, missing: Fraction | None
) -> Fraction | None:
    if end is None:
        return missing
    end = end if low is None else max(end, low)
    return end if high is None else min(end, high)


def _year(end: Fraction | None) -> Fraction | None:
    if end is None or not 1 <= end <= date.max.toordinal():
        return None
    return Fraction(date.fromordinal(int(end)).year)
