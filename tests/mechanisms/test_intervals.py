"""Intervals in and out of Arb."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from privlab.mechanisms.intervals import down, interval, up


@given(st.fractions(), st.integers(20, 200))
def test_an_interval_holds_its_number(value: Fraction, bits: int) -> None:
    """Its ends are around it, and close."""
    with ctx.workprec(bits):
        around = interval(value)
        assert down(around, bits) <= value <= up(around, bits)
        assert up(around, bits) - down(around, bits) <= (4 * abs(value) + 1) / (1 << (bits - 4))


@given(st.integers(-(10**30), 10**30), st.integers(0, 90))
def test_what_is_on_the_grid_stays(number: int, scale: int) -> None:
    """A short binary fraction comes out as it went in."""
    value = Fraction(number, 1 << scale)
    with ctx.workprec(128):
        assert down(interval(value), 90) == value == up(interval(value), 90)


@given(st.fractions(), st.integers(0, 60))
def test_what_is_not_on_the_grid_goes_to_its_side(value: Fraction, bits: int) -> None:
    """One step of the grid apart, with the number between."""
    with ctx.workprec(1000):
        low, high = down(interval(value), bits), up(interval(value), bits)
    assert low <= value <= high
    assert high - low in (0, Fraction(1, 1 << bits))


def test_a_number_below_every_grid_is_zero_or_one_step() -> None:
    """Also where its exponent has thirty digits."""
    with ctx.workprec(300):
        tiny = (-(arb(10) ** 30)).exp()
        assert down(tiny, 100) == 0
        assert up(tiny, 100) == Fraction(1, 1 << 100)


def test_an_end_that_is_not_finite_is_none() -> None:
    """As of the logarithm of zero."""
    with pytest.raises(ValueError, match="not finite"):
        down(arb(0).log(), 10)
    with pytest.raises(ValueError, match="not finite"):
        up(arb(0).log(), 10)
