"""What a row adds: steps.coded and its shares equal the plain twin (the kinds: expressions/)."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.engine import reference, steps
from privlab.engine.expressions import Typed
from privlab.query.epoch import DAY, number_of
from privlab.query.plan import Measure, MeasureKind, Ref
from privlab.query.shares import Share, share_of
from privlab.terms.catalog import Kind

AGE = Ref("age", Kind.INT)
ADMITTED, SEEN = Ref("admitted", Kind.DATE), Ref("seen", Kind.DATETIME)


@pytest.mark.parametrize("share", [*Share])
def test_a_share_is_that_of_the_coded_value(share: Share) -> None:
    measure = Measure(
        MeasureKind.SUM, AGE, Fraction(2), Fraction(12), centre=Fraction(2), share=share
    )
    rows = pl.DataFrame({"age": [-5, 2, 3, 7, 12, 99, None]})

    found = rows.select(steps.added(measure, Typed(pl.col("age"), Kind.INT))).to_series()

    assert found.to_list() == [*(share_of(share, k, 10) for k in (0, 0, 1, 5, 10, 10)), None]


@given(
    st.lists(st.none() | st.datetimes(), min_size=1),
    st.dates(),
    st.dates(),
    st.sampled_from([1, 60, 3600, DAY]),
)
def test_a_time_is_the_step_that_the_twin_says(
    values: list[datetime | None], one: date, two: date, tick: int
) -> None:
    first, last = sorted((number_of(one) * DAY, number_of(two) * DAY))
    step = Fraction(tick)
    measure = Measure(MeasureKind.QUANTILE, SEEN, first, last + DAY - step, step, q=Fraction(1, 2))
    rows = pl.DataFrame({"seen": pl.Series(values, dtype=pl.Datetime("us"))})

    found = rows.select(steps.added(measure, Typed(pl.col("seen"), Kind.DATETIME))).to_series()

    assert found.to_list() == [None if v is None else reference.steps(measure, v) for v in values]


@given(st.lists(st.none() | st.dates(), min_size=1), st.dates(), st.dates())
def test_a_date_is_the_step_that_the_twin_says(
    values: list[date | None], one: date, two: date
) -> None:
    low, high = sorted((number_of(one), number_of(two)))
    measure = Measure(MeasureKind.QUANTILE, ADMITTED, low, high, q=Fraction(1, 2))
    rows = pl.DataFrame({"admitted": pl.Series(values, dtype=pl.Date)})

    found = rows.select(steps.added(measure, Typed(pl.col("admitted"), Kind.DATE))).to_series()

    assert found.to_list() == [None if v is None else reference.steps(measure, v) for v in values]
