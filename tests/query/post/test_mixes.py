"""Means and variances from shares: what is shown without noise, and how often it covers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.query.compile import compile_question
from privlab.query.finish import finish
from privlab.query.plan import Question
from privlab.query.post import mixes
from privlab.query.shares import share_of
from privlab.terms.catalog import Catalog, Table
from privlab.terms.loss import Currency
from privlab.terms.noise import DiscreteLaplace

CONFIDENCE = Fraction(95)
STATISTICS = {
    "AVG": np.mean,
    "VAR_POP": np.var,
    "VAR_SAMP": lambda v: np.var(v, ddof=1),
    "STDDEV_POP": np.std,
    "STDDEV_SAMP": lambda v: np.std(v, ddof=1),
}
SHARP = DiscreteLaplace(1, 20)

Ask = Callable[[str], Question]


@pytest.fixture(scope="session")
def ask_pure(visits: Table) -> Ask:
    catalog = Catalog((replace(visits, currency=Currency.PURE),))
    return lambda text: compile_question(text, {}, catalog)


def sums(question: Question, values: np.ndarray) -> list[int]:
    return [
        sum(share_of(one.share, int(k), one.reach) for k in values)  # type: ignore[arg-type]
        for one in question.plan.measures
    ]


def shown(
    question: Question, vector: list[int], noise: DiscreteLaplace
) -> tuple[Fraction, Fraction]:
    found = finish(
        question,
        [(Fraction(one),) for one in vector],
        [noise.precision] * len(vector),
        CONFIDENCE,
    )
    width = found.half_widths[0][0]
    assert isinstance(found.rows[0][0], Fraction)
    assert width is not None
    return found.rows[0][0], width


@pytest.mark.parametrize("name", STATISTICS)
@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.integers(0, 60), min_size=2, max_size=40))
def test_without_noise_it_is_the_statistic(ask_pure: Ask, name: str, values: list[int]) -> None:
    question = ask_pure(f"SELECT {name}(stay_days) AS v FROM visits")
    value, width = shown(question, sums(question, np.array(values)), SHARP)
    exact = STATISTICS[name](np.array(values))
    assert float(value) == pytest.approx(exact, abs=1e-6)
    assert abs(float(value) - exact) <= float(width) + 1e-6


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize(("rows", "law"), [(3, "even"), (40, "skewed"), (400, "even")])
def test_an_interval_covers_as_often_as_it_says(
    ask_pure: Ask, name: str, rows: int, law: str
) -> None:
    """Whatever the counts: 300 draws, of which 95 % should be covered, and 91 % surely are."""
    question = ask_pure(f"SELECT {name}(stay_days) AS v FROM visits")
    dice = np.random.default_rng(rows)
    values = dice.integers(0, 61, rows)
    if law == "skewed":
        values = np.minimum(60, dice.exponential(4, rows).astype(int))
    exact, vector = STATISTICS[name](values), sums(question, values)
    scale = question.plan.measures[0].reach if name == "AVG" else 10 * 60**2
    noise, covered = DiscreteLaplace(scale, 0), 0
    for _ in range(300):
        drawn = [int(one + dice.geometric(1 - np.exp(-1 / scale)) - dice.geometric(1 - np.exp(-1 / scale))) for one in vector]  # fmt: skip
        value, width = shown(question, drawn, noise)
        covered += abs(float(value) - exact) <= float(width) + 1e-9
    assert covered >= 273


@settings(deadline=None, max_examples=60)
@given(
    weights=st.lists(st.integers(0, 1000), min_size=3, max_size=3),
    off=st.lists(st.integers(0, 300), min_size=3, max_size=3),
    inside=st.lists(st.fractions(-1, 1, max_denominator=50), min_size=3, max_size=3),
)
def test_no_mix_in_the_box_is_outside_the_interval(
    weights: list[int], off: list[int], inside: list[Fraction]
) -> None:
    corners = tuple((Fraction(y), Fraction(q)) for y, q in [(0, "-1/4"), ("5/4", 1), ("-5/4", 1)])
    box = [Fraction(one) for one in off]
    around = mixes._Mix(corners, tuple(map(Fraction, weights)))
    true = tuple(
        max(Fraction(0), w + by * at) for w, by, at in zip(weights, box, inside, strict=True)
    )
    if not sum(true):
        return
    mean, square = mixes._Mix(corners, true).point
    (_, means), (_, variances) = mixes._mean(around, box), mixes._variance(around, box, less=False)
    if abs(mean) <= 1:
        assert means[0] <= mean <= means[1]  # type: ignore[operator]
    if 0 <= square - mean**2 <= 1:
        assert variances[0] <= square - mean**2 <= variances[1]  # type: ignore[operator]


@pytest.mark.parametrize("name", STATISTICS)
def test_a_group_without_rows_has_a_value_inside_its_clamp(ask_pure: Ask, name: str) -> None:
    question = ask_pure(f"SELECT {name}(stay_days) AS v FROM visits")
    for vector in ([0, 0, 0], [-500, -500, -500], [-500, 700, 0], [10**9, -(10**9), 0]):
        value, width = shown(
            question, vector[: len(question.plan.measures)], DiscreteLaplace(60, 0)
        )
        assert 0 <= value <= 60**2
        assert width >= 0


def test_arithmetic_over_a_mean_knows_its_noise(ask_pure: Ask) -> None:
    question = ask_pure("SELECT 2 * AVG(stay_days) + 1 AS v FROM visits")
    plain = ask_pure("SELECT AVG(stay_days) AS v FROM visits")
    vector, noise = sums(plain, np.arange(61)), DiscreteLaplace(60, 0)
    value, width = shown(question, vector, noise)
    alone, narrow = shown(plain, vector, noise)
    assert value == 2 * alone + 1
    assert 2 * narrow <= width <= 2 * narrow * Fraction(101, 100)
