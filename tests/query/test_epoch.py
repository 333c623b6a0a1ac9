"""Dates and times as numbers, and back."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.query.compile import compile_question
from privlab.query.epoch import DAY, FIRST, TICKS, dated, number_of, span_of, step_text, value_of
from privlab.query.plan import Measure, MeasureKind, Ref
from privlab.terms.catalog import Kind
from tests.query.conftest import CATALOG

SEEN = Ref("seen", Kind.DATETIME)
FINEST = 1 << 24


@given(st.dates())
def test_a_date_is_its_days_and_comes_back(day: date) -> None:
    assert number_of(day).denominator == 1
    assert value_of(number_of(day), Kind.DATE) == day


@given(st.datetimes())
def test_a_time_is_its_seconds_and_comes_back(moment: datetime) -> None:
    assert value_of(number_of(moment), Kind.DATETIME) == moment


def test_day_zero_is_the_first_of_1970() -> None:
    assert number_of(date(1970, 1, 1)) == 0
    assert number_of(datetime.fromisoformat("1970-01-02T00:00:30")) == DAY + 30


@given(st.dates(), st.dates(), st.sampled_from([Kind.DATE, Kind.DATETIME]))
def test_a_range_holds_its_days_whole_and_in_few_enough_steps(
    one: date, two: date, kind: Kind
) -> None:
    first, last = sorted((one, two))

    low, high, step = span_of(kind, *(Fraction(d.toordinal()) for d in (first, last)), FINEST)

    measure = Measure(MeasureKind.QUANTILE, SEEN, low, high, step, q=Fraction(1, 2))
    assert measure.candidates <= FINEST + 1
    assert low == number_of(first) * (DAY if kind is Kind.DATETIME else 1)
    ends = value_of(low, kind), value_of(high, kind)
    assert [end.isoformat()[:10] for end in ends] == [first.isoformat(), last.isoformat()]
    if kind is Kind.DATETIME and step > 1:
        finer = max(tick for tick in TICKS if tick < step)
        assert (high + step - low) / finer > FINEST  # no finer one would have fitted


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (1, "by second"),
        (194, "by second"),
        (195, "by minute"),
        (11_650, "by minute"),
        (11_651, "by hour"),
        (699_050, "by hour"),
        (699_051, "by day"),
    ],
)
def test_a_time_is_told_as_finely_as_its_range_allows(days: int, text: str) -> None:
    low, high, step = span_of(Kind.DATETIME, Fraction(FIRST), Fraction(FIRST + days - 1), FINEST)
    assert step_text(Measure(MeasureKind.QUANTILE, SEEN, low, high, step)) == text


def test_only_a_quantile_of_dates_or_times_is_dated() -> None:
    plan = compile_question(
        "SELECT MEDIAN(admitted) AS a, MAX(seen) AS b, MEDIAN(age) AS c, COUNT(seen) AS d FROM visits",
        {},
        CATALOG,
    ).plan
    kinds = {
        dated(one) for one in plan.measures if one.of is not None and one.of != Ref("age", Kind.INT)
    }
    assert kinds == {Kind.DATE, Kind.DATETIME, None}
    assert {dated(one) for one in plan.measures if not one.chosen} == {None}
