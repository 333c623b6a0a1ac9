"""The certifier agrees where it should and objects where it must."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.accounting.charge import charge, charge_all
from privlab.accounting.pure import mu2_of_choice, mu2_of_pure
from privlab.errors import IntegrityError
from privlab.mechanisms.opendp import certify, mu2_of_range, opendp_loss
from privlab.mechanisms.threshold import delta_of_threshold, gaussian_threshold
from privlab.terms.events import (
    ChoiceEvent,
    Event,
    GaussianEvent,
    LaplaceEvent,
    PartitionEvent,
    ThresholdEvent,
)
from privlab.terms.loss import CERTAIN, NOTHING, Currency, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian, RoundedLaplace

GDP, PURE = Currency.GDP, Currency.PURE
EPSILONS = st.fractions(Fraction(1, 10**6), 50, max_denominator=10**6)
DELTAS = st.fractions(Fraction(1, 10**12), Fraction(1, 3), max_denominator=10**12)


@st.composite
def gaussians(draw: st.DrawFn) -> GaussianEvent:
    """mu^2 from 10^-9 to 100, sensitivities up to those of sums with a fine step."""
    squared = draw(st.integers(1, 10**18))
    mu2 = draw(st.fractions(Fraction(1, 10**9), 100, max_denominator=10**9))
    return GaussianEvent(squared, RoundedGaussian.at_most(mu2 / squared))


@st.composite
def laplaces(draw: st.DrawFn) -> LaplaceEvent:
    law = draw(st.sampled_from([DiscreteLaplace, RoundedLaplace]))
    sensitivity = draw(st.integers(1, 10**7))
    return LaplaceEvent(sensitivity, law.at_most(draw(EPSILONS) / sensitivity))


@st.composite
def thresholds(draw: st.DrawFn) -> ThresholdEvent:
    """With the delta that the threshold costs, or the larger one that it was asked for."""
    noise = RoundedGaussian.at_most(1 / draw(st.fractions(Fraction(1, 100), 10**9)))
    groups, delta = draw(st.integers(1, 1000)), draw(DELTAS)
    threshold = gaussian_threshold(noise, delta, groups)
    exact = delta_of_threshold(noise, threshold, groups)
    return ThresholdEvent(noise, groups, threshold, draw(st.sampled_from([delta, exact])))


choices = st.builds(ChoiceEvent, EPSILONS, st.integers(1, 20))
partitions = st.builds(PartitionEvent, EPSILONS, DELTAS, st.integers(1, 20))
gdp_events: st.SearchStrategy[Event] = st.one_of(
    gaussians(), laplaces(), choices, thresholds(), partitions
)
pure_events: st.SearchStrategy[Event] = st.one_of(laplaces(), choices)


@given(st.lists(gdp_events, max_size=4))
def test_an_honest_charge_is_certified(drawn: list[Event]) -> None:
    """What accounting charges, OpenDP grants; and of all but partitions it has an opinion."""
    honest = charge_all(drawn, GDP)
    unknown = certify(drawn, honest.loss, honest.delta, GDP)
    assert list(unknown) == [event for event in drawn if isinstance(event, PartitionEvent)]


@given(st.lists(pure_events, max_size=4))
def test_an_honest_pure_charge_is_certified(drawn: list[Event]) -> None:
    """In the other currency."""
    assert certify(drawn, charge_all(drawn, PURE).loss, CERTAIN, PURE) == ()


@given(st.lists(gaussians(), min_size=1, max_size=4))
def test_a_sum_that_is_rounded_once_is_certified(drawn: list[GaussianEvent]) -> None:
    """As when parts of one price are added before they are rounded."""
    mu2 = sum((event.mu2 for event in drawn), Fraction(0))
    certify(drawn, Loss.charge(mu2), CERTAIN, GDP)


@given(gaussians())
def test_opendp_never_says_less_than_the_exact_loss(event: GaussianEvent) -> None:
    """Its floats are rounded up, so its word is worth having; and it is close."""
    found = opendp_loss(event, GDP).amount
    assert event.mu2 <= found <= event.mu2 * (1 + Fraction(1, 1 << 49))


@given(st.one_of(laplaces(), choices))
def test_opendp_never_says_less_than_the_exact_epsilon(event: LaplaceEvent | ChoiceEvent) -> None:
    """Nor more than a few roundings above it; and the mu^2 of it follows."""
    exact = event.epsilon * (event.times if isinstance(event, ChoiceEvent) else 1)
    assert exact <= opendp_loss(event, PURE).amount <= exact * (1 + Fraction(1, 1 << 49))
    one = (
        event.times * mu2_of_choice(event.epsilon)
        if isinstance(event, ChoiceEvent)
        else mu2_of_pure(event.epsilon)
    )
    found = opendp_loss(event, GDP).amount
    grid = 20 * Fraction(1, 1 << 64)  # what the charge is rounded up by
    assert one - grid <= found <= one * (1 + Fraction(1, 1 << 48)) + grid


@given(thresholds())
def test_opendp_never_says_less_than_the_exact_delta(event: ThresholdEvent) -> None:
    """It exceeds it by no more than the room that it is given."""
    exact = delta_of_threshold(event.noise, event.threshold, event.groups)
    found = opendp_loss(event, GDP)
    assert found.amount == 0
    assert exact - Fraction(1, 1 << 200) <= found.delta
    assert found.delta - found.delta_room <= exact


@given(gdp_events)
def test_a_charge_that_is_too_small_is_found(event: Event) -> None:
    """Two units of loss below the honest charge of an event below 1, or a part in 10^6."""
    honest = charge(event, GDP)
    if not honest.loss:
        return
    amount = opendp_loss(event, GDP).amount
    short = honest.loss.units - max(2, -(-amount // 1) + 1, honest.loss.units // 10**6)
    if short < 0:
        return
    with pytest.raises(IntegrityError) as caught:
        certify([event], Loss(short), honest.delta, GDP)
    assert caught.value.code == "PL408"


@pytest.mark.parametrize(
    "event",
    [
        GaussianEvent(1, RoundedGaussian.at_most(Fraction(1, 100))),
        LaplaceEvent(1, DiscreteLaplace(10, 0)),
        LaplaceEvent(3, RoundedLaplace(1000, 3)),
        ChoiceEvent(Fraction(1, 10), 3),
        PartitionEvent(Fraction(1, 2), Fraction(1, 1000), 4),
    ],
    ids=str,
)
def test_two_units_short_is_too_short(event: Event) -> None:
    """One unit is what floats may err by; the message names both amounts."""
    found = opendp_loss(event, GDP).amount
    least = -(-found * (1 << 48) // 1) - 1
    delta = charge(event, GDP).delta
    certify([event], Loss(least), delta, GDP)
    with pytest.raises(IntegrityError, match="nothing was charged") as caught:
        certify([event], Loss(least - 1), delta, GDP)
    assert caught.value.code == "PL408"
    assert caught.value.facts == {
        "OpenDP finds": f"{least + 1} units of loss",
        "the charge is": f"{least - 1} units of loss",
    }


@pytest.mark.parametrize(
    "event", [LaplaceEvent(1, RoundedLaplace(10, 0)), ChoiceEvent(Fraction(1, 7), 5)], ids=str
)
def test_two_units_short_is_too_short_in_a_pure_dataset(event: Event) -> None:
    """An epsilon is found as a mu^2 is."""
    honest = charge(event, PURE).loss.units
    certify([event], Loss(honest - 1), CERTAIN, PURE)
    with pytest.raises(IntegrityError) as caught:
        certify([event], Loss(honest - 2), CERTAIN, PURE)
    assert caught.value.code == "PL408"


@given(st.one_of(thresholds(), partitions))
def test_a_delta_that_is_too_small_is_found(event: ThresholdEvent | PartitionEvent) -> None:
    """A part in a thousand less than what can go wrong, where OpenDP's floats can tell."""
    honest = charge(event, GDP)
    exact = (
        delta_of_threshold(event.noise, event.threshold, event.groups)
        if isinstance(event, ThresholdEvent)
        else event.delta
    )
    if exact < Fraction(event.groups, 10**9):
        return
    with pytest.raises(IntegrityError) as caught:
        certify([event], honest.loss, Delta.charge(exact * Fraction(999, 1000)), GDP)
    assert caught.value.code == "PL408"
    assert caught.value.facts["the charge is"].endswith("units of delta")


@pytest.mark.parametrize(
    "event",
    [
        GaussianEvent(1, RoundedGaussian(1, 0)),
        ThresholdEvent(RoundedGaussian(1, 0), 1, 20, Fraction(1, 10)),
        PartitionEvent(Fraction(1), Fraction(1, 10), 1),
    ],
    ids=str,
)
def test_what_is_not_pure_is_refused_in_a_pure_dataset(event: Event) -> None:
    """However large the charge is."""
    with pytest.raises(IntegrityError) as caught:
        certify([event], Loss(1 << 100), Delta(1 << 62), PURE)
    assert caught.value.code == "PL410"


class DiscreteGaussian(RoundedGaussian):
    """Looks like a law of ours, has a variance, and is not mu-GDP."""


def test_noise_of_another_law_is_refused() -> None:
    """By exact class, however like ours it is."""
    for event in (
        GaussianEvent(1, DiscreteGaussian(1 << 20, 0)),
        LaplaceEvent(1, RoundedGaussian(1 << 20, 0)),  # type: ignore[arg-type]
    ):
        with pytest.raises(IntegrityError) as caught:
            certify([event], Loss(1 << 60), CERTAIN, GDP)
        assert caught.value.code == "PL410"


def test_no_event_needs_no_charge() -> None:
    """An answer made of views held costs nothing."""
    assert certify([], NOTHING, CERTAIN, GDP) == ()


@pytest.mark.parametrize(
    "event",
    [
        GaussianEvent(1 << 2046, RoundedGaussian(1, 62)),
        LaplaceEvent(1 << 1100, DiscreteLaplace(1, 0)),
        ThresholdEvent(RoundedGaussian(1, 0), 1 << 40, 20, Fraction(1, 10)),
    ],
    ids=["gaussian", "laplace", "threshold"],
)
def test_what_opendp_cannot_express_is_not_certified(event: Event) -> None:
    """A distance beyond every float, more groups than it can count."""
    with pytest.raises(IntegrityError) as caught:
        certify([event], Loss(1 << 4000), Delta(1 << 62), GDP)
    assert caught.value.code == "PL408"


def test_a_small_epsilon_costs_more_than_half_again_what_zcdp_says() -> None:
    """mu^2 of a range r is pi / 2 times 2 rho = r^2 / 4, for small r."""
    small = Fraction(1, 10**6)
    ratio = mu2_of_range(small) / (small**2 / 4)
    assert Fraction("1.57079632679") < ratio < Fraction("1.57079632680")


LOADED = """
import sys
import privlab.mechanisms.opendp
print([name for name in ("polars", "numba", "opendp.prelude") if name in sys.modules])
"""


def test_neither_polars_nor_numba_nor_the_prelude_is_loaded() -> None:
    """The curator imports the certifier, and has none of them."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
