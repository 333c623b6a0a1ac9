"""Other accountants: published tables, Google's dp-accounting, OpenDP.

Three kinds of test.  Tables: figures of the literature, by ours where ours is
the same quantity, else by the oracle or by a formula written here.  Differential:
random mixtures of events, of which our ledger never claims less than a lower
bound of Google's privacy loss distributions.  And what zCDP would give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from dp_accounting.pld import privacy_loss_distribution as pld
from hypothesis import given, settings
from hypothesis import strategies as st
from opendp.combinators import make_zCDP_to_approxDP
from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian, make_laplace, make_noisy_max
from opendp.measures import max_divergence, zero_concentrated_divergence
from opendp.metrics import absolute_distance, l1_distance, linf_distance

from privlab.accounting.charge import charge, charge_all
from privlab.accounting.gdp import delta_of, epsilon_of, mu2_of
from privlab.terms.events import ChoiceEvent, Event, GaussianEvent, LaplaceEvent
from privlab.terms.loss import UNITS_PER_ONE, Currency
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian, RoundedLaplace

MILLIONTH = Fraction(1, 10**6)
FINE = 1e-4
DELTAS = (1e-5, 1e-6, 1e-9)


def epsilons(distribution: pld.PrivacyLossDistribution) -> list[float]:
    return [distribution.get_epsilon_for_delta(delta) for delta in DELTAS]


# Tables.

PLD_ROWS = {
    "Laplace(1)": (
        lambda: pld.from_laplace_mechanism(1.0, value_discretization_interval=FINE),
        (0.999980, 0.999998, 1.000000),
    ),
    "Laplace(10) x 100": (
        lambda: pld.from_laplace_mechanism(10.0, value_discretization_interval=FINE).self_compose(
            100
        ),
        (4.220347, 4.692667, 5.853250),
    ),
    "Gaussian(10) x 100": (
        lambda: pld.from_gaussian_mechanism(10.0, value_discretization_interval=FINE).self_compose(
            100
        ),
        (4.377178, 4.886554, 6.173935),
    ),
    "DiscreteLaplace(1/10) x 100": (
        lambda: pld.from_discrete_laplace_mechanism(
            0.1, value_discretization_interval=FINE
        ).self_compose(100),
        (4.306791, 4.774568, 5.959650),
    ),
    "DiscreteGaussian(10) x 100": (
        lambda: pld.from_discrete_gaussian_mechanism(
            10.0, value_discretization_interval=FINE
        ).self_compose(100),
        (4.377753, 4.887102, 6.174409),
    ),
}


@pytest.mark.parametrize("name", PLD_ROWS)
def test_google_finds_the_epsilons_of_our_tables(name: str) -> None:
    """To within two units of the sixth decimal."""
    made, expected = PLD_ROWS[name]
    assert epsilons(made()) == pytest.approx(expected, abs=2e-6)


def gaussian(variance: Fraction | int, squared: int = 1) -> GaussianEvent:
    return GaussianEvent(squared, RoundedGaussian.at_most(1 / Fraction(variance)))


def ours(events: Sequence[Event]) -> list[float]:
    mu2 = charge_all(events, Currency.GDP).loss.mu2
    return [epsilon_of(mu2, Fraction(delta)) for delta in DELTAS]


def test_a_hundred_gaussians_are_one() -> None:
    """Sigma 10 a hundred times, or sigma 1 once: the row of the Gaussian, not of its grid."""
    row = (4.377178, 4.886554, 6.173935)
    assert ours([gaussian(100)] * 100) == pytest.approx(row, abs=1e-6)
    assert ours([gaussian(1)]) == pytest.approx(row, abs=1e-6)


def test_a_hundred_laplaces_cost_more_than_they_must() -> None:
    """mu^2 of a pure mechanism is not tight for Laplace noise; it is never below."""
    row = PLD_ROWS["Laplace(10) x 100"][1]
    events = [LaplaceEvent(1, RoundedLaplace.at_most(Fraction(1, 10)))] * 100
    found = ours(events)
    assert all(more > exact for more, exact in zip(found, row, strict=True))
    assert found == pytest.approx((5.696124, 6.330116, 7.934956), abs=1e-6)


@pytest.mark.parametrize(
    ("sigma", "factor"), [(1, 2.141), (2, 1.246), (4, 1.060), (8, 1.0150), (16, 1.0035)]
)
def test_a_discrete_gaussian_is_not_what_a_rounded_one_is(sigma: int, factor: float) -> None:
    """Its delta is this much above the continuous one's, where that is near 10^-6.

    Between 10^-7 and 10^-5.  Why a discrete one is refused in a GDP dataset.
    """
    law = np.exp(-(np.arange(-30 * sigma, 30 * sigma + 1) ** 2) / (2 * sigma**2))
    law /= law.sum()
    inside, outside = np.append(0, law), np.append(law, 0)
    most = 0.0
    for epsilon in np.linspace(0.01, 8, 4000):
        continuous = delta_of(Fraction(1, sigma**2), Fraction(epsilon))
        if 1e-7 < continuous < 1e-5:
            discrete = np.maximum(inside - math.exp(epsilon) * outside, 0).sum()
            most = max(most, float(discrete) / continuous)
    assert most == pytest.approx(factor, abs=6e-4)


def cks_delta(rho: float, epsilon: float) -> float:
    """delta of rho-zCDP: Canonne, Kamath, Steinke 2020, arXiv:2004.00010, Corollary 13.

    ``min over a > 1 of exp((a - 1)(a rho - epsilon)) (1 - 1/a)^a / (a - 1)``, by golden
    section over log(a - 1); the logarithm is convex in a, so it has one valley.
    """

    def height(x: float) -> float:
        less = math.exp(x)
        a = 1 + less
        return less * (a * rho - epsilon) - a * math.log1p(1 / less) - x

    low, high = -40.0, 90.0
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(200):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if height(left) < height(right) else (left, high)
    return min(1.0, math.exp(height((low + high) / 2)))


def cks_epsilon(rho: float, delta: float) -> float:
    low, high = 0.0, 1000.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if cks_delta(rho, middle) <= delta else (middle, high)
    return high


def opendp_delta(rho: float, epsilon: float) -> float:
    """The same by OpenDP: a Gaussian of that rho, and its conversion."""
    noisy = make_gaussian(
        atom_domain(T="i64"), absolute_distance(T="f64"), scale=math.sqrt(0.5 / rho)
    )
    return float(make_zCDP_to_approxDP(noisy).map(1.0).delta(epsilon))


ZCDP_ROWS = [
    ("0.001", 0.1829, 0.1679),
    ("0.01", 0.6217, 0.5751),
    ("0.05", 1.4716, 1.3676),
    ("0.1", 2.1419, 1.9945),
    ("0.5", 5.2215, 4.8866),
    ("1", 7.7662, 7.2861),
]


@pytest.mark.parametrize(("rho", "by_zcdp", "by_gdp"), ZCDP_ROWS)
def test_zcdp_gives_a_larger_epsilon_for_the_same_noise(
    rho: str, by_zcdp: float, by_gdp: float
) -> None:
    """At delta 10^-6, to four digits; mu^2 = 2 rho."""
    assert cks_epsilon(float(rho), 1e-6) == pytest.approx(by_zcdp, abs=5.1e-5)
    assert epsilon_of(2 * Fraction(rho), MILLIONTH) == pytest.approx(by_gdp, abs=5.1e-5)


@pytest.mark.parametrize(
    ("rho", "epsilon", "delta"),
    [(0.05, 0.25, 8.17727531036956e-2), (5e-30, 1e-13, 2.619676329730346e-234)],
)
def test_two_computations_agree_on_the_delta_of_zcdp(
    rho: float, epsilon: float, delta: float
) -> None:
    """The formula above and OpenDP's, in figures of OpenDP's own tests."""
    assert cks_delta(rho, epsilon) == pytest.approx(delta, rel=1e-9)
    assert opendp_delta(rho, epsilon) == pytest.approx(delta, rel=1e-9)


def test_what_zcdp_would_allow_at_epsilon_one() -> None:
    """rho 0.024356 where mu^2 / 2 is 0.028014: 15.0 in 100 fewer questions."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if cks_delta(middle, 1.0) <= 1e-6 else (low, middle)
    half = float(mu2_of(Fraction(1), MILLIONTH)) / 2
    assert low == pytest.approx(0.024356, abs=5e-7)
    assert half == pytest.approx(0.028014, abs=5e-7)
    assert half / low == pytest.approx(1.150, abs=5e-4)


# Differential.

VARIANCES = st.fractions(Fraction(1, 4), 40, max_denominator=100)
EPSILONS = st.fractions(Fraction(1, 20), 2, max_denominator=100)
GAUSSIANS = st.builds(gaussian, VARIANCES, st.integers(1, 3))
LAPLACES = st.builds(
    lambda sensitivity, law, rate: LaplaceEvent(sensitivity, law.at_most(rate)),
    st.integers(1, 2),
    st.sampled_from([DiscreteLaplace, RoundedLaplace]),
    EPSILONS,
)
CHOICES = st.builds(ChoiceEvent, EPSILONS, st.integers(1, 2))
EVENTS = st.lists(st.one_of(GAUSSIANS, LAPLACES, CHOICES), min_size=1, max_size=4)
COARSE = 2e-3


def distribution(event: Event, chance: float, *, above: bool) -> pld.PrivacyLossDistribution:
    """Google's distribution of what ``event`` reveals, rounded up (above) or down.

    Of a choice: two outcomes at the ends of its range, one of them of this chance.
    """
    grid = {"pessimistic_estimate": above, "value_discretization_interval": COARSE}
    match event:
        case GaussianEvent():
            sigma = math.sqrt(event.noise.variance)
            return pld.from_gaussian_mechanism(sigma, math.sqrt(event.squared_sensitivity), **grid)
        case LaplaceEvent(noise=DiscreteLaplace()):
            rate = float(1 / event.noise.scale)
            return pld.from_discrete_laplace_mechanism(rate, event.sensitivity, **grid)
        case LaplaceEvent():
            return pld.from_laplace_mechanism(
                float(event.noise.scale), float(event.sensitivity), **grid
            )
        case ChoiceEvent():
            inside = 1 / (1 + math.exp(-float(event.epsilon)) * (1 - chance) / chance)
            lower = {0: math.log(chance), 1: math.log1p(-chance)}
            upper = {0: math.log(inside), 1: math.log1p(-inside)}
            once = pld.from_two_probability_mass_functions(lower, upper, symmetric=False, **grid)
            return once.self_compose(event.times)
    raise AssertionError(event)


def composed(events: Sequence[Event], chance: float, *, above: bool) -> pld.PrivacyLossDistribution:
    first, *rest = (distribution(event, chance, above=above) for event in events)
    for other in rest:
        first = first.compose(other)
    return first


@settings(max_examples=40, deadline=None)
@given(EVENTS, st.floats(0.05, 0.95))
def test_our_ledger_never_claims_less_than_google_can_prove(
    events: list[Event], chance: float
) -> None:
    """Mixtures of Gaussian, Laplace and exponential mechanisms: delta and epsilon."""
    mu2 = charge_all(events, Currency.GDP).loss.mu2
    least = composed(events, chance, above=False)
    for delta in (1e-3, 1e-6):
        assert epsilon_of(mu2, Fraction(delta)) >= least.get_epsilon_for_delta(delta) - 1e-9
    for epsilon in (Fraction(0), Fraction(1, 2), Fraction(2)):
        found = least.get_delta_for_epsilon(float(epsilon))
        assert delta_of(mu2, epsilon) >= found - 1e-9


@settings(max_examples=25, deadline=None)
@given(st.lists(GAUSSIANS, min_size=1, max_size=4))
def test_of_gaussians_our_ledger_claims_what_google_finds(events: list[GaussianEvent]) -> None:
    """Between Google's lower and upper bound, which a grid of 0.002 sets apart."""
    mu2 = charge_all(events, Currency.GDP).loss.mu2
    least, most = (composed(events, 0.5, above=above) for above in (False, True))
    for delta in (1e-3, 1e-6):
        exact = epsilon_of(mu2, Fraction(delta))
        low, high = (side.get_epsilon_for_delta(delta) for side in (least, most))
        assert low - 1e-9 <= exact <= high + 1e-8
        assert high - low < COARSE * len(events)


@given(st.integers(1, 10**6), st.fractions(Fraction(1, 10**4), 10, max_denominator=10**6))
def test_a_pure_dataset_claims_no_less_than_opendp(sensitivity: int, rate: Fraction) -> None:
    """Its map of the discrete Laplace mechanism rounds up in floats: at most 2^-50 of it more."""
    event = LaplaceEvent(sensitivity, DiscreteLaplace.at_most(rate / sensitivity))
    noisy = make_laplace(
        vector_domain(atom_domain(T="i64")), l1_distance(T="i64"), scale=float(event.noise.scale)
    )
    theirs = Fraction(noisy.map(sensitivity))
    cost = charge(event, Currency.PURE).loss
    assert theirs <= cost.amount * (1 + Fraction(1, 1 << 50))
    assert cost.amount <= theirs + Fraction(2, UNITS_PER_ONE)


@given(st.fractions(Fraction(1, 100), 8, max_denominator=1000))
def test_a_choice_claims_no_less_than_opendp(epsilon: Fraction) -> None:
    """Noisy max by Gumbel noise is the exponential mechanism: epsilon, and mu^2 against 2 rho."""
    scale = float(2 / epsilon)
    space = vector_domain(atom_domain(T="i64")), linf_distance(T="i64")
    pure = make_noisy_max(*space, max_divergence(), scale=scale).map(1)
    rho = make_noisy_max(*space, zero_concentrated_divergence(), scale=scale).map(1)
    event = ChoiceEvent(epsilon)
    assert float(charge(event, Currency.PURE).loss.amount) >= pure * (1 - 1e-14)
    assert float(charge(event, Currency.GDP).loss.mu2) >= 2 * rho
