"""Rounding leaves an interval outwards, to the next point of the grid and no further."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from privlab.accounting.intervals import down, figure, interval, up

VALUES = st.fractions(-(10**12), 10**12, max_denominator=10**18)
GRIDS = st.sampled_from([1, 10, 1000, 1 << 48, 1 << 64])


@given(VALUES, GRIDS)
def test_the_next_points_of_the_grid_enclose_the_value(value: Fraction, grid: int) -> None:
    """At 300 bits the interval is so thin that nothing is given away."""
    with ctx.workprec(300):
        low, high = down(interval(value), grid), up(interval(value), grid)
    assert low <= value <= high
    assert (low * grid).denominator == (high * grid).denominator == 1
    thin = Fraction(1, 1 << 200)
    assert value - low < Fraction(1, grid) + thin
    assert high - value < Fraction(1, grid) + thin


@given(VALUES)
def test_a_wide_interval_is_left_at_its_ends(value: Fraction) -> None:
    """Not at its middle: at 20 bits the two differ."""
    with ctx.workprec(20):
        wide = interval(value) / 3 * 3
        assert down(wide, 1 << 64) <= value <= up(wide, 1 << 64)


@pytest.mark.parametrize("endless", [arb("nan"), arb("inf"), arb("-inf"), arb(0, "inf")])
def test_what_has_no_end_has_no_bound(endless: arb) -> None:
    """A refusal, not a number."""
    for leave in (down, up):
        with pytest.raises(ValueError, match="not finite"):
            leave(endless, 1)


def test_figures_hold_what_floats_cannot() -> None:
    """Neither overflow nor zero."""
    assert figure(Fraction(10**400)) == "1e+400"
    assert figure(Fraction(1, 10**400)) == "1e-400"
    assert figure(Fraction(2, 3)) == "0.666667"
    assert figure(Fraction(-1, 4)) == "-0.25"
