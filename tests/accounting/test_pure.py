"""Pure epsilon and bounded range as GDP: ``docs/proofs/pure.md``, numerically."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privlab.accounting.pure import (
    LARGE_EPSILON,
    MU2_GRID,
    advantage,
    epsilon_like,
    mu2_of_choice,
    mu2_of_pure,
    true_positives_interval,
)

EPSILONS = st.fractions(Fraction(1, 10**6), 30, max_denominator=10**6)
RATES = st.fractions(Fraction(1, 10**6), 1 - Fraction(1, 10**6), max_denominator=10**6)


def curve(rates: np.ndarray, mu2: Fraction) -> np.ndarray:
    """``G_mu``: the false negatives that a Gaussian of this mu leaves at these rates."""
    return stats.norm.cdf(stats.norm.isf(np.clip(rates, 0, 1)) - math.sqrt(mu2))


def trade_off(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the trade-off curve of two finite laws: false positives, false negatives.

    Neyman and Pearson: outcomes are named in the order of their likelihood ratios.
    """
    order = np.argsort(-(np.log(inside) - np.log(outside)))
    positives = np.concatenate([[0.0], np.cumsum(outside[order])])
    return positives, 1 - np.concatenate([[0.0], np.cumsum(inside[order])])


def softmax(weights: np.ndarray) -> np.ndarray:
    powers = np.exp(weights - weights.max())
    return powers / powers.sum()


@given(EPSILONS)
def test_randomized_response_is_no_easier_than_the_gaussian_of_its_mu(epsilon: Fraction) -> None:
    """Its one corner lies on the curve, so no smaller mu would do; 300-bit intervals."""
    mu2 = mu2_of_pure(epsilon)
    with ctx.workprec(300):
        rate = 1 / (1 + arb(fmpq(epsilon.numerator, epsilon.denominator)).exp())

        def miss(square: Fraction) -> arb:
            quantile = arb(2).sqrt() * (2 * rate).erfcinv()
            mu = arb(fmpq(square.numerator, square.denominator)).sqrt()
            return (-(quantile - mu) / arb(2).sqrt()).erfc() / 2

        assert miss(mu2) <= rate  # the corner is (rate, rate)
        assert miss(mu2 - Fraction(1, MU2_GRID)) > rate


@given(EPSILONS, st.data())
def test_every_pure_mechanism_is_above_the_gaussian_curve(
    epsilon: Fraction, data: st.DataObject
) -> None:
    """Random pairs of laws whose ratios stay within e^+-epsilon."""
    size = data.draw(st.integers(2, 6))
    reach = st.floats(0, float(epsilon) / 2)
    shifts = np.array(data.draw(st.lists(reach, min_size=size, max_size=size)))
    shifts[0], shifts[1] = 0.0, float(epsilon) / 2
    base = softmax(np.array(data.draw(st.lists(st.floats(-9, 9), min_size=size, max_size=size))))
    # Normalising moves all ratios by at most epsilon / 2, so they stay within epsilon.
    other = softmax(np.log(base) + shifts * data.draw(st.sampled_from([1, -1])))
    positives, negatives = trade_off(other, base)
    assert (negatives >= curve(positives, mu2_of_pure(epsilon)) - 1e-12).all()


@given(
    st.floats(0.001, 30),
    st.integers(2, 8).flatmap(
        lambda n: st.tuples(
            st.lists(st.floats(0, 60), min_size=n, max_size=n),
            st.lists(st.floats(-1, 1), min_size=n, max_size=n),
        )
    ),
)
def test_the_exponential_mechanism_is_above_the_gaussian_curve(
    epsilon: float, scores: tuple[list[float], list[float]]
) -> None:
    """Any scores, any neighbour's scores within one: at half the epsilon of a pure mechanism."""
    here = np.array(scores[0]) / max(1.0, epsilon)  # so that every outcome has some mass
    there = here + np.array(scores[1])
    laws = softmax(epsilon / 2 * here), softmax(epsilon / 2 * there)
    mu2 = mu2_of_choice(Fraction(epsilon))
    for inside, outside in (laws, laws[::-1]):
        positives, negatives = trade_off(inside, outside)
        assert (negatives >= curve(positives, mu2) - 1e-12).all()


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 4.0])
def test_no_smaller_mu_covers_the_exponential_mechanism(epsilon: float) -> None:
    """Two candidates, one up and one down by one: the corner is on the curve."""
    laws = softmax(epsilon / 2 * np.array([1.0, 0.0])), softmax(epsilon / 2 * np.array([0.0, 1.0]))
    positives, negatives = trade_off(*laws)
    mu2 = mu2_of_choice(Fraction(epsilon))
    assert abs(negatives[1] - curve(positives, mu2)[1]) < 1e-12
    assert negatives[1] < curve(positives, mu2 * Fraction(999, 1000))[1]


@given(st.floats(0.01, 20), st.floats(-30, 30))
def test_of_all_pairs_of_one_range_the_symmetric_one_is_the_easiest(
    reach: float, at: float
) -> None:
    """h(x) = Phi^-1(1 / (1 + e^-x)): h(x + r) - h(x) is largest at x = -r / 2."""

    def h(x: float) -> float:
        return float(-math.copysign(stats.norm.ppf(1 / (1 + math.exp(abs(x)))), x))

    assert h(at + reach) - h(at) <= 2 * abs(h(reach / 2)) * (1 + 1e-9)
    assert math.isclose((2 * h(reach / 2)) ** 2, mu2_of_choice(Fraction(reach)), rel_tol=1e-9)


def test_the_signs_that_the_lemma_needs() -> None:
    """g = phi (2 Phi - 1) - z Phi (1 - Phi) > 0 and R (1 + z^2) > z on a fine grid of z > 0."""
    z = np.linspace(1e-3, 12, 20_000)
    density, below, above = stats.norm.pdf(z), stats.norm.cdf(z), stats.norm.sf(z)
    assert (density * (1 - 2 * above) - z * below * above > 0).all()
    assert (above / density * (1 + z**2) > z).all()


@given(EPSILONS, st.integers(1, 100))
def test_equal_parts_cost_no_more_than_the_whole(epsilon: Fraction, parts: int) -> None:
    """mu^2 is convex in epsilon, and 0 at 0."""
    slack = Fraction(parts + 1, MU2_GRID)
    assert parts * mu2_of_pure(epsilon / parts) <= mu2_of_pure(epsilon) + slack


@given(EPSILONS, EPSILONS)
def test_more_epsilon_is_more_mu2(one: Fraction, more: Fraction) -> None:
    """Monotone, and below 8 epsilon, which stands for it where epsilon is large."""
    assert mu2_of_pure(one) < mu2_of_pure(one + more)
    assert mu2_of_pure(one) <= 8 * one


def test_a_large_epsilon_costs_a_little_more_than_it_must() -> None:
    """No step down where the bound takes over."""
    edge = mu2_of_pure(Fraction(LARGE_EPSILON))
    assert edge < 8 * LARGE_EPSILON < edge * Fraction(101, 100)
    assert mu2_of_pure(Fraction(10**40)) == 8 * 10**40


def test_a_tiny_epsilon_costs_a_unit_of_the_grid() -> None:
    """Never nothing, and never a failure: 2 / (1 + e^epsilon) cannot be told from 1 here."""
    for epsilon in (Fraction(1, 10**30), Fraction(1, 10**60), Fraction(1, 10**400)):
        assert mu2_of_pure(epsilon) == mu2_of_choice(epsilon) == Fraction(1, MU2_GRID)
        assert epsilon_like(epsilon) == 0


@given(st.fractions(Fraction(1, 10**4), 8, max_denominator=10**6))
def test_the_epsilon_of_the_same_advantage_is_rounded_down(mu: Fraction) -> None:
    """tanh(epsilon / 2) = 2 Phi(mu / 2) - 1, to the next point of the grid."""
    epsilon = epsilon_like(mu)
    with ctx.workprec(400):
        goal = (arb(fmpq(mu.numerator, mu.denominator)) / arb(8).sqrt()).erf()

        def ahead(value: Fraction) -> arb:
            return (arb(fmpq(value.numerator, value.denominator)) / 2).tanh()

        assert ahead(epsilon) <= goal
        assert ahead(epsilon + Fraction(1, MU2_GRID)) > goal
    assert math.isclose(advantage(epsilon), 2 * stats.norm.cdf(float(mu) / 2) - 1, abs_tol=1e-12)


@given(EPSILONS, RATES)
def test_the_best_test_finds_what_randomized_response_lets_it(
    epsilon: Fraction, rate: Fraction
) -> None:
    """On the line between the corners of its trade-off curve."""
    flip = 1 / (1 + math.exp(epsilon))
    expected = 1 - np.interp(float(rate), [0, flip, 1], [1, flip, 0])
    with ctx.workprec(128):
        found = float(true_positives_interval(epsilon, rate))
    assert math.isclose(found, expected, abs_tol=1e-9)


@pytest.mark.parametrize("value", [0.5, math.nan, math.inf, 5e-324, True, "1"])
def test_what_is_not_exact_is_refused_by_type(value: Any) -> None:
    """Also 0.5 after Fraction(1, 2) was asked."""
    half = Fraction(1, 2)
    mu2_of_pure(half), mu2_of_choice(half)
    for refused in (mu2_of_pure, mu2_of_choice, epsilon_like, advantage):
        with pytest.raises(TypeError, match=r"^an? \w+ is a Fraction, not "):
            refused(value)
    with pytest.raises(TypeError, match="rate of false positives is a Fraction"):
        true_positives_interval(half, value)


@pytest.mark.parametrize("value", [Fraction(0), Fraction(-1), 0, -(10**400)])
def test_what_is_not_positive_is_refused(value: Fraction) -> None:
    """In exact words."""
    for refused in (mu2_of_pure, mu2_of_choice, advantage):
        with pytest.raises(ValueError, match=r"^an epsilon is positive$"):
            refused(value)
    with pytest.raises(ValueError, match=r"^a mu is positive$"):
        epsilon_like(value)
    with pytest.raises(ValueError, match=r"^a mu is at most 64$"):
        epsilon_like(Fraction(65))
    for rate in (Fraction(0), Fraction(1)):
        with pytest.raises(ValueError, match="false positives"):
            true_positives_interval(Fraction(1), rate)
