"""Find the public values of a group key."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import cast

from privlab.errors import BadQuery
from privlab.query.ask import Source, Span
from privlab.query.evaluate import evaluate, grain
from privlab.query.kinds import BOOLEAN, PARTS, columns_of, conjuncts, kind_of, substituted
from privlab.query.passes.infer_interval import Interval, infer_interval
from privlab.query.plan import Call, Expr, Key, Op, Ref
from privlab.terms.catalog import Column, Kind, Scalar, Table

MAX_CELLS = 1_000_000
"""Most groups of one question."""

MAX_RANGE = 1_000
"""Widest stated range of a whole number that is taken as a list of keys."""

_SELF = "the key itself"


def key_space(expr: Expr, table: Table, where: Expr | None, source: Source, span: Span) -> Key:
    """The key with every value it can show, in the order they are reported.

    Values come from the contract: its list of keys, true and false, a short
    range of whole numbers, the calendar inside a range of dates.  A column that
    may be null has a cell for null.  Values that WHERE rules out, whatever the
    rows hold, are left away: that is public too.

    :raises BadQuery: PL107 the values are not public, or WHERE leaves none;
        PL113 there are more than a million.
    """
    kind = kind_of(expr)
    if kind is None or not columns_of(expr):
        raise source.refuse("PL106", "a group key is a column or made from one", span)
    interval = infer_interval(expr, table, where)
    found = _values(expr, table, where, interval, source, span)
    values: list[Scalar | None] = list(itertools.islice(found, MAX_CELLS + 1))
    if len(values) > MAX_CELLS:
        raise source.refuse("PL113", f"this key has more than {MAX_CELLS:,} values", span)
    if _can_be_null(expr, table):
        values.append(None)
    for condition in conjuncts(where):
        about_key = substituted(condition, expr, Ref(_SELF, kind))
        if columns_of(about_key) == {_SELF}:
            values = [one for one in values if evaluate(about_key, {_SELF: one}) is True]
        elif None in values and _rules_out_null(condition, expr):
            values.remove(None)
    if not values:
        raise source.refuse("PL107", "WHERE leaves none of this key's public values", span)
    return Key(expr, kind, tuple(values))


def _can_be_null(expr: Expr, table: Table) -> bool:
    columns = [table.column(name) for name in columns_of(expr)]
    if not any(column is None or column.nullable for column in columns):
        return False
    nulls: dict[str, Scalar | None] = dict.fromkeys(columns_of(expr))
    return len(nulls) > 1 or evaluate(expr, nulls) is None


def _rules_out_null(condition: Expr, key: Expr) -> bool:
    """Whether every row that passes ``condition`` has a key that is not null."""
    columns = columns_of(key)
    if columns_of(condition) != columns or len(columns) != 1:
        return False
    nulls: dict[str, Scalar | None] = dict.fromkeys(columns)
    return evaluate(key, nulls) is None and evaluate(condition, nulls) is not True


def _values(
    expr: Expr, table: Table, where: Expr | None, interval: Interval, source: Source, span: Span
) -> Iterable[Scalar]:
    match expr:
        case Ref(column=name, kind=kind):
            column = table.column(name)
            if column is not None and column.keys is not None:
                return column.keys
            if kind is Kind.BOOL:
                return (False, True)
            days = _calendar(interval)
            if kind is Kind.DATE and days is not None:
                return _days(days)
            if column is not None and kind is Kind.INT:
                short = _short_range(column, interval)
                if short is not None:
                    return short
            raise _not_public(name, kind, table, source, span)
        case Call(op=op) if op in BOOLEAN:
            return (False, True)
        case Call(op=op, args=(Ref(column=name, kind=kind) as inner,)) if kind.is_time:
            column = table.column(name)
            if column is not None and column.keys is not None:
                parts = {evaluate(expr, {name: one}) for one in column.keys}
                return sorted(cast("set[date]", parts))
            days = _calendar(infer_interval(inner, table, where))
            if days is None:
                raise _not_public(name, kind, table, source, span)
            return _parts(op, days) if op in PARTS else _grains(op, days)
    raise source.refuse(
        "PL106",
        "a group key is a column, a part of a date, or a condition",
        span,
        "group by the column and compute on the answer's frame",
    )


def _short_range(column: Column, interval: Interval) -> range | None:
    """Whole numbers of a range the contract states, if there are few."""
    if column.low is None or interval.low is None or interval.high is None:
        return None
    low, high = int(-(-interval.low // 1)), int(interval.high // 1)
    return range(low, high + 1) if high - low < MAX_RANGE else None


def _calendar(interval: Interval) -> range | None:
    """The days of an interval, as ordinals; None when an end is open."""
    if interval.low is None or interval.high is None:
        return None
    return range(int(interval.low), int(interval.high) + 1)


def _days(days: range) -> Iterator[date]:
    return (date.fromordinal(day) for day in days)


def _grains(op: Op, days: range) -> Iterator[date]:
    """Each day, Monday, or first of a month that holds a day of the range."""
    if not days:
        return
    last, reach = date.fromordinal(days[-1]), {Op.WEEK: 7, Op.TO_MONTH: 32}.get(op, 1)
    at = grain(op, date.fromordinal(days[0]))
    while at <= last:
        yield at
        if (date.max - at).days < reach:
            return
        at = grain(op, at + timedelta(days=reach))


def _parts(op: Op, days: range) -> list[int]:
    """Each year, month number or day of the month that the range has."""
    if op is Op.YEAR:
        if not days:
            return []
        first, last = (date.fromordinal(day).year for day in (days[0], days[-1]))
        return list(range(first, last + 1))
    cycle = _days(days[: 2 * 366])  # longer ranges repeat themselves
    return sorted({day.month if op is Op.MONTH else day.day for day in cycle})


def _not_public(name: str, kind: Kind, table: Table, source: Source, span: Span) -> BadQuery:
    """PL107, and what the owner writes into the contract to make the keys public."""
    if kind is Kind.DATETIME:
        hint = f"group by the day, week or month of {name}"
        column = table.column(name)
        if column is None or column.low is None:
            hint = f"the owner can state a range of dates for {name} in the contract"
    elif kind is Kind.DATE:
        hint = f"the owner can state a range of dates for {name} in the contract"
    elif kind is Kind.FLOAT:
        hint = f"compare {name} with a constant, as in {name} >= {_example(table, name)}, and group by that"
    else:
        hint = f"the owner can list keys for {name} in the contract: keys = [...]"
    return source.refuse("PL107", f"the values of {name} are not public", span, hint)


def _example(table: Table, name: str) -> str:
    column = table.column(name)
    if (
        column is None
        or not isinstance(column.low, Fraction)
        or not isinstance(column.high, Fraction)
    ):
        return "10"
    return str(int((column.low + column.high) / 2))
