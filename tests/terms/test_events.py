"""What noise costs."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.accounting.charge import charge
from privlab.mechanisms import choose, partition
from privlab.mechanisms.entropy import KeyStream
from privlab.terms.events import (
    LEAST_CHOICE_EPSILON,
    LEAST_SELECTION_DELTA,
    MOST_CHOICE_EPSILON,
    MOST_DELTA,
    MOST_SELECTION_EPSILON,
    MOST_SELECTION_GROUPS,
    ChoiceEvent,
    GaussianEvent,
    PartitionEvent,
    ThresholdEvent,
)
from privlab.terms.loss import UNITS_PER_ONE, Currency, Delta, Loss
from privlab.terms.noise import FINE_MULTIPLIER, MAX_MULTIPLIER, MAX_SHIFT, RoundedGaussian

SCALES = st.builds(RoundedGaussian, st.integers(1, MAX_MULTIPLIER), st.integers(0, MAX_SHIFT))


def test_a_count_at_sigma_eight() -> None:
    """S = sqrt(8): mu^2 = 1 / 64 of a unit of sensitivity."""
    event = GaussianEvent(1, RoundedGaussian(1 << 31, 31))
    assert event.noise.variance == 8
    assert event.mu2 == Fraction(1, 8)
    assert Loss.charge(event.mu2) == Loss(UNITS_PER_ONE // 8)


@given(st.integers(1, 10**30), SCALES)
def test_a_charge_covers_its_loss_and_less_would_not(squared: int, noise: RoundedGaussian) -> None:
    """Rounded up to whole units."""
    event = GaussianEvent(squared, noise)
    assert Loss.charge(event.mu2).mu2 >= event.mu2 == squared / noise.variance
    assert Loss(Loss.charge(event.mu2).units - 1).mu2 < event.mu2


def test_noise_on_what_nobody_can_move_is_a_mistake() -> None:
    """A squared sensitivity of 0 would be a free release."""
    with pytest.raises(ValueError, match="at least 1"):
        GaussianEvent(0, RoundedGaussian(1, 0))


@pytest.mark.parametrize("epsilon", [LEAST_CHOICE_EPSILON, MOST_CHOICE_EPSILON], ids=str)
def test_the_choices_at_the_ends_of_the_range_can_be_drawn(epsilon: Fraction) -> None:
    """What can be charged can be drawn; beyond there is no such event."""
    event = ChoiceEvent(epsilon)
    assert charge(event, Currency.PURE).loss
    scores = np.zeros(2, np.int64)
    assert choose.choose(scores, event.epsilon, KeyStream(bytes(32))) in (0, 1)
    beyond = epsilon / 2 if epsilon < 1 else epsilon + 1
    with pytest.raises(ValueError, match=r"2\^-40"):
        ChoiceEvent(beyond)


@pytest.mark.parametrize(
    ("epsilon", "delta", "groups"),
    [
        (Fraction(MOST_SELECTION_EPSILON), Fraction(1, 100), 1),
        (Fraction(MOST_SELECTION_EPSILON * 3), LEAST_SELECTION_DELTA, 3),
        (Fraction(1), MOST_DELTA, 1),
        (Fraction(MOST_SELECTION_GROUPS), Fraction(1, 3), MOST_SELECTION_GROUPS),
    ],
)
def test_the_selections_at_the_ends_of_the_range_can_be_drawn(
    epsilon: Fraction, delta: Fraction, groups: int
) -> None:
    """And charged."""
    event = PartitionEvent(epsilon, delta, groups)
    assert charge(event, Currency.GDP).delta
    counts = np.array([0, 1 << 40], np.int64)
    assert list(partition.keep(counts, event, KeyStream(bytes(32)))) == [False, True]


@pytest.mark.parametrize(
    ("epsilon", "delta", "groups", "message"),
    [
        (Fraction(1025), Fraction(1, 100), 1, "2.10"),
        (Fraction(2049), Fraction(1, 100), 2, "2.10"),
        (Fraction(1), LEAST_SELECTION_DELTA / 2, 1, "2.-128"),
        (Fraction(1), Fraction(1, 2) - Fraction(1, 1 << 70), 1, "one half less"),
        (Fraction(1), Fraction(1, 100), MOST_SELECTION_GROUPS + 1, "2.40"),
    ],
)
def test_a_selection_that_cannot_be_drawn_or_charged_is_no_event(
    epsilon: Fraction, delta: Fraction, groups: int, message: str
) -> None:
    """So it is never charged."""
    with pytest.raises(ValueError, match=message):
        PartitionEvent(epsilon, delta, groups)


def test_a_delta_that_no_charge_covers_is_no_event_s() -> None:
    """Rounded up to units it would be one half, which is no delta."""
    noise = RoundedGaussian(1, 0)
    near = Fraction(1, 2) - Fraction(1, 1 << 70)
    with pytest.raises(ValueError, match="below one half"):
        Delta.charge(near)
    with pytest.raises(ValueError, match="one half less"):
        ThresholdEvent(noise, 1, 20, near)
    largest = charge(ThresholdEvent(noise, 1, 20, MOST_DELTA), Currency.GDP)
    assert largest.delta.delta == MOST_DELTA


@given(st.fractions(Fraction(1, 1 << 99), 1 << 58).filter(lambda p: p > 0))
def test_at_most_is_never_more_precise_and_nearly_as_precise(precision: Fraction) -> None:
    """What a price asks for, rounded to the grid of the sampler on the safe side."""
    noise = RoundedGaussian.at_most(precision)
    assert noise.precision <= precision < noise.precision * (1 + Fraction(1, 1 << 29))
    assert noise.multiplier <= FINE_MULTIPLIER or noise.shift == 0


@given(st.fractions(Fraction(1, 1 << 99), 10**40).filter(lambda p: p > 0))
def test_at_most_takes_the_next_point_of_its_grid(precision: Fraction) -> None:
    """One multiplier less would be too precise."""
    noise = RoundedGaussian.at_most(precision)
    if noise.multiplier > 1:
        assert RoundedGaussian(noise.multiplier - 1, noise.shift).precision > precision


@pytest.mark.parametrize("precision", [Fraction(0), Fraction(-1), Fraction(1, 1 << 110)])
def test_precisions_out_of_reach_are_refused(precision: Fraction) -> None:
    """None, negative, or noise that would not fit beside sums in int64."""
    with pytest.raises(ValueError, match=r"positive|out of reach"):
        RoundedGaussian.at_most(precision)


def test_the_curators_half_loads_neither_numba_nor_polars() -> None:
    """`spec` and `opendp` are imported by a process that must stay small."""
    code = (
        "import sys, privlab.terms.events, privlab.mechanisms.opendp; "
        "print([m for m in ('numba','llvmlite','polars','pyarrow','opendp.prelude') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
