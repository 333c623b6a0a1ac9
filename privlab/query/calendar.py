"""What the operations on dates and times mean: the proleptic Gregorian calendar.

Years 1 to 9999, no zones, no leap seconds.  A result outside is null.
"""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta

from privlab.query.plan import Op

MICROSECOND = timedelta(microseconds=1)


def part(op: Op, value: date) -> int:
    """A number of the calendar or of the clock."""
    match op:
        case Op.QUARTER:
            return (value.month + 2) // 3
        case Op.WEEK_NUMBER:
            return value.isocalendar().week
        case Op.WEEKDAY:
            return value.isoweekday()
        case Op.ORDINAL_DAY:
            return value.timetuple().tm_yday
    return int(getattr(value, op.value))


def day_of(value: date) -> date:
    """The calendar day."""
    return value.date() if isinstance(value, datetime) else value


def grain(op: Op, value: date) -> date:
    """The day, Monday, or first of the month, quarter or year that holds ``value``."""
    day = day_of(value)
    match op:
        case Op.WEEK:
            return day - timedelta(days=min(day.weekday(), day.toordinal() - 1))
        case Op.TO_MONTH:
            return day.replace(day=1)
        case Op.TO_QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case Op.TO_YEAR:
            return day.replace(month=1, day=1)
    return day


def hour_of(value: datetime) -> datetime:
    """The hour that holds a time."""
    return value.replace(minute=0, second=0, microsecond=0)


def add_days(value: date, days: int) -> date | None:
    """So many days later; None outside the calendar."""
    try:
        return value + timedelta(days=days)
    except OverflowError:
        return None


def add_months(value: date, months: int) -> date | None:
    """The same day so many months later, or the last of a month too short for it."""
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    last = calendar.monthrange(year, month + 1)[1]
    return value.replace(year=year, month=month + 1, day=min(value.day, last))


def days_between(later: date, earlier: date) -> int:
    """Calendar days from the second to the first."""
    return day_of(later).toordinal() - day_of(earlier).toordinal()


def elapsed(later: datetime, earlier: datetime) -> int:
    """Microseconds from the second to the first."""
    return (later - earlier) // MICROSECOND
