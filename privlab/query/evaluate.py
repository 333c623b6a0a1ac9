"""What an expression means: exact values, and null as SQL has it.

This is the definition that engines agree with.  It serves to fold constants
and to find which public keys a predicate leaves; it never sees a row of data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

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
            values = [evaluate(arg, row) for arg in args]
            return _apply(op, values)


def _listed(args: tuple[Expr, ...]) -> frozenset[Scalar | None]:
    """The constants of a long IN, looked up instead of searched."""
    found = _LISTS.get(id(args))
    if found is None or found[0] is not args:
        if len(_LISTS) >= LISTS_KEPT:
            _LISTS.clear()
        values = frozenset(one.value for one in args[1:] if isinstance(one, Literal))
        found = _LISTS[id(args)] = (args, values)
    return found[1]


def _apply(op: Op, values: list[Any]) -> Scalar | None:
    match op:
        case Op.AND:
            return False if False in values else None if None in values else True
        case Op.OR:
            return True if True in values else None if None in values else False
        case Op.IS_NULL:
            return values[0] is None
        case Op.CLIP:
            value, low, high = values
            if value is None:
                return None
            value = value if low is None else max(value, low)
            return _plain(value if high is None else min(value, high))
    if None in values:
        return None
    first = values[0]
    match op:
        case Op.NOT:
            return not first
        case Op.EQ:
            return bool(first == values[1])
        case Op.NE:
            return bool(first != values[1])
        case Op.LT:
            return bool(first < values[1])
        case Op.LE:
            return bool(first <= values[1])
        case Op.GT:
            return bool(first > values[1])
        case Op.GE:
            return bool(first >= values[1])
        case Op.IS_IN:
            return first in values[1:]
        case Op.ADD:
            return _plain(sum(values[1:], first))
        case Op.SUB:
            return _plain(first - values[1])
        case Op.MUL:
            product = first
            for value in values[1:]:
                product = product * value
            return _plain(product)
        case Op.NEG:
            return _plain(-first)
        case Op.ABS:
            return _plain(abs(first))
        case Op.YEAR:
            return int(first.year)
        case Op.MONTH:
            return int(first.month)
        case Op.DAY:
            return int(first.day)
        case _:
            return grain(op, first)


def _plain(value: int | Fraction) -> int | Fraction:
    return int(value) if value == int(value) else value


def grain(op: Op, value: date) -> date:
    """The calendar day, the Monday or the first of the month that holds ``value``."""
    day = value.date() if isinstance(value, datetime) else value
    if op is Op.WEEK:
        return day - timedelta(days=min(day.weekday(), day.toordinal() - 1))
    return day.replace(day=1) if op is Op.TO_MONTH else day
