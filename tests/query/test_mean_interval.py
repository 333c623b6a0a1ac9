"""Fieller's interval in integers is Fieller's interval."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accuracy.ratio import fieller
from privlab.query.mean_interval import MeanIntervals

totals = st.fractions(-(10**12), 10**12, max_denominator=10**6)
counts = st.fractions(-3, 10**7, max_denominator=10**6)
variances = st.fractions(Fraction(1, 10**6), 10**12, max_denominator=10**9)


@settings(max_examples=200, deadline=None)
@given(
    total=totals,
    var_total=variances,
    count=counts,
    var_count=variances,
    confidence=st.sampled_from([Fraction(50), Fraction(95), Fraction("99.9999")]),
)
def test_a_cell_has_the_interval_of_the_law(
    total: Fraction,
    var_total: Fraction,
    count: Fraction,
    var_count: Fraction,
    confidence: Fraction,
) -> None:
    found = MeanIntervals(var_total, var_count, confidence).of(total, count)
    wanted = fieller(total, var_total, count, var_count, confidence)
    if wanted is None:
        assert found is None
        return
    assert found is not None
    slack = (wanted[1] - wanted[0] + 1) / (1 << 50)
    assert abs(found[0] - wanted[0]) <= slack
    assert abs(found[1] - wanted[1]) <= slack
    assert found[0] <= total / count <= found[1]


@pytest.mark.parametrize("count", [Fraction(0), Fraction(1, 2), Fraction(-1, 2)])
def test_a_count_that_rounding_explains_has_no_interval(count: Fraction) -> None:
    one = Fraction(1)
    assert MeanIntervals(one, one / 10**6, Fraction(95)).of(one, count) is None


def test_without_noise_only_the_rounding_is_left() -> None:
    found = MeanIntervals(Fraction(0), Fraction(0), Fraction(95)).of(Fraction(10), Fraction(10))
    assert found is not None
    assert found[0] <= Fraction(19, 21) <= Fraction(21, 19) <= found[1]
    assert found[1] - found[0] < Fraction(21, 19) - Fraction(19, 21) + Fraction(1, 1 << 50)
