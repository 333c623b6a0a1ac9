"""Thresholds: published numbers, both safe sides, and what they refuse."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from privlab.mechanisms.intervals import down, interval, up
from privlab.mechanisms.threshold import (
    delta_of_threshold,
    delta_per_group,
    gaussian_limit,
    gaussian_threshold,
    laplace_limit,
)
from privlab.terms.events import LEAST_SELECTION_DELTA, MOST_SELECTION_GROUPS
from privlab.terms.noise import RoundedGaussian

ONE = Fraction(1)

noises = st.builds(
    RoundedGaussian.at_most, st.fractions(Fraction(1, 10**12), 10**3, max_denominator=10**12)
)
deltas = st.fractions(Fraction(1, 10**30), Fraction(49, 100), max_denominator=10**30)
groups_numbers = st.integers(1, 5) | st.integers(1, 10**6)

GAUSSIAN = [
    (1, Fraction(1, 10**5), 1, 5.264890793922825),
    (10, Fraction(1, 10**10), 10, 68.06023155488566),
    (10, Fraction(1, 10**15), 100, 85.93793224109598),
]


@pytest.mark.parametrize(("sigma", "delta", "groups", "published"), GAUSSIAN)
def test_gaussian_limits_are_those_of_googles_tables(
    sigma: int, delta: Fraction, groups: int, published: float
) -> None:
    """To the last digit; the naive 1 - (1 - d)^(1/k) is off from the seventh."""
    assert float(gaussian_limit(Fraction(sigma**2), delta, groups)) == published


LAPLACE = {
    1: "50.000",
    2: "100.262",
    3: "151.000",
    4: "202.047",
    5: "253.325",
    10: "511.959",
    100: "5320.180",
}


@pytest.mark.parametrize(("groups", "published"), LAPLACE.items())
def test_laplace_limits_are_those_of_googles_tables(groups: int, published: str) -> None:
    """epsilon = ln 3, delta = 2.0894334e-24: to the digits given."""
    ln3 = Fraction("1.0986122886681098")
    found = float(laplace_limit(ln3, Fraction("2.0894334e-24"), groups))
    assert abs(found - float(published)) < 0.001


def shown(noise: RoundedGaussian, threshold: int, groups: int) -> tuple[Fraction, Fraction]:
    """Around 1 - P(1 + round(N) < T)^groups, from the law of the rounded noise."""
    with ctx.workprec(900):
        edge = interval(Fraction(2 * threshold - 3, 2))  # 1 + round(N) >= T: N >= T - 3/2
        below = (-edge / (2 * interval(noise.variance)).sqrt()).erfc() / 2
        return down(1 - below**groups, 600), up(1 - below**groups, 600)


@given(noises, deltas, groups_numbers)
def test_a_threshold_costs_at_most_delta_and_the_next_smaller_does_not(
    noise: RoundedGaussian, delta: Fraction, groups: int
) -> None:
    """Checked at 900 bits, without log1p or expm1."""
    threshold = gaussian_threshold(noise, delta, groups)
    assert shown(noise, threshold, groups)[1] <= delta
    assert shown(noise, threshold - 1, groups)[0] > delta
    assert threshold >= 2


@given(noises, deltas, groups_numbers)
def test_rounding_moves_the_limit_by_half_a_step(
    noise: RoundedGaussian, delta: Fraction, groups: int
) -> None:
    """T is the first whole number that is half a step or more above the limit."""
    limit = gaussian_limit(noise.variance, delta, groups)
    threshold = gaussian_threshold(noise, delta, groups)
    with ctx.workprec(200):
        least, most = down(limit, 100), up(limit, 100)
    assert least <= threshold - Fraction(1, 2)
    assert threshold - Fraction(3, 2) < most


@given(noises, st.integers(1, 100), groups_numbers)
def test_a_delta_is_rounded_up(noise: RoundedGaussian, threshold: int, groups: int) -> None:
    """By less than 2^-255."""
    found = delta_of_threshold(noise, threshold, groups)
    least, most = shown(noise, threshold, groups)
    assert least <= found <= most + Fraction(1, 1 << 255)
    assert found > 0


@given(noises, deltas, groups_numbers)
def test_what_a_threshold_costs_is_within_what_it_was_made_for(
    noise: RoundedGaussian, delta: Fraction, groups: int
) -> None:
    """There and back."""
    threshold = gaussian_threshold(noise, delta, groups)
    assert delta_of_threshold(noise, threshold, groups) <= delta + Fraction(1, 1 << 255)


def test_the_chance_is_that_of_the_noise_that_is_drawn() -> None:
    """Two hundred thousand groups of one unit, from a recorded key."""
    from privlab.mechanisms.entropy import KeyStream
    from privlab.mechanisms.gaussian import add_noise

    noise = RoundedGaussian.at_most(Fraction(1, 9))
    counts = np.ones(200_000, np.int64)
    with KeyStream(bytes(31) + b"\x09") as words:
        reached = int((add_noise(counts, noise, words) >= 7).sum())
    chance = float(delta_of_threshold(noise, 7, 1))
    assert stats.binomtest(reached, 200_000, chance).pvalue > 1e-6
    assert chance == pytest.approx(stats.norm.sf(5.5 / 3), rel=1e-7)


@given(noises, deltas, st.integers(2, 50))
def test_a_floor_composes_only_with_a_raised_threshold(
    noise: RoundedGaussian, delta: Fraction, floor: int
) -> None:
    """A group of ``floor`` units appears by one unit's coming: its chance is what delta must cover."""
    threshold = gaussian_threshold(noise, delta, 1)

    def appears(at: int) -> Fraction:  # P(floor + round(N) >= at), as that of a count of 1
        return delta_of_threshold(noise, at - floor + 1, 1)

    assert appears(threshold + floor - 1) <= delta + Fraction(1, 1 << 255)
    assert appears(threshold + floor - 2) > delta


@settings(deadline=None)
@given(deltas, groups_numbers)
def test_equal_parts_of_delta_compose_to_no_more(delta: Fraction, groups: int) -> None:
    """And lose less than a part in 2^100."""
    each = delta_per_group(delta, groups)
    with ctx.workprec(1200):
        whole = 1 - (1 - interval(each)) ** groups
        least, most = down(whole, 1000), up(whole, 1000)
    assert delta * (1 - Fraction(1, 1 << 100)) <= least
    assert most <= delta + Fraction(1, 1 << 900)


def test_one_group_has_all_of_delta() -> None:
    """Exactly, where the grid holds it."""
    assert delta_per_group(Fraction(3, 1 << 100), 1) == Fraction(3, 1 << 100)


@pytest.mark.parametrize("noise", [RoundedGaussian(1, 62), RoundedGaussian(1 << 48, 0)], ids=str)
@pytest.mark.parametrize(
    "delta", [LEAST_SELECTION_DELTA, Fraction(1, 2) - Fraction(1, 1 << 80)], ids=str
)
@pytest.mark.parametrize("groups", [1, MOST_SELECTION_GROUPS])
def test_extremes_have_thresholds(noise: RoundedGaussian, delta: Fraction, groups: int) -> None:
    """From almost no noise to all there is."""
    threshold = gaussian_threshold(noise, delta, groups)
    assert delta_of_threshold(noise, threshold, groups) <= delta + Fraction(1, 1 << 255)
    assert delta_of_threshold(noise, threshold - 1, groups) > delta


def test_a_threshold_of_nothing_shows_every_group() -> None:
    """Its delta is one, as far as a grid of 2^-256 can tell."""
    assert delta_of_threshold(RoundedGaussian(1, 62), -(10**9), 3) == 1


@pytest.mark.parametrize(
    "delta", [Fraction(0), Fraction(-1), Fraction(1, 2), LEAST_SELECTION_DELTA / 2]
)
def test_deltas_out_of_range_are_refused(delta: Fraction) -> None:
    for ask in (
        lambda: gaussian_threshold(RoundedGaussian(1, 0), delta, 1),
        lambda: gaussian_limit(ONE, delta, 1),
        lambda: laplace_limit(ONE, delta, 1),
        lambda: delta_per_group(delta, 1),
    ):
        with pytest.raises(ValueError, match="delta"):
            ask()


@pytest.mark.parametrize("groups", [0, -1, MOST_SELECTION_GROUPS + 1])
def test_numbers_of_groups_out_of_range_are_refused(groups: int) -> None:
    with pytest.raises(ValueError, match="groups"):
        gaussian_threshold(RoundedGaussian(1, 0), Fraction(1, 10), groups)
    with pytest.raises(ValueError, match="groups"):
        delta_of_threshold(RoundedGaussian(1, 0), 20, groups)


def test_floats_are_refused() -> None:
    """Also one that equals a Fraction whose threshold is known already."""
    noise = RoundedGaussian(1, 0)
    gaussian_threshold(noise, Fraction(1, 4), 1)
    with pytest.raises(TypeError, match="Fraction"):
        gaussian_threshold(noise, 0.25, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="whole"):
        gaussian_threshold(noise, Fraction(1, 4), 1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="whole"):
        delta_of_threshold(noise, math.inf, 1)  # type: ignore[arg-type]
