"""What MIN and MAX are, from public facts alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from privlab.errors import PrivlabError
from privlab.query.passes.lower_quantile import MOST_DENOMINATOR, extreme
from privlab.query.plan import Question
from privlab.terms.catalog import Table


@pytest.mark.parametrize(
    ("units", "cells", "q"),
    [
        (100_000, 1, "0.999"),
        (99_999, 1, "0.99"),
        (100_000, 10, "0.99"),
        (100_000, 11, "0.95"),
        (2_000, 1, "0.95"),
        (1_999, 1, "0.9"),
        (10, 1, "0.9"),
    ],
)
def test_the_largest_leaves_a_hundred_units_beyond_it_where_there_are_so_many(
    visits: Table, units: int, cells: int, q: str
) -> None:
    assert extreme(replace(visits, units=units), cells) == Fraction(q)


def test_rows_stand_in_for_units_and_nothing_known_is_the_twentieth(visits: Table) -> None:
    assert extreme(replace(visits, units=None, rows=10_000), 1) == Fraction("0.99")
    assert extreme(replace(visits, units=None, rows=None), 1) == Fraction("0.95")


def test_the_smallest_is_as_far_from_the_other_end(ask: Callable[..., Question]) -> None:
    low, high = ask("SELECT MIN(age), MAX(age) FROM visits").plan.measures
    assert low.q is not None
    assert high.q == 1 - low.q


def test_a_q_is_as_exact_as_the_mechanism_takes_it(
    ask: Callable[..., Question], refusal: Callable[..., PrivlabError]
) -> None:
    (measure,) = ask("SELECT QUANTILE(age, 0.123456) FROM visits").plan.measures
    assert measure.q == Fraction(123456, 10**6)
    assert measure.q.denominator <= MOST_DENOMINATOR
    assert refusal("SELECT QUANTILE(age, 0.1234567) FROM visits").code == "PL106"


def test_a_q_may_be_a_parameter(ask: Callable[..., Question]) -> None:
    text = "SELECT PERCENTILE_CONT(:q) WITHIN GROUP (ORDER BY age DESC) FROM visits"
    (measure,) = ask(text, q=Fraction(1, 4)).plan.measures
    assert measure.q == Fraction(3, 4)
    (polars,) = ask("visits.select(pl.col('age').quantile(q))", q=Fraction(3, 4)).plan.measures
    assert polars == measure


def test_there_are_never_too_many_answers_to_choose_among(ask: Callable[..., Question]) -> None:
    (measure,) = ask(
        f"SELECT MEDIAN(LEAST(GREATEST(score, 0), {1 << 60})) FROM visits"
    ).plan.measures
    assert 1 << 20 < measure.candidates <= 1 << 25
