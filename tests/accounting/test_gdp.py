"""Loss read as epsilon and delta, against published figures and Google's library."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from dp_accounting.pld import privacy_loss_mechanism
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from privlab.accounting.gdp import (
    EPSILON_GRID,
    MU2_GRID,
    advantage,
    delta_of,
    epsilon_of,
    epsilon_text,
    mu2_of,
    true_positives,
    within,
)

MILLIONTH = Fraction(1, 10**6)
HUNDREDTH = Fraction(1, 100)
EPSILONS = st.fractions(0, 20, max_denominator=10**6)
DELTAS = st.fractions(Fraction(1, 10**12), Fraction(99, 100), max_denominator=10**12)
LOSSES = st.fractions(Fraction(1, 10**9), 30, max_denominator=10**9)

ANALYTIC_SIGMA = {
    ("0.1", 5): 30.749566132,
    ("0.1", 6): 36.304690426,
    ("0.1", 9): 50.209818263,
    ("0.5", 5): 7.031826676,
    ("0.5", 6): 8.057618481,
    ("0.5", 9): 10.673896815,
    ("1", 5): 3.730631635,
    ("1", 6): 4.224678889,
    ("1", 9): 5.495266157,
    ("2", 5): 1.993812446,
    ("2", 6): 2.230476271,
    ("2", 9): 2.844547073,
    ("4", 5): 1.081161850,
    ("4", 6): 1.193518587,
    ("4", 9): 1.487803677,
    ("8", 5): 0.600229072,
    ("8", 6): 0.652935384,
    ("8", 9): 0.792237050,
}
"""Balle and Wang's analytic Gaussian mechanism at sensitivity 1, delta = 10^-n."""

RHO_ROW = {
    "0.001": 0.1679,
    "0.01": 0.5751,
    "0.05": 1.3676,
    "0.1": 1.9945,
    "0.5": 4.8866,
    "1": 7.2861,
}
"""epsilon at delta 10^-6 of Gaussian noise with mu^2 = 2 rho."""


@pytest.mark.parametrize(("point", "sigma"), ANALYTIC_SIGMA.items())
def test_budgets_are_those_of_the_analytic_gaussian_mechanism(
    point: tuple[str, int], sigma: float
) -> None:
    """mu = 1 / sigma, to nine digits."""
    mu2 = mu2_of(Fraction(point[0]), Fraction(1, 10 ** point[1]))
    assert math.isclose(float(mu2) ** -0.5, sigma, rel_tol=2e-9)


def test_the_budget_of_epsilon_one_at_a_millionth() -> None:
    """mu = 0.236704, mu^2 = 0.056029."""
    mu2 = mu2_of(Fraction(1), MILLIONTH)
    assert round(float(mu2) ** 0.5, 6) == 0.236704
    assert round(float(mu2), 6) == 0.056029


@pytest.mark.parametrize(("rho", "epsilon"), RHO_ROW.items())
def test_epsilons_of_gaussian_noise(rho: str, epsilon: float) -> None:
    """To four digits."""
    assert abs(epsilon_of(2 * Fraction(rho), MILLIONTH) - epsilon) < 5.1e-5


@pytest.mark.parametrize("mu2", [Fraction(1, 100), Fraction(1, 3), Fraction(2), Fraction(9)])
def test_google_finds_the_same_epsilon(mu2: Fraction) -> None:
    """dp-accounting's Gaussian mechanism, an independent implementation in floats."""
    other = privacy_loss_mechanism.GaussianPrivacyLoss(float(mu2) ** -0.5)
    epsilon = epsilon_of(mu2, MILLIONTH)
    assert math.isclose(other.get_delta_for_epsilon(epsilon), 1e-6, rel_tol=1e-6)
    assert math.isclose(delta_of(mu2, Fraction(1)), other.get_delta_for_epsilon(1.0), rel_tol=1e-9)


def test_three_gaussians_of_google_s_tests() -> None:
    """Sigma sqrt(3) thrice: mu 1, delta 0.126936 at epsilon 1, 0.38914 found at 0.1."""
    assert abs(delta_of(3 * Fraction(1, 3), Fraction(1)) - 0.126936) < 1e-6
    assert abs(true_positives(Fraction(1), Fraction(1, 10)) - 0.38914) < 1e-5


def exact_delta(mu2: Fraction, epsilon: Fraction) -> arb:
    """The curve in another form: an integral over the likelihood ratio's tail by erf."""
    at, mu = (
        arb(fmpq(epsilon.numerator, epsilon.denominator)),
        arb(fmpq(mu2.numerator, mu2.denominator)).sqrt(),
    )
    cut = at / mu - mu / 2
    upper = (1 - (cut / arb(2).sqrt()).erf()) / 2
    lower = (1 - ((cut + mu) / arb(2).sqrt()).erf()) / 2
    return upper - at.exp() * lower


@settings(deadline=None)
@given(LOSSES, DELTAS)
def test_an_epsilon_is_enough_and_the_next_smaller_is_not(mu2: Fraction, delta: Fraction) -> None:
    """Rounded up on its grid: proved sufficient, and tight."""
    epsilon = Fraction(epsilon_of(mu2, delta))
    with ctx.workprec(800):
        limit = arb(fmpq(delta.numerator, delta.denominator))
        assert exact_delta(mu2, epsilon) <= limit
        if epsilon > 0:
            assert exact_delta(mu2, epsilon - Fraction(1, EPSILON_GRID)) > limit


@settings(deadline=None)
@given(EPSILONS, DELTAS)
def test_a_budget_is_covered_and_the_next_larger_is_not(epsilon: Fraction, delta: Fraction) -> None:
    """Rounded down on its grid: proved sufficient, and tight."""
    mu2 = mu2_of(epsilon, delta)
    with ctx.workprec(800):
        limit = arb(fmpq(delta.numerator, delta.denominator))
        if mu2:
            assert exact_delta(mu2, epsilon) <= limit
        assert exact_delta(mu2 + Fraction(1, MU2_GRID), epsilon) > limit


@settings(deadline=None)
@given(EPSILONS, DELTAS)
def test_a_budget_read_back_is_no_more_than_was_asked(epsilon: Fraction, delta: Fraction) -> None:
    """epsilon -> mu^2 -> epsilon does not grow past the grid."""
    back = epsilon_of(mu2_of(epsilon, delta), delta)
    assert back <= epsilon + Fraction(1, EPSILON_GRID)


@settings(deadline=None)
@given(LOSSES, LOSSES, DELTAS)
def test_more_loss_is_more_epsilon(one: Fraction, more: Fraction, delta: Fraction) -> None:
    """Monotone."""
    assert epsilon_of(one, delta) <= epsilon_of(one + more, delta)


def test_no_loss_is_no_epsilon() -> None:
    """Zero for zero, whatever delta; and a loss that delta alone covers shows as zero."""
    assert epsilon_of(Fraction(0), Fraction(1, 10**30)) == 0.0
    assert epsilon_of(Fraction(1, 10**12), MILLIONTH) == 0.0
    assert delta_of(Fraction(0), Fraction(0)) == 0.0
    assert within(Fraction(0), Fraction(0), MILLIONTH)


@pytest.mark.parametrize(
    ("mu", "found", "ahead"),
    [("0.25", 0.019, 0.10), ("0.5", 0.034, 0.20), ("1", 0.092, 0.38), ("2", 0.37, 0.68)],
)
def test_what_an_attacker_gains(mu: str, found: float, ahead: float) -> None:
    """True positives at 1 % false ones, and the advantage, in the figures we print."""
    mu2 = Fraction(mu) ** 2
    assert abs(true_positives(mu2, HUNDREDTH) - found) < 0.005
    assert abs(advantage(mu2) - ahead) < 0.005
    assert math.isclose(
        true_positives(mu2, HUNDREDTH), stats.norm.cdf(stats.norm.ppf(0.01) + float(mu))
    )
    assert math.isclose(advantage(mu2), 2 * stats.norm.cdf(float(mu) / 2) - 1)


def test_without_loss_an_attacker_gains_nothing() -> None:
    """He guesses."""
    assert advantage(Fraction(0)) == 0.0
    assert math.isclose(true_positives(Fraction(0), HUNDREDTH), 0.01)


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1), Fraction(-1, 2), Fraction(3, 2)])
def test_deltas_are_probabilities_strictly_between(delta: Fraction) -> None:
    """Neither 0, which no Gaussian meets, nor 1, which everything does."""
    with pytest.raises(ValueError, match="delta must be"):
        epsilon_of(Fraction(1), delta)
    with pytest.raises(ValueError, match="delta must be"):
        mu2_of(Fraction(1), delta)


def test_amounts_out_of_range_are_refused() -> None:
    """Negative, or so large that no figure means anything."""
    for mu2 in (Fraction(-1), Fraction(1 << 21)):
        with pytest.raises(ValueError, match=r"mu\^2 must be"):
            epsilon_of(mu2, MILLIONTH)
    for epsilon in (Fraction(-1), Fraction(1001)):
        with pytest.raises(ValueError, match="epsilon must be"):
            mu2_of(epsilon, MILLIONTH)
    with pytest.raises(ValueError, match="not negative"):
        advantage(Fraction(-1))
    with pytest.raises(ValueError, match="not negative"):
        true_positives(Fraction(-1), HUNDREDTH)
    with pytest.raises(ValueError, match="false positives"):
        true_positives(Fraction(1), Fraction(0))
    with pytest.raises(ValueError, match="epsilon is not negative"):
        delta_of(Fraction(1), Fraction(-1))


@pytest.mark.parametrize("huge", [Fraction(10**400), Fraction(1, 3) + 10**400])
def test_amounts_that_no_float_holds_are_refused_in_the_same_words(huge: Fraction) -> None:
    """Not by an overflow on the way to the message."""
    with pytest.raises(ValueError, match=r"^mu\^2 must be in 0\.\.2\^20, got 1e\+400$"):
        epsilon_of(huge, MILLIONTH)
    with pytest.raises(ValueError, match=r"^epsilon must be in 0\.\.1000, got 1e\+400$"):
        mu2_of(huge, MILLIONTH)
    with pytest.raises(ValueError, match=r"^delta must be in \(0, 1\), got 1e\+400$"):
        mu2_of(Fraction(1), huge)


@pytest.mark.parametrize("value", [0.5, math.nan, math.inf, -0.0, 5e-324, True, "1/2", None])
def test_what_is_not_exact_is_refused_by_type(value: Any) -> None:
    """Also 0.5 after Fraction(1, 2) was asked: a cache would take one for the other."""
    half = Fraction(1, 2)
    epsilon_of(half, half), mu2_of(half, half)
    for refused in (
        lambda: epsilon_of(value, half),
        lambda: epsilon_of(half, value),
        lambda: mu2_of(value, half),
        lambda: mu2_of(half, value),
        lambda: within(value, half, half),
        lambda: within(half, value, half),
        lambda: within(half, half, value),
        lambda: delta_of(value, half),
        lambda: delta_of(half, value),
        lambda: advantage(value),
        lambda: true_positives(value, half),
        lambda: true_positives(half, value),
        lambda: epsilon_text(half, value, 2),
    ):
        with pytest.raises(TypeError, match="is a Fraction, not "):
            refused()


def test_a_delta_below_the_smallest_float_is_a_delta() -> None:
    """Fractions have no subnormals: 2^-1100 allows a budget, and less of it than 2^-1000."""
    small, smaller = Fraction(1, 1 << 1000), Fraction(1, 1 << 1100)
    assert 0 < mu2_of(Fraction(1), smaller) < mu2_of(Fraction(1), small)
    assert epsilon_of(Fraction(1), smaller) > epsilon_of(Fraction(1), small)
