"""Dates and times of the years 1 to 9999; a result outside is null."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import polars as pl

from privlab.connector.scan import DTYPES
from privlab.engine.expressions.typed import Typed, once
from privlab.query import calendar
from privlab.query.kinds import GRAINS, PARTS, SHIFTS
from privlab.query.plan import Op
from privlab.terms.catalog import Kind

OPERATIONS = PARTS | GRAINS | SHIFTS | {Op.TO_HOUR, Op.DAYS, Op.ELAPSED}

_PARTS = {Op.WEEK_NUMBER: "week"}
_STARTS = {Op.TO_YEAR: "1y", Op.TO_QUARTER: "1q", Op.TO_MONTH: "1mo", Op.WEEK: "1w"}
_FIRST, _LAST = datetime.min, datetime.max  # noqa: DTZ901 times have no zone here


def apply(op: Op, args: Sequence[Typed]) -> Typed:
    """A part of a time, or another time."""
    first = args[0]
    if any(arg.kind not in (None, Kind.DATE, Kind.DATETIME) for arg in args[:1]):
        raise TypeError("the calendar is for dates and times")
    value = first.as_kind(first.kind or Kind.DATE)
    if op in PARTS:
        part: pl.Expr = getattr(value.dt, _PARTS.get(op, op.value))()
        return Typed(part.cast(pl.Int64), Kind.INT)
    if op in GRAINS:
        day = _day(first)
        every = _STARTS.get(op)
        return Typed(day if every is None else day.dt.truncate(every), Kind.DATE)
    if op in SHIFTS:
        by = args[1].constant
        if not isinstance(by, int):
            raise TypeError("a shift is a whole number")
        return Typed(_shifted(op, value, first.kind or Kind.DATE, by), first.kind or Kind.DATE)
    if op is Op.TO_HOUR:
        return Typed(first.as_kind(Kind.DATETIME).dt.truncate("1h"), Kind.DATETIME)
    if op is Op.DAYS:
        days = [_day(arg).cast(pl.Int32).cast(pl.Int64) for arg in args]
        return Typed(days[0] - days[1], Kind.INT)
    ticks = [arg.as_kind(Kind.DATETIME).cast(pl.Int64) for arg in args]
    return Typed(ticks[0] - ticks[1], Kind.INT)


def _day(value: Typed) -> pl.Expr:
    if value.kind is Kind.DATETIME:
        return value.expr.dt.date()
    return value.as_kind(Kind.DATE)


def _shifted(op: Op, value: pl.Expr, kind: Kind, by: int) -> pl.Expr:
    """Shifted by whole days or months, null outside the calendar.

    What would leave it is replaced first, so that Polars never meets it.
    """
    low, high = _reach(op, by)
    if low > high:
        return pl.when(pl.lit(False)).then(value)  # noqa: FBT003
    ends = [end if kind is Kind.DATETIME else end.date() for end in (low, high)]
    first, last = (pl.lit(end, DTYPES[kind]) for end in ends)
    safe = once(lambda x: pl.when(x.is_between(first, last)).then(x), value)
    if op is Op.ADD_DAYS:
        return (safe + timedelta(days=by)).cast(DTYPES[kind])
    return safe.dt.offset_by(f"{by}mo")


def _reach(op: Op, by: int) -> tuple[datetime, datetime]:
    """The first and the last time that stay in the calendar."""
    if op is Op.ADD_DAYS:
        if abs(by) > (date.max - date.min).days:
            return _LAST, _FIRST
        step = timedelta(days=by)
        return (_FIRST, _LAST - step) if by >= 0 else (_FIRST - step, _LAST)
    edge = calendar.add_months((_LAST if by >= 0 else _FIRST).replace(day=1), -by)
    if not isinstance(edge, datetime):
        return _LAST, _FIRST
    if by < 0:
        return edge, _LAST
    after = calendar.add_months(edge.replace(hour=0, minute=0, second=0, microsecond=0), 1)
    last = _LAST if not isinstance(after, datetime) else after - calendar.MICROSECOND
    return _FIRST, last
