"""Intervals of counts that passed a threshold cover among those that did."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from privlab.accuracy.gaussian import half_width, whole_half_width
from privlab.accuracy.shown import ShownIntervals

NINETY_FIVE = Fraction(95)
SIGMA, THRESHOLD = 5, 27


def law(exact: int, sigma: float, threshold: int) -> list[tuple[int, float]]:
    """Released counts of a shown group and their chances: a rounded Gaussian cut off.

    Far enough that what is left out is below 1e-15 of the whole.
    """
    last = max(exact, threshold) + int(12 * sigma) + 40
    released = np.arange(threshold, last + 1)
    tails = stats.norm.logsf((np.append(released, last + 1) - 0.5 - exact) / sigma)
    chances = np.exp(tails[:-1] - tails[0]) - np.exp(tails[1:] - tails[0])
    return list(zip(released.tolist(), chances.tolist(), strict=True))


def coverage(intervals: ShownIntervals, exact: int) -> float:
    """P(the interval holds ``exact``, given that the group is shown), summed over the law."""
    total = 0.0
    for released, chance in law(exact, float(intervals.variance) ** 0.5, intervals.threshold):
        low, high = intervals.of(released)
        total += chance * (low <= exact <= high)
    return total


@lru_cache(maxsize=64)
def shown(variance: Fraction, threshold: int, confidence: Fraction, least: int) -> ShownIntervals:
    """Built once for many groups, as an answer does."""
    return ShownIntervals(variance, threshold, confidence, least)


@pytest.mark.parametrize("off", [-26, -22, -12, -7, -2, 0, 2, 5, 10, 40])
def test_shown_groups_are_covered_where_plain_intervals_are_not(off: int) -> None:
    """Threshold 27, sigma 5: plain ones cover 0.00 / 0.70 / 0.95 at T-12 / T-7 / T."""
    exact = THRESHOLD + off
    intervals = shown(Fraction(SIGMA**2), THRESHOLD, NINETY_FIVE, 1)
    covered = coverage(intervals, exact)
    plain = float(half_width(intervals.variance, NINETY_FIVE)) - 0.5
    naive = sum(
        chance
        for released, chance in law(exact, SIGMA, THRESHOLD)
        if abs(released - exact) <= plain
    )
    assert 0.95 <= covered <= 0.985
    if off in (-12, -7, 0):
        assert round(naive, 2) == {-12: 0.0, -7: 0.70, 0: 0.95}[off]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([Fraction(1, 16), Fraction(1, 2), Fraction(3), Fraction(30), Fraction(144)]),
    st.sampled_from([1, 3, 40, 700]),
    st.sampled_from([Fraction(20), Fraction(50), NINETY_FIVE, Fraction("99.99")]),
    st.sampled_from([0, 1]),
    st.integers(0, 1000),
)
def test_they_cover_for_every_law_threshold_and_count(
    variance: Fraction, threshold: int, confidence: Fraction, least: int, more: int
) -> None:
    """Never below the stated confidence, from the smallest count a group can have."""
    intervals = shown(variance, threshold, confidence, least)
    exact = least + more if variance > 100 else least + more % (threshold + 60)
    assert coverage(intervals, exact) >= float(confidence / 100) - 1e-11


@settings(deadline=None, max_examples=60)
@given(
    st.fractions(Fraction(1, 20), 400, max_denominator=50),
    st.integers(1, 60),
    st.sampled_from([Fraction(50), NINETY_FIVE, Fraction("99.9")]),
    st.integers(0, 80),
)
def test_the_interval_is_what_the_law_does_not_exclude(
    variance: Fraction, threshold: int, confidence: Fraction, above: int
) -> None:
    """The definition, count by count: fewer steps than the released one is away must not cover."""
    intervals = shown(variance, threshold, confidence, 1)
    released = threshold + above
    low, high = intervals.of(released)
    sigma = float(variance) ** 0.5
    for exact in range(1, released + intervals.plain + 3):
        off = abs(released - exact)
        reached = sum(
            chance for other, chance in law(exact, sigma, threshold) if abs(other - exact) < off
        )
        if abs(reached - float(confidence / 100)) > 1e-9:
            assert (reached < confidence / 100) == (low <= exact <= high)


@settings(deadline=None)
@given(
    st.fractions(Fraction(1, 20), 10**5, max_denominator=50),
    st.integers(0, 3000),
    st.integers(0, 3000),
    st.sampled_from([0, 1]),
)
def test_ends_grow_with_the_released_count_and_hold_it(
    variance: Fraction, threshold: int, above: int, least: int
) -> None:
    """In order around the released count, never further up than a plain one."""
    threshold = max(threshold, least)
    intervals = shown(variance, threshold, NINETY_FIVE, least)
    low, high = intervals.of(threshold + above)
    next_low, next_high = intervals.of(threshold + above + 1)
    assert least <= low <= threshold + above <= high <= threshold + above + intervals.plain
    assert low <= next_low
    assert high <= next_high


def test_far_above_the_threshold_they_are_plain() -> None:
    """From ``settled`` on, exactly; one group below the last that is not, no longer."""
    intervals = shown(Fraction(SIGMA**2), THRESHOLD, NINETY_FIVE, 1)
    plain = whole_half_width(Fraction(25), NINETY_FIVE)
    assert plain == intervals.plain == 10
    assert intervals.settled == 50
    for released in (50, 51, 90, 10**9):
        assert intervals.of(released) == (released - 10, released + 10)
        without = ShownIntervals(Fraction(25), THRESHOLD, NINETY_FIVE)
        without.settled = released + 1
        if released < 100:
            assert without.of(released) == (released - 10, released + 10)
    assert intervals.of(49) == (39, 59)
    assert intervals.of(48) == (39, 58)


def test_worked_examples() -> None:
    """Just above a threshold hardly anything is known downwards."""
    intervals = shown(Fraction(SIGMA**2), THRESHOLD, NINETY_FIVE, 1)
    found = {released: intervals.of(released) for released in (27, 30, 33, 40)}
    assert found == {27: (1, 36), 30: (5, 40), 33: (19, 43), 40: (31, 50)}


def test_a_threshold_far_above_the_noise_is_no_obstacle() -> None:
    """20,000 standard deviations of it."""
    intervals = ShownIntervals(Fraction(25), 100_000, NINETY_FIVE)
    assert intervals.of(100_000) == (1, 100_009)
    assert intervals.of(100_001) == (99_926, 100_010)


def test_what_was_not_shown_has_no_interval() -> None:
    """Nor has noise without variance, or a threshold that hides nothing."""
    with pytest.raises(ValueError, match="below the threshold of 27"):
        shown(Fraction(25), THRESHOLD, NINETY_FIVE, 1).of(26)
    with pytest.raises(ValueError, match="hides no count"):
        ShownIntervals(Fraction(25), 0, NINETY_FIVE)
    with pytest.raises(ValueError, match="positive"):
        ShownIntervals(Fraction(0), 27, NINETY_FIVE)
    with pytest.raises(ValueError, match="percentage"):
        ShownIntervals(Fraction(25), 27, Fraction(100))
    with pytest.raises(TypeError, match="whole number"):
        shown(Fraction(25), THRESHOLD, NINETY_FIVE, 1).of(Fraction(55, 2))  # type: ignore[arg-type]
