"""What an expression means: exact values, and null as SQL has it.

This is the definition that engines agree with.  It serves to fold constants
and to find the public values of a key; it never sees a row of data.  Numbers
are exact, but for the functions that have no exact value (square roots,
logarithms, powers of e), which are those of float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from privlab.query import calendar, texts
from privlab.query.calendar import grain as grain
from privlab.query.kinds import CLOCK_PARTS, DAY_PARTS, DIVISIONS, EXTREMES, GRAINS, ROUNDINGS
from privlab.query.magnitude import magnitude_of
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Scalar

LONG = 16
LISTS_KEPT = 8
_LISTS: dict[int, tuple[tuple[Expr, ...], frozenset[Scalar | None]]] = {}


def evaluate(expr: Expr, row: Mapping[str, Scalar | None]) -> Scalar | None:
    """The value of ``expr`` on one row.  Total on expressions that are well typed."""
    match expr:
        case Ref(column=name):
            return row[name]
        case Literal(value=value):
            return value
        case Call(op=Op.IS_IN, args=args) if len(args) > LONG:
            value = evaluate(args[0], row)
            return None if value is None else value in _listed(args)
        case Call(op=op, args=args):
            found: Scalar | None = _apply(op, [evaluate(arg, row) for arg in args])
            return found


def _listed(args: tuple[Expr, ...]) -> frozenset[Scalar | None]:
    """The constants of a long IN, looked up instead of searched."""
    found = _LISTS.get(id(args))
    if found is None or found[0] is not args:
        if len(_LISTS) >= LISTS_KEPT:
            _LISTS.clear()
        values = frozenset(one.value for one in args[1:] if isinstance(one, Literal))
        found = _LISTS[id(args)] = (args, values)
    return found[1]


def _apply(op: Op, values: list[Any]) -> Any:
    match op:
        case Op.AND:
            return False if False in values else None if None in values else True
        case Op.OR:
            return True if True in values else None if None in values else False
        case Op.IS_NULL:
            return values[0] is None
        case Op.CASE:
            return chosen(values)
        case Op.COALESCE:
            return next((value for value in values if value is not None), None)
        case Op.MAX_OF | Op.MIN_OF:
            known = [value for value in values if value is not None]
            return _extreme(op, known) if known else None
        case Op.CLIP:
            value, low, high = values
            if value is None:
                return None
            value = value if low is None else max(value, low)
            return _plain(value if high is None else min(value, high))
        case Op.SLICE:
            return None if values[0] is None else texts.cut(*values)
    if None in values:
        return None
    if (compare := COMPARE.get(op)) is not None:
        return bool(compare(values[0], values[1]))
    return _strict(op, values)


def chosen(values: list[Any]) -> Any:
    """The value of a CASE: of its first condition that holds, else the last one."""
    for at in range(0, len(values) - 1, 2):
        if values[at] is True:
            return values[at + 1]
    return values[-1]


def _strict(op: Op, values: list[Any]) -> Any:
    first = values[0]
    if op in DAY_PARTS | CLOCK_PARTS:
        return calendar.part(op, first)
    if op in GRAINS:
        return calendar.grain(op, first)
    if op in EXTREMES:
        return _extreme(op, values)
    if op in DIVISIONS:
        return divided(op, first, values[1])
    if op in ROUNDINGS:
        return rounded(op, first, values[1])
    if (function := FUNCTIONS.get(op)) is not None:
        return function(*values)
    match op:
        case Op.NOT:
            return not first
        case Op.IS_IN:
            return first in values[1:]
        case Op.ADD:
            return _plain(sum(values[1:], first))
        case Op.SUB:
            return _plain(first - values[1])
        case Op.MUL:
            return _plain(math.prod(values))
        case Op.NEG:
            return _plain(-first)
        case Op.ABS:
            return _plain(abs(first))
        case Op.SIGN:
            return (first > 0) - (first < 0)
        case Op.MAGNITUDE:
            return magnitude_of(first)
        case Op.PARSE_FLOAT:
            exact = texts.exact_of(first)
            return None if exact is None else _plain(exact)
    return _transcendental(op, first)


def _extreme(op: Op, values: list[Any]) -> Any:
    return max(values) if op in (Op.GREATEST, Op.MAX_OF) else min(values)


def divided(op: Op, a: int | Fraction, b: int | Fraction) -> int | Fraction | None:
    """Exact quotients and remainders; null by zero."""
    if b == 0:
        return None
    quotient = Fraction(a) / Fraction(b)
    match op:
        case Op.FLOOR_DIV:
            return math.floor(quotient)
        case Op.TRUNC_DIV:
            return math.trunc(quotient)
        case Op.MOD:
            return _plain(a - math.floor(quotient) * b)
        case Op.REMAINDER:
            return _plain(a - math.trunc(quotient) * b)
    return _plain(quotient)


def rounded(op: Op, value: int | Fraction, digits: int) -> int | Fraction:
    """Rounded to so many decimal digits, before the point when negative."""
    scale = Fraction(10) ** digits
    scaled = abs(Fraction(value)) * scale
    whole = math.floor(scaled + Fraction(1, 2)) if op is Op.ROUND else round(scaled)
    return _plain((-whole if value < 0 else whole) / scale)


def _transcendental(op: Op, value: int | Fraction) -> int | Fraction | None:
    """The float64 nearest to the argument, the function of float64, and that exactly."""
    try:
        near = float(value)
        match op:
            case Op.SQRT:
                return _plain(Fraction(math.sqrt(near)))
            case Op.LN:
                return _plain(Fraction(math.log(near)))
        return _plain(Fraction(math.exp(near)))
    except (ValueError, OverflowError):
        return None


def _plain(value: int | Fraction) -> int | Fraction:
    return int(value) if value == int(value) else value


def text_of(value: Scalar) -> str:
    """A whole number, a condition or a date as a text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


COMPARE: dict[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: lambda a, b: a == b,
    Op.NE: lambda a, b: a != b,
    Op.LT: lambda a, b: a < b,
    Op.LE: lambda a, b: a <= b,
    Op.GT: lambda a, b: a > b,
    Op.GE: lambda a, b: a >= b,
}

FUNCTIONS: dict[Op, Callable[..., Scalar | None]] = {
    Op.PARSE_INT: texts.int_of,
    Op.PARSE_DATE: texts.date_of,
    Op.TO_TEXT: text_of,
    Op.LOWER: texts.lower,
    Op.UPPER: texts.upper,
    Op.LENGTH: len,
    Op.STRIP: lambda text, characters: text.strip(characters),
    Op.STRIP_START: lambda text, characters: text.lstrip(characters),
    Op.STRIP_END: lambda text, characters: text.rstrip(characters),
    Op.LIKE: texts.like,
    Op.CONCAT: lambda *parts: "".join(parts),
    Op.REPLACE: lambda text, old, new: text.replace(old, new),
    Op.TO_HOUR: calendar.hour_of,
    Op.ADD_DAYS: calendar.add_days,
    Op.ADD_MONTHS: calendar.add_months,
    Op.DAYS: calendar.days_between,
    Op.ELAPSED: calendar.elapsed,
}
"""Operations whose values are the same exactly and in the engine; null for null."""
