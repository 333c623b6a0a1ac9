"""The exponential lies between its two whole numbers, which are close."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from privlab.accuracy.exponential import exp_minus


@given(
    st.one_of(
        st.fractions(0, 2, max_denominator=10**9),
        st.fractions(0, 3000),
        st.integers(0, 200).map(Fraction),
        st.integers(1, 200).map(lambda power: Fraction(1, 1 << power)),
    ),
    st.sampled_from([1, 7, 96, 128, 192, 1024]),
)
def test_it_is_between_two_whole_numbers_at_most_two_apart(value: Fraction, bits: int) -> None:
    """Against Arb's interval arithmetic."""
    low, high = exp_minus(value, bits)

    assert 0 <= high - low <= 2
    with ctx.workprec(bits + 4500):
        exact = (-arb(fmpq(value.numerator, value.denominator))).exp() * arb(2) ** bits
        assert arb(low) <= exact
        assert exact <= arb(high)


def test_what_is_below_the_last_bit_is_less_than_one_of_it() -> None:
    """However far out, at no cost."""
    assert exp_minus(Fraction(10) ** 40, 128) == (0, 1)


def test_a_growing_exponential_is_refused() -> None:
    """The series would not alternate."""
    with pytest.raises(ValueError, match="not positive"):
        exp_minus(Fraction(-1, 9), 64)
