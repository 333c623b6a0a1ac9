"""Tails of the normal law lie between their two whole numbers, near and far."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accuracy import normal
from privlab.accuracy.normal import BITS, compare_tails, tail

DISTANCES = st.one_of(
    st.integers(-60, 60).map(lambda half: Fraction(half, 2)),
    st.fractions(-200, 200, max_denominator=1000),
)
VARIANCES = st.one_of(
    st.fractions(Fraction(1, 4), 10**4, max_denominator=1 << 20),
    st.sampled_from([Fraction(1), Fraction(1, 36), Fraction(25), Fraction(10**12)]),
)


def exact(distance: Fraction, variance: Fraction) -> arb:
    """P(N > distance), by Arb."""
    square = distance**2 / (2 * variance)
    root = arb(fmpq(square.numerator, square.denominator)).sqrt()
    return (root if distance >= 0 else -root).erfc() / 2


@settings(deadline=None)
@given(DISTANCES, VARIANCES)
def test_a_tail_is_between_two_whole_numbers_at_most_five_apart(
    distance: Fraction, variance: Fraction
) -> None:
    """Against Arb's interval arithmetic; deep tails have fewer bits but no less truth."""
    low, high = tail(distance, variance)
    assert 0 <= high - low <= 5
    with ctx.workprec(400):
        scaled = exact(distance, variance) * arb(2) ** BITS
        assert not scaled < arb(low)
        assert not scaled > arb(high)


@settings(deadline=None)
@given(
    DISTANCES,
    st.fractions(0, 100, max_denominator=100),
    VARIANCES,
    st.fractions(Fraction(1, 10**17), 1, max_denominator=10**17),
)
def test_tails_are_compared_as_they_are(
    near: Fraction, more: Fraction, variance: Fraction, share: Fraction
) -> None:
    """Signs agree with Arb wherever both know; what is undecided is close."""
    found = compare_tails(near + more, near, variance, share)
    with ctx.workprec(2000):
        bottom = exact(near, variance)
        gap = exact(near + more, variance) / bottom - arb(fmpq(share.numerator, share.denominator))
        if found == 0:
            assert abs(gap) < arb(2) ** -80
        else:
            assert gap * found > 0


def test_equal_sides_are_undecided() -> None:
    """Half of everything is what lies above the centre."""
    far_below = Fraction(-1000)
    assert compare_tails(Fraction(0), far_below, Fraction(1), Fraction(1, 2)) == 0


def test_tails_compare_where_no_float_reaches() -> None:
    """1,000 standard deviations out the next step is a factor of e^-1000.5."""
    far, near = Fraction(1001), Fraction(1000)
    assert compare_tails(far, near, Fraction(1), Fraction(1, 10**17)) == -1
    step = Fraction(1, 1000)  # a factor of e^-1
    assert compare_tails(near + step, near, Fraction(1), Fraction(367, 1000)) == 1
    assert compare_tails(near + step, near, Fraction(1), Fraction(368, 1000)) == -1


def test_the_two_ways_of_computing_meet() -> None:
    """The sum and the continued fraction bracket the same number where one hands over."""
    square = 36 << normal._WORK
    root = math.isqrt(square << normal._WORK)
    near, far = normal._near(square, root, Fraction(36)), normal._far(root)
    assert max(near[0], far[0]) <= min(near[1], far[1])
    for low, high in (near, far):
        assert (high - low) << (BITS + 16) < 1 << normal._WORK


def test_pi_is_rounded_down() -> None:
    """To 192 bits."""
    with ctx.workprec(400):
        scaled = arb.pi() * arb(2) ** normal._WORK
        assert arb(normal._PI) < scaled
        assert scaled < arb(normal._PI + 1)


def test_the_far_tail_is_not_before_the_near_one() -> None:
    """Where the ratio would not be a ratio of tails."""
    with pytest.raises(ValueError, match="not positive"):
        compare_tails(Fraction(1), Fraction(2), Fraction(1), Fraction(1, 2))
