"""What each event costs in each currency, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from privlab.accounting.charge import FREE, Charge, charge, charge_all
from privlab.errors import IntegrityError
from privlab.terms.events import (
    ChoiceEvent,
    Event,
    FlipEvent,
    GaussianEvent,
    LaplaceEvent,
    PartitionEvent,
    ThresholdEvent,
)
from privlab.terms.loss import CERTAIN, NOTHING, UNITS_PER_ONE, Currency, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian, RoundedLaplace

EPSILONS = st.fractions(Fraction(1, 10**9), 20, max_denominator=10**9)
RATES = st.fractions(Fraction(1, 10**9), 100, max_denominator=10**9)
DELTAS = st.fractions(Fraction(1, 10**20), Fraction(49, 100), max_denominator=10**20)
LAPLACES = st.sampled_from([DiscreteLaplace, RoundedLaplace])

GAUSSIAN = GaussianEvent(3, RoundedGaussian.at_most(Fraction(1, 7)))
LAPLACE = LaplaceEvent(2, DiscreteLaplace.at_most(Fraction(1, 3)))
CHOICE = ChoiceEvent(Fraction(1, 2), 3)
THRESHOLD = ThresholdEvent(GAUSSIAN.noise, 2, 40, Fraction(1, 10**7))
PARTITION = PartitionEvent(Fraction(1), Fraction(1, 10**6), 4)


def least_units(epsilon: Fraction, times: int = 1) -> int:
    """``times * (2 Phi^-1(e^epsilon / (1 + e^epsilon)))^2`` in units, another way, at 600 bits.

    By erfinv of tanh, where the package uses erfcinv.
    """
    with ctx.workprec(600):
        half = arb(fmpq(epsilon.numerator, epsilon.denominator)) / 2
        exact = times * 8 * half.tanh().erfinv() ** 2 * UNITS_PER_ONE
        return int(exact.ceil().unique_fmpz())


@given(st.integers(1, 10**18), RATES)
def test_a_gaussian_costs_exactly_its_mu2(squared: int, precision: Fraction) -> None:
    """Rounded up by less than one unit."""
    event = GaussianEvent(squared, RoundedGaussian.at_most(precision))
    cost = charge(event, Currency.GDP)
    assert cost.delta == CERTAIN
    assert event.mu2 <= cost.loss.amount < event.mu2 + Fraction(1, UNITS_PER_ONE)


@given(st.integers(1, 10**6), RATES, LAPLACES)
def test_laplace_noise_costs_exactly_its_epsilon_in_a_pure_dataset(
    sensitivity: int, rate: Fraction, law: type[DiscreteLaplace]
) -> None:
    """Rounded up by less than one unit."""
    event = LaplaceEvent(sensitivity, law.at_most(rate))
    cost = charge(event, Currency.PURE)
    assert cost.delta == CERTAIN
    assert event.epsilon <= cost.loss.amount < event.epsilon + Fraction(1, UNITS_PER_ONE)


@given(EPSILONS, LAPLACES)
def test_laplace_noise_costs_the_mu2_of_its_epsilon_in_a_gdp_dataset(
    epsilon: Fraction, law: type[DiscreteLaplace]
) -> None:
    """Never less, and at most one unit more."""
    event = LaplaceEvent(1, law.at_most(epsilon))
    cost = charge(event, Currency.GDP)
    assert 0 <= cost.loss.units - least_units(event.epsilon) <= 1
    assert cost.delta == CERTAIN


@given(EPSILONS, st.integers(1, 50))
def test_a_choice_costs_half_its_epsilon_s_mu2_in_each_group(epsilon: Fraction, times: int) -> None:
    """Bounded range; in a pure dataset epsilons of the groups add."""
    event = ChoiceEvent(epsilon, times)
    assert 0 <= charge(event, Currency.GDP).loss.units - least_units(epsilon / 2, times) <= 1
    assert charge(event, Currency.PURE) == Charge(Loss.charge(times * epsilon))


@given(EPSILONS, st.integers(1, 50))
def test_a_flip_costs_its_epsilon_in_each_group_of_a_pure_dataset(
    epsilon: Fraction, times: int
) -> None:
    """It has no range of epsilon, so in gdp it would cost more than a choice: not sold there."""
    event = FlipEvent(epsilon, times)
    assert charge(event, Currency.PURE) == Charge(Loss.charge(times * epsilon))
    with pytest.raises(IntegrityError, match="FlipEvent has no proved loss in gdp"):
        charge(event, Currency.GDP)


@given(DELTAS)
def test_a_threshold_costs_delta_and_nothing_else(delta: Fraction) -> None:
    """Rounded up to 2^-64; its counts are paid by their own Gaussian event."""
    event = ThresholdEvent(RoundedGaussian.at_most(Fraction(1)), 1, 10, delta)
    cost = charge(event, Currency.GDP)
    assert cost.loss == NOTHING
    assert delta <= cost.delta.delta < delta + Fraction(1, 1 << 64)


@given(EPSILONS, DELTAS, st.integers(1, 100))
def test_a_partition_selection_costs_its_parts_and_its_delta(
    epsilon: Fraction, delta: Fraction, groups: int
) -> None:
    """Never more than the whole epsilon at once would cost, and far less for many groups."""
    cost = charge(PartitionEvent(epsilon, delta, groups), Currency.GDP)
    assert 0 <= cost.loss.units - least_units(epsilon / groups, groups) <= 1
    assert cost.loss.units <= least_units(epsilon) + 1
    assert cost.delta == Delta.charge(delta)


@pytest.mark.parametrize(
    ("epsilon", "half_mu2"),
    [("0.1", "0.00785117"), ("0.5", "0.194621"), ("1", "0.758956"), ("2", "2.77999")],
)
def test_mu2_of_pure_mechanisms_to_the_digits_we_quote(epsilon: str, half_mu2: str) -> None:
    """mu^2 / 2 of a Laplace mechanism; a choice costs that of half its epsilon."""
    laplace = charge(LaplaceEvent(1, RoundedLaplace.at_most(Fraction(epsilon))), Currency.GDP)
    choice = charge(ChoiceEvent(2 * Fraction(epsilon)), Currency.GDP)
    digits = len(half_mu2.split(".")[1])
    for cost in (laplace, choice):
        assert abs(cost.loss.mu2 / 2 - Fraction(half_mu2)) <= Fraction(51, 10 ** (digits + 2))


@pytest.mark.parametrize("event", [GAUSSIAN, THRESHOLD, PARTITION], ids=lambda e: type(e).__name__)
def test_what_is_not_pure_is_refused_in_a_pure_dataset(event: Event) -> None:
    """No finite epsilon covers it."""
    with pytest.raises(IntegrityError, match="no proved loss in pure") as caught:
        charge(event, Currency.PURE)
    assert caught.value.code == "PL410"
    assert type(event).__name__ in str(caught.value)


@dataclass(frozen=True)
class DiscreteGaussian:
    """Noise on the integers that has a precision and is not GDP at it."""

    precision: Fraction = Fraction(1, 4)
    scale: Fraction = Fraction(2)


@dataclass(frozen=True)
class DiscreteGaussianEvent:
    """An event of no class we know, with everything a Gaussian one has."""

    squared_sensitivity: int = 1
    noise: DiscreteGaussian = DiscreteGaussian()
    mu2: Fraction = Fraction(1, 4)
    epsilon: Fraction = Fraction(1, 4)


class FinerEvent(GaussianEvent):
    """A subclass, which may mean anything."""


UNKNOWN: list[Any] = [
    DiscreteGaussianEvent(),
    GaussianEvent(1, DiscreteGaussian()),  # type: ignore[arg-type]
    GaussianEvent(1, DiscreteLaplace.at_most(Fraction(1))),  # type: ignore[arg-type]
    LaplaceEvent(1, DiscreteGaussian()),  # type: ignore[arg-type]
    LaplaceEvent(1, RoundedGaussian.at_most(Fraction(1))),  # type: ignore[arg-type]
    ThresholdEvent(DiscreteGaussian(), 1, 10, Fraction(1, 100)),  # type: ignore[arg-type]
    FinerEvent(1, RoundedGaussian.at_most(Fraction(1))),
    None,
    Fraction(1, 4),
]


@pytest.mark.parametrize("currency", [*Currency, "zcdp"])
@pytest.mark.parametrize("event", UNKNOWN, ids=repr)
def test_an_unknown_mechanism_or_law_is_refused_in_every_currency(
    event: Any, currency: Any
) -> None:
    """A discrete Gaussian has a variance too; its loss is not what ours would say."""
    with pytest.raises(IntegrityError, match="no proved loss") as caught:
        charge(event, currency)
    assert caught.value.code == "PL410"


def test_charges_of_several_events_add() -> None:
    """Each rounded up by itself; none at all is free."""
    events = [GAUSSIAN, LAPLACE, CHOICE, THRESHOLD, PARTITION]
    total = charge_all(events, Currency.GDP)
    parts = [charge(event, Currency.GDP) for event in events]
    assert total.loss.units == sum(part.loss.units for part in parts)
    assert total.delta.units == sum(part.delta.units for part in parts)
    assert charge_all([], Currency.PURE) == FREE
    with pytest.raises(IntegrityError):
        charge_all([LAPLACE, GAUSSIAN], Currency.PURE)


def test_an_epsilon_out_of_all_proportion_still_has_a_charge() -> None:
    """The filter refuses it for its size; charging does not fail over it."""
    event = LaplaceEvent(10**30, DiscreteLaplace.at_most(Fraction(1)))
    assert charge(event, Currency.PURE).loss.amount == 10**30
    assert charge(event, Currency.GDP).loss.amount == 8 * 10**30
