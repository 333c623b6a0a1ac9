"""Dates and times as numbers, and back: whole days, or seconds, since 1970-01-01.

A quantile of dates is chosen among days, one of times among whole seconds, minutes,
hours or days of their clock; its answer is a date or a time again.  Zones are not known.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction

from privlab.query.calendar import MICROSECOND
from privlab.query.kinds import kind_of
from privlab.query.plan import Measure
from privlab.terms.catalog import Kind

FIRST = date(1970, 1, 1).toordinal()
"""The ordinal of day zero."""

DAY = 86_400
"""Seconds of a day."""

MIDNIGHT = datetime.fromisoformat("1970-01-01")

TICKS = {1: "by second", 60: "by minute", 3600: "by hour", DAY: "by day"}
"""Steps of a time in seconds, the finest first, each a part of a day; and how they are told."""


def number_of(value: date) -> Fraction:
    """Days of a date, seconds of a time."""
    if isinstance(value, datetime):
        return Fraction((value - MIDNIGHT) // MICROSECOND, 1_000_000)
    return Fraction(value.toordinal() - FIRST)


def value_of(number: Fraction, kind: Kind) -> date:
    """The date or time that `number_of` is ``number`` of.  kind: DATE or DATETIME.

    :raises OverflowError: outside the years 1 to 9999.
    """
    if kind is Kind.DATETIME:
        return MIDNIGHT + timedelta(microseconds=int(number * 1_000_000))
    return MIDNIGHT.date() + timedelta(days=int(number))


def dated(measure: Measure) -> Kind | None:
    """DATE or DATETIME where the measure's cells are such; None where they are numbers."""
    kind = None if measure.of is None or not measure.chosen else kind_of(measure.of)
    return kind if kind in (Kind.DATE, Kind.DATETIME) else None


def span_of(kind: Kind, low: Fraction, high: Fraction, finest: int) -> tuple[Fraction, ...]:
    """Low, high and step of days given by their ordinals, both included.

    A time is told to the second where ``finest`` steps reach across the range, else to
    the minute, the hour, or the day.
    """
    first, last = int(low) - FIRST, int(high) - FIRST
    if kind is Kind.DATE:
        return Fraction(first), Fraction(last), Fraction(1)
    seconds = (last - first + 1) * DAY
    step = next((tick for tick in TICKS if seconds <= finest * tick), DAY)
    return Fraction(first * DAY), Fraction((last + 1) * DAY - step), Fraction(step)


def step_text(measure: Measure) -> str:
    """How finely a quantile of dates or times is told: "by day"."""
    seconds = measure.step if dated(measure) is Kind.DATETIME else measure.step * DAY
    return TICKS.get(int(seconds), f"by {seconds} seconds")
