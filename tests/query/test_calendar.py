"""The calendar: parts, grains, shifts, differences."""

# ruff: noqa: DTZ001  times have no zone here

from __future__ import annotations

from datetime import date, datetime

import pytest

from privlab.query import calendar
from privlab.query.plan import Op

MOMENT = datetime(2024, 2, 29, 23, 59, 58)


@pytest.mark.parametrize(
    ("op", "value"),
    [
        (Op.YEAR, 2024),
        (Op.QUARTER, 1),
        (Op.MONTH, 2),
        (Op.WEEK_NUMBER, 9),
        (Op.WEEKDAY, 4),
        (Op.DAY, 29),
        (Op.ORDINAL_DAY, 60),
        (Op.HOUR, 23),
        (Op.MINUTE, 59),
        (Op.SECOND, 58),
    ],
)
def test_parts(op: Op, value: int) -> None:
    assert calendar.part(op, MOMENT) == value


def test_grains() -> None:
    assert calendar.grain(Op.TO_QUARTER, date(2024, 12, 31)) == date(2024, 10, 1)
    assert calendar.grain(Op.TO_YEAR, MOMENT) == date(2024, 1, 1)
    assert calendar.hour_of(MOMENT) == datetime(2024, 2, 29, 23)


def test_a_month_that_is_too_short_ends_on_its_last_day() -> None:
    assert calendar.add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert calendar.add_months(date(2024, 3, 31), -13) == date(2023, 2, 28)
    assert calendar.add_months(MOMENT, 12) == datetime(2025, 2, 28, 23, 59, 58)


def test_nothing_leaves_the_calendar() -> None:
    assert calendar.add_months(date(9999, 12, 1), 1) is None
    assert calendar.add_months(date(1, 1, 1), -1) is None
    assert calendar.add_days(date(9999, 12, 31), 1) is None
    assert calendar.add_days(date(1, 1, 1), 4_000_000) is None


def test_differences() -> None:
    assert calendar.days_between(MOMENT, date(2024, 2, 28)) == 1
    assert calendar.elapsed(MOMENT, datetime(2024, 3, 1)) == -2_000_000
