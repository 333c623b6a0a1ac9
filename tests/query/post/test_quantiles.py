"""Quantiles among outputs: a value without a half-width, and what is made of it within its range."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from privlab.query.finish import finish
from privlab.query.plan import Question
from privlab.terms.catalog import Kind

CONFIDENCE = Fraction(95)


def finished(question: Question) -> tuple[list[object], list[object]]:
    """Values and half-widths of the one row, every quantile 40 steps, every sum 1,000."""
    vectors = [
        [Fraction(40 if one.chosen else 1000)] * question.plan.cells
        for one in question.plan.measures
    ]
    table = finish(question, vectors, [Fraction(1, 10)] * len(vectors), CONFIDENCE)
    (row,), (widths,) = table.rows, table.half_widths
    return list(row), list(widths)


def test_a_quantile_has_a_value_and_no_half_width(ask: Callable[..., Question]) -> None:
    assert finished(ask("SELECT MEDIAN(age) AS m FROM visits")) == ([40], [None])


@pytest.mark.parametrize(
    ("text", "value", "reach"),
    [
        ("MEDIAN(age) + 5", 45, 70),  # 5..115
        ("MAX(age) - MIN(age)", 0, 110),  # -110..110
        ("2 * MEDIAN(stay_days)", 80, 80),  # 0..120
    ],
)
def test_what_is_made_of_quantiles_is_within_their_bounds(
    ask: Callable[..., Question], text: str, value: int, reach: int
) -> None:
    assert finished(ask(f"SELECT {text} AS x FROM visits")) == ([value], [reach])


def test_a_quantile_beside_noise_leaves_its_half_width_alone(ask: Callable[..., Question]) -> None:
    _, (count, median) = finished(ask("SELECT COUNT(*) AS n, MEDIAN(age) AS m FROM visits"))
    _, (alone,) = finished(ask("SELECT COUNT(*) AS n FROM visits"))
    assert count == alone
    assert median is None


def test_having_and_order_by_take_a_quantile(ask: Callable[..., Question]) -> None:
    question = ask(
        "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward HAVING MEDIAN(age) > 30 "
        "ORDER BY MEDIAN(age) DESC"
    )
    ages = [Fraction(20), Fraction(40), Fraction(60)]
    vectors = [ages if one.chosen else [Fraction(9)] * 3 for one in question.plan.measures]
    table = finish(question, vectors, [Fraction(1)] * len(vectors), CONFIDENCE)
    assert [row[0] for row in table.rows] == ["C", "B"]


def test_its_column_has_the_kind_and_the_decimals_of_its_grid(ask: Callable[..., Question]) -> None:
    question = ask("SELECT MEDIAN(age) AS a, MEDIAN(cost) AS c FROM visits")
    vectors = [[Fraction(4)]] * 2
    age, cost = finish(question, vectors, [Fraction(1)] * 2, CONFIDENCE).columns
    assert (age.kind, age.decimals) == (Kind.INT, 0)
    assert (cost.kind, cost.decimals) == (Kind.FLOAT, 2)
