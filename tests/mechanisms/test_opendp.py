"""The certifier agrees where it should and objects where it must."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opendp.measurements import make_noisy_max
from opendp.measures import zero_concentrated_divergence

from privlab.accounting.charge import charge, charge_all
from privlab.accounting.pure import mu2_of_choice, mu2_of_pure
from privlab.errors import IntegrityError
from privlab.mechanisms import opendp, partition
from privlab.mechanisms.opendp import (
    DELTA_ERROR,
    OPENDP,
    certifier,
    certify,
    is_private,
    mu2_of_range,
    opendp_loss,
)
from privlab.mechanisms.threshold import delta_of_threshold, gaussian_threshold
from privlab.terms.events import (
    ChoiceEvent,
    Event,
    FlipEvent,
    GaussianEvent,
    LaplaceEvent,
    PartitionEvent,
    ThresholdEvent,
)
from privlab.terms.loss import CERTAIN, NOTHING, Currency, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian, RoundedLaplace

GDP, PURE = Currency.GDP, Currency.PURE
EPSILONS = st.fractions(Fraction(1, 10**6), 50, max_denominator=10**6)
DELTAS = st.fractions(Fraction(1, 10**12), Fraction(1, 9), max_denominator=10**12)
"""Four of them are together below one half."""


@st.composite
def gaussians(draw: st.DrawFn) -> GaussianEvent:
    """mu^2 from 10^-9 to 100, sensitivities up to those of sums with a fine step."""
    squared = draw(st.integers(1, 10**18))
    mu2 = draw(st.fractions(Fraction(1, 10**9), 100, max_denominator=10**9))
    return GaussianEvent(squared, RoundedGaussian.at_most(mu2 / squared))


@st.composite
def laplaces(draw: st.DrawFn) -> LaplaceEvent:
    law: type[DiscreteLaplace | RoundedLaplace] = draw(
        st.sampled_from([DiscreteLaplace, RoundedLaplace])
    )
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
partitions = st.builds(
    PartitionEvent,
    st.fractions(Fraction(1, 10), 50, max_denominator=10**6),
    DELTAS,
    st.integers(1, 20),
)
gdp_events: st.SearchStrategy[Event] = st.one_of(
    gaussians(), laplaces(), choices, thresholds(), partitions
)
flips = st.builds(FlipEvent, EPSILONS, st.integers(1, 20))
pure_events: st.SearchStrategy[Event] = st.one_of(laplaces(), choices, flips)


def with_counts(event: Event) -> list[Event]:
    """The event, a threshold after the event that pays for its counts."""
    if isinstance(event, ThresholdEvent):
        return [GaussianEvent(event.groups, event.noise), event]
    return [event]


def refusal(events: list[Event], loss: Loss, delta: Delta, currency: Currency = GDP) -> str:
    """The code with which the certifier refuses them."""
    with pytest.raises(IntegrityError) as caught:
        certify(events, loss, delta, currency)
    return caught.value.code


@given(st.lists(gdp_events, max_size=4))
def test_an_honest_charge_is_certified(drawn: list[Event]) -> None:
    """What accounting charges, the certifier grants."""
    events = [event for one in drawn for event in with_counts(one)]
    honest = charge_all(events, GDP)
    certify(events, honest.loss, honest.delta, GDP)


@given(st.lists(pure_events, max_size=4))
def test_an_honest_pure_charge_is_certified(drawn: list[Event]) -> None:
    """In the other currency."""
    certify(drawn, charge_all(drawn, PURE).loss, CERTAIN, PURE)


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


@given(flips)
def test_of_a_flip_opendp_says_its_epsilon(event: FlipEvent) -> None:
    """Of the largest score with exponential noise; in gdp it has no proved loss."""
    exact = event.times * event.epsilon
    assert exact <= opendp_loss(event, PURE).amount <= exact * (1 + Fraction(1, 1 << 49))
    with pytest.raises(IntegrityError, match="FlipEvent has no proved loss in gdp"):
        opendp_loss(event, GDP)


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
    """Two units below the honest charge, and two parts in 2^48 of it, which matter above 1."""
    honest = charge(event, GDP)
    if isinstance(event, ThresholdEvent):
        return  # its counts' loss is another event
    amount = opendp_loss(event, GDP).amount
    short = honest.loss.units - 2 - int(2 * amount)
    if short >= 0:
        assert refusal([event], Loss(short), honest.delta) == "PL408"


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
def test_one_unit_short_is_too_short(event: Event) -> None:
    """Below a loss of one there is less than a unit of room; the message names both amounts."""
    honest = charge(event, GDP)
    certify([event], honest.loss, honest.delta, GDP)
    short = honest.loss.units - 1
    with pytest.raises(IntegrityError, match="nothing was charged") as caught:
        certify([event], Loss(short), honest.delta, GDP)
    assert caught.value.code == "PL408"
    assert caught.value.facts == {
        "the certifier finds": f"{short + 1} units of loss",
        "the charge is": f"{short} units of loss",
    }


@pytest.mark.parametrize(
    "event",
    [
        LaplaceEvent(1, RoundedLaplace(10, 0)),
        ChoiceEvent(Fraction(1, 7), 5),
        FlipEvent(Fraction(1, 7), 5),
    ],
    ids=str,
)
def test_one_unit_short_is_too_short_in_a_pure_dataset(event: Event) -> None:
    """An epsilon is found as a mu^2 is."""
    honest = charge(event, PURE).loss.units
    certify([event], Loss(honest), CERTAIN, PURE)
    assert refusal([event], Loss(honest - 1), CERTAIN, PURE) == "PL408"


@pytest.mark.parametrize("count", [1, 1000])
@pytest.mark.parametrize(
    ("event", "currency"),
    [
        (GaussianEvent(1, RoundedGaussian.at_most(Fraction(1, 1 << 48))), GDP),
        (GaussianEvent(1, RoundedGaussian.at_most(Fraction(1, 1 << 60))), GDP),
        (LaplaceEvent(1, DiscreteLaplace(1 << 48, 0)), PURE),
        (ChoiceEvent(Fraction(1, 1 << 40)), GDP),
    ],
    ids=str,
)
def test_nothing_is_never_the_charge_of_something(
    event: Event, currency: Currency, count: int
) -> None:
    """However little one of them costs, and however many there are."""
    assert refusal([event] * count, NOTHING, CERTAIN, currency) == "PL408"


def test_many_events_have_no_more_room_than_one() -> None:
    """Of a thousand that together cost 0.1, one unit short of the whole is too short."""
    events: list[Event] = [GaussianEvent(1, RoundedGaussian.at_most(Fraction(1, 10**4)))] * 1000
    whole = Loss.charge(1000 * events[0].mu2)  # type: ignore[union-attr]
    certify(events, whole, CERTAIN, GDP)
    assert refusal(events, Loss(whole.units - 1), CERTAIN) == "PL408"


NOISE = RoundedGaussian.at_most(Fraction(1, 100))
OTHER = RoundedGaussian.at_most(Fraction(1, 50))
FOUR = ThresholdEvent(
    NOISE, 4, gaussian_threshold(NOISE, Fraction(1, 10**6), 4), Fraction(1, 10**6)
)
ONE = ThresholdEvent(NOISE, 1, FOUR.threshold, FOUR.delta)
AMPLE = Loss(1 << 60), Delta(1 << 62)


@pytest.mark.parametrize(
    "events",
    [
        [FOUR],
        [FOUR, GaussianEvent(3, NOISE)],
        [FOUR, GaussianEvent(4, OTHER)],
        [FOUR, FOUR, GaussianEvent(4, NOISE)],
        [FOUR, FOUR, GaussianEvent(9, NOISE), GaussianEvent(1, NOISE)],
        [ONE, FOUR, GaussianEvent(4, NOISE), GaussianEvent(4, OTHER)],
    ],
    ids=[
        "no counts",
        "too few groups",
        "other noise",
        "one for two",
        "the larger for both",
        "mixed",
    ],
)
def test_a_threshold_whose_counts_nobody_pays_is_refused(events: list[Event]) -> None:
    """Each threshold has a Gaussian event of its own: its noise, and D2 at least its groups."""
    assert refusal(events, *AMPLE) == "PL408"


def test_thresholds_whose_counts_are_paid_are_certified() -> None:
    """In any order; the smaller events pay for the smaller thresholds."""
    certify([ONE, GaussianEvent(9, NOISE), FOUR, GaussianEvent(1, NOISE)], *AMPLE, GDP)


@given(thresholds())
@example(FOUR)
def test_a_threshold_s_delta_that_is_too_small_is_found(event: ThresholdEvent) -> None:
    """Beyond twice the room that OpenDP's floats are given there is none."""
    exact = delta_of_threshold(event.noise, event.threshold, event.groups)
    short = exact * (1 - 2 * DELTA_ERROR) - 2 * Fraction(event.groups + 1, 1 << 53)
    if short <= 0:
        return
    paid = with_counts(event)
    assert refusal(paid, charge_all(paid, GDP).loss, Delta.charge(short)) == "PL408"


def test_the_room_of_a_delta_is_met_on_both_sides() -> None:
    """At a delta of which OpenDP's own error is known: half the room is granted, twice is not."""
    paid = with_counts(FOUR)
    loss = charge_all(paid, GDP).loss
    exact = delta_of_threshold(FOUR.noise, FOUR.threshold, FOUR.groups)
    certify(paid, loss, Delta.charge(exact), GDP)
    assert refusal(paid, loss, Delta.budget(exact * (1 - 2 * DELTA_ERROR))) == "PL408"


@pytest.mark.parametrize("short", [1, 2])
@pytest.mark.parametrize("count", [1, 3])
def test_a_partition_s_delta_has_no_room(count: int, short: int) -> None:
    """A unit of 2^-64 short, or two, is too short: nothing of it is a float."""
    event = PartitionEvent(Fraction(1), Fraction(1, 1 << 30), 4)
    events: list[Event] = [event] * count
    honest = charge_all(events, GDP)
    certify(events, honest.loss, honest.delta, GDP)
    assert refusal(events, honest.loss, Delta(honest.delta.units - short)) == "PL408"


TABLE = partition.table(Fraction(1, 2), Fraction(1, 50))


def test_a_partition_s_table_is_judged_entry_by_entry() -> None:
    """As it is it is private; with one entry a little larger, smaller or first above zero it is not."""
    assert is_private(TABLE, Fraction(1, 2), Fraction(1, 50))
    for at in range(1, len(TABLE)):
        raised = (*TABLE[:at], TABLE[at] + 2, *TABLE[at + 1 :])
        assert not is_private(raised, Fraction(1, 2), Fraction(1, 50))
    assert not is_private((1, *TABLE[1:]), Fraction(1, 2), Fraction(1, 50))
    assert not is_private(TABLE[:-1], Fraction(1, 2), Fraction(1, 50))
    assert not is_private(TABLE, Fraction(499, 1000), Fraction(1, 50))
    assert not is_private(TABLE, Fraction(1, 2), Fraction(499, 25000))


@pytest.mark.parametrize("what", ["selection", "delta_per_group"])
def test_a_partition_that_is_drawn_from_another_table_is_refused(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One entry too large, or parts of delta that compose to more than the whole."""
    event = PartitionEvent(Fraction(1), Fraction(1, 100), 2)
    entries = partition.selection(event)
    wrong = {
        "selection": lambda _: (*entries[:2], entries[2] + 2, *entries[3:]),
        "delta_per_group": lambda delta, groups: delta / groups * Fraction(101, 100),
    }
    monkeypatch.setattr(opendp, what, wrong[what])
    assert refusal([event], *AMPLE) == "PL408"


@pytest.mark.parametrize(
    ("epsilon", "delta"),
    [(Fraction(1, 10**6), Fraction(1, 10**9)), (Fraction(1, 12000), Fraction(1, 1 << 60))],
)
def test_a_partition_that_cannot_be_drawn_is_refused_before_the_charge(
    epsilon: Fraction, delta: Fraction
) -> None:
    """Its table would have more than 2^18 entries."""
    event = PartitionEvent(epsilon, delta, 1)
    with pytest.raises(ValueError, match="2\\^18"):
        partition.selection(event)
    honest = charge(event, GDP)
    with pytest.raises(IntegrityError) as caught:
        certify([event], honest.loss, honest.delta, GDP)
    assert caught.value.code == "PL408"
    assert "too long" in caught.value.facts["the certifier finds"]


def test_only_what_opendp_was_asked_about_is_in_its_name() -> None:
    """A release that selected groups says who checked that."""
    assert certifier([]) == certifier(with_counts(FOUR)) == OPENDP
    selected = certifier([GaussianEvent(1, NOISE), PartitionEvent(Fraction(1), FOUR.delta, 1)])
    assert selected == f"{OPENDP}; privlab's own check of which groups exist"


def test_a_pure_choice_is_asked_about_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenDP draws Gumbel noise for zCDP, the exponential mechanism; for pure DP it does not."""
    asked: list[object] = []

    def noisy_max(domain: Any, metric: Any, measure: Any, scale: float) -> Any:
        asked.append(measure)
        return make_noisy_max(domain, metric, measure, scale=scale)

    monkeypatch.setattr(opendp, "make_noisy_max", noisy_max)
    for currency in Currency:
        opendp_loss(ChoiceEvent(Fraction(1, 3), 2), currency)
    assert asked == [zero_concentrated_divergence()] * 2


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
    certify([], NOTHING, CERTAIN, GDP)


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
