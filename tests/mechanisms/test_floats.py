"""Floats beside exact numbers."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.mechanisms.floats import float_down, float_up, sqrt_down, sqrt_up


@given(st.fractions(min_value=-(10**40), max_value=10**40))
def test_numbers_are_rounded_to_the_stated_side(value: Fraction) -> None:
    """The nearest floats around it, or itself twice."""
    down, up = float_down(value), float_up(value)
    assert Fraction(down) <= value <= Fraction(up)
    assert up in (down, math.nextafter(down, math.inf))


@given(st.fractions(min_value=0, max_value=10**40).filter(lambda f: f > 0))
def test_roots_are_rounded_to_the_stated_side(square: Fraction) -> None:
    """Next floats up and down."""
    down, up = sqrt_down(square), sqrt_up(square)
    assert Fraction(down) ** 2 <= square <= Fraction(up) ** 2
    assert up - down <= up * 2**-51


def test_what_no_float_holds_is_an_overflow() -> None:
    """Not infinity."""
    with pytest.raises(OverflowError):
        float_up(Fraction(1 << 2000))
