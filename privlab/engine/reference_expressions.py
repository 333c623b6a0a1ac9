"""Row expressions in plain Python, one value at a time: what ``expressions`` computes.

Whole numbers are Python's, kept to int64; decimals are float64.  Texts and times
have one meaning, which is that of ``query/texts.py`` and ``query/calendar.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from privlab.query import calendar, texts
from privlab.query.evaluate import COMPARE, FUNCTIONS, chosen
from privlab.query.kinds import (
    CLOCK_PARTS,
    DAY_PARTS,
    DIVISIONS,
    EXTREMES,
    GRAINS,
    ROUNDINGS,
    kind_of,
)
from privlab.query.magnitude import magnitude_of
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind

Row = Mapping[str, Any]
"""Column to value: bool, int, float, str, date, datetime or None."""

INT64 = range(-(1 << 63), 1 << 63)
CHOICES = frozenset(EXTREMES | {Op.CASE, Op.COALESCE})


def evaluate(expr: Expr | None, row: Row) -> Any:
    """The value of an expression on one row; never fails on a well-typed one."""
    match expr:
        case Ref(column=name):
            value = row[name]
            return None if isinstance(value, float) and math.isnan(value) else value
        case Literal(value=value):
            return value
        case Call(op=op, args=args):
            values = [evaluate(arg, row) for arg in args]
            if op in CHOICES:
                return _choice(op, values, kind_of(expr))
            return _apply(op, values)
    raise TypeError("not an expression")


def _choice(op: Op, values: list[Any], kind: Kind | None) -> Any:
    """One of several values, in the kind they have in common."""
    if kind is Kind.FLOAT:
        values = [v if v is None or isinstance(v, bool) else to_float(v) for v in values]
    elif kind is Kind.INT:
        values = [v if v is None or isinstance(v, bool) else to_int64(v) for v in values]
    known = [value for value in values if value is not None]
    match op:
        case Op.CASE:
            return chosen(values)
        case Op.COALESCE:
            return known[0] if known else None
    if not known or (op in (Op.GREATEST, Op.LEAST) and len(known) < len(values)):
        return None
    return max(known) if op in (Op.GREATEST, Op.MAX_OF) else min(known)


def _apply(op: Op, values: list[Any]) -> Any:
    match op:
        case Op.AND:
            return False if False in values else None if None in values else True
        case Op.OR:
            return True if True in values else None if None in values else False
        case Op.IS_NULL:
            return values[0] is None
        case Op.CLIP:
            return _clip(*values)
        case Op.SLICE:
            return None if values[0] is None else texts.cut(*values)
    if None in values:
        return None
    first = values[0]
    if op in DAY_PARTS | CLOCK_PARTS:
        return calendar.part(op, first)
    if op in GRAINS:
        return calendar.grain(op, first)
    if op in DIVISIONS:
        return _divided(op, first, values[1])
    if op in ROUNDINGS:
        return _rounded(op, first, values[1])
    if op in FUNCTIONS:
        return FUNCTIONS[op](*values)
    match op:
        case Op.NOT:
            return not first
        case Op.IS_IN:
            return any(_compares(Op.EQ, first, one) for one in values[1:])
        case Op.ADD | Op.SUB | Op.MUL:
            return _folded(op, values)
        case Op.NEG:
            return _folded(Op.SUB, [0, first])
        case Op.ABS:
            return to_int64(abs(first)) if isinstance(first, int) else abs(to_float(first))
        case Op.SIGN:
            return (first > 0) - (first < 0)
        case Op.MAGNITUDE:
            return magnitude_of(first if isinstance(first, int) else to_float(first))
        case Op.PARSE_FLOAT:
            return texts.float_of(first)
        case Op.SQRT | Op.LN | Op.EXP:
            return _transcendental(op, to_float(first))
    return _compares(op, first, values[1])


def _compares(op: Op, a: Any, b: Any) -> bool:
    if isinstance(a, datetime) is not isinstance(b, datetime):
        a, b = (datetime.combine(x, datetime.min.time()) if type(x) is date else x for x in (a, b))
    exact = isinstance(a, int | Fraction) and isinstance(b, int | Fraction)
    if not exact and isinstance(a, int | float | Fraction):
        a, b = to_float(a), to_float(b)
    return bool(COMPARE[op](a, b))


def _folded(op: Op, values: list[Any]) -> Any:
    """Left to right; in int64 while all are whole, else in float64."""
    whole = all(isinstance(value, int) for value in values)
    terms: list[Any] = [to_int64(v) if whole else to_float(v) for v in values]
    total = terms[0]
    for term in terms[1:]:
        if total is None or term is None:
            return None
        match op:
            case Op.ADD:
                total = total + term
            case Op.SUB:
                total = total - term
            case _:
                total = total * term
        total = to_int64(total) if whole else _known(total)
    return total


def _divided(op: Op, a: Any, b: Any) -> Any:
    if b == 0:
        return None
    if op is not Op.DIVIDE and isinstance(a, int) and isinstance(b, int):
        left, right = to_int64(a), to_int64(b)
        if left is None or right is None:
            return None
        match op:
            case Op.FLOOR_DIV:
                return to_int64(left // right)
            case Op.MOD:
                return left % right
        size = abs(left) // abs(right)
        towards_zero = size if (left < 0) is (right < 0) else -size
        return to_int64(towards_zero) if op is Op.TRUNC_DIV else left - towards_zero * right
    top, bottom = to_float(a), to_float(b)
    quotient = None if bottom == 0 else _known(_over(top, bottom))
    if quotient is None or op is Op.DIVIDE:
        return quotient
    whole = _whole(math.floor if op in (Op.FLOOR_DIV, Op.MOD) else math.trunc, quotient)
    if op in (Op.FLOOR_DIV, Op.TRUNC_DIV):
        return _from_float(whole)
    return _known(top - whole * bottom)


def _over(top: float, bottom: float) -> float:
    return math.nan if math.isinf(top) and math.isinf(bottom) else top / bottom


def _whole(cut: Any, value: float) -> float:
    """A float64 without its fraction; float64s from 2^53 on have none."""
    return value if math.isinf(value) or abs(value) >= 2**53 else float(cut(value))


def _rounded(op: Op, value: Any, digits: int) -> Any:
    scale = 10 ** abs(digits)
    if isinstance(value, int):
        if digits >= 0:
            return to_int64(value)
        down, rest = divmod(abs(value), scale)
        up = 2 * rest >= scale if op is Op.ROUND else 2 * rest > scale - down % 2
        near = (down + up) * scale
        return to_int64(-near if value < 0 else near)
    number = to_float(value)
    if digits <= 0:
        near = _from_float(_near(op, number / float(scale)))
        return None if near is None else to_int64(near * scale)
    scaled = number * float(scale)
    return number if math.isinf(scaled) else _near(op, scaled) / float(scale)


def _near(op: Op, value: float) -> float:
    """The nearest whole float64."""
    if math.isinf(value) or abs(value) >= 2**53:
        return value
    if op is Op.ROUND_EVEN:
        return float(round(value))
    down = math.floor(abs(value))
    return math.copysign(down + (abs(value) - down >= 0.5), value)


def _transcendental(op: Op, value: float) -> float | None:
    """The functions of float64; null where they are not finite numbers of a finite one."""
    match op:
        case Op.SQRT:
            return math.sqrt(value) if value >= 0 else None
        case Op.LN:
            return math.log(value) if value > 0 else None
    try:
        power = math.exp(value)
    except OverflowError:
        return None
    return power if power < math.inf else None


def _clip(value: Any, low: Any, high: Any) -> Any:
    if value is None:
        return None
    if not all(isinstance(x, int) for x in (value, low, high) if x is not None):
        value, low, high = (None if x is None else to_float(x) for x in (value, low, high))
    else:
        low, high = (None if x is None else min(max(x, INT64[0]), INT64[-1]) for x in (low, high))
        value = to_int64(value)
        if value is None:
            return None
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def to_int64(value: int) -> int | None:
    """A whole number of int64, else null."""
    return value if value in INT64 else None


def _from_float(value: float) -> int | None:
    return to_int64(int(value)) if abs(value) < math.inf else None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def to_float(value: Any) -> float:
    """The nearest float64; infinite when out of its range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
