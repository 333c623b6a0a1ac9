"""Intervals in and out of Arb."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from privlab.mechanisms.intervals import interval, least, most


@given(st.fractions(), st.integers(20, 200))
def test_an_interval_holds_its_number(value: Fraction, bits: int) -> None:
    """Its ends are around it, and close."""
    with ctx.workprec(bits):
        around = interval(value)
        assert least(around) <= value <= most(around)
        assert most(around) - least(around) <= abs(value) / (1 << (bits - 4))


@given(st.integers(-(10**30), 10**30), st.integers(0, 90))
def test_ends_are_exact(number: int, scale: int) -> None:
    """What a short binary fraction goes in as, it comes out as."""
    value = Fraction(number, 1 << scale)
    with ctx.workprec(128):
        assert least(interval(value)) == value == most(interval(value))


def test_an_end_that_is_not_finite_is_none() -> None:
    """As of the logarithm of zero."""
    with pytest.raises(ValueError, match="not finite"):
        least(arb(0).log())
