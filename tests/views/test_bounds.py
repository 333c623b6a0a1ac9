"""Bounds from noisy histograms: sure of what they show, and frozen."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.accuracy.normal import tail
from privlab.query.law import law_of
from privlab.query.magnitude import MOST, magnitudes
from privlab.terms.loss import Currency
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian
from privlab.views.bounds import ALPHA, Bounds, frozen_bounds, threshold
from privlab.views.measurement import Measurement

GDP, PURE = law_of(Currency.GDP), law_of(Currency.PURE)
NOISE = RoundedGaussian.at_most(Fraction(1, 100))
SIZES = (*magnitudes(-MOST, MOST, whole=True), None)


def vector(**counts: int) -> tuple[int, ...]:
    """Counts by size, written p39 and m39; n the nulls."""
    named = {
        None if name == "n" else int(name[1:]) * (-1 if name[0] == "m" else 1): count
        for name, count in counts.items()
    }
    return tuple(named.get(size, 0) for size in SIZES)


def bounds(*measured: tuple[str, tuple[int, ...]], whole: bool = True) -> Bounds | None:
    return frozen_bounds(
        [(view, Measurement(NOISE, values)) for view, values in measured], SIZES, GDP, whole=whole
    )


def test_they_reach_from_the_lowest_to_the_highest_size_that_counts() -> None:
    assert bounds(("v", vector(m39=500, p42=500))) == Bounds(Fraction(-127), Fraction(1023), 0)
    assert bounds(("v", vector(p0=500, p33=500))) == Bounds(Fraction(0), Fraction(1), 0)
    assert bounds(("v", vector(p42=500, p43=500))) == Bounds(Fraction(512), Fraction(2047), 0)
    assert bounds(("v", vector(p43=500)), whole=False) == Bounds(Fraction(1024), Fraction(2048), 0)


def test_nulls_have_no_size_and_zero_alone_has_a_width() -> None:
    assert bounds(("v", vector(n=10_000))) is None
    assert bounds(("v", vector(p0=500))) == Bounds(Fraction(0), Fraction(1), 0)
    found = bounds(("v", vector(p0=500)), whole=False)
    assert found is not None
    assert 0 == found.low < found.high < Fraction(1, 10**9)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.dictionaries(st.sampled_from(["m50", "p0", "p40", "p60"]), st.integers(-50, 200)),
        ),
        max_size=5,
    ),
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.dictionaries(st.sampled_from(["m60", "p0", "p44", "p96"]), st.integers(-50, 900)),
        ),
        max_size=5,
    ),
)
def test_once_found_they_stay_whatever_is_measured_later(
    first: list[tuple[str, dict[str, int]]], later: list[tuple[str, dict[str, int]]]
) -> None:
    before = bounds(*((view, vector(**counts)) for view, counts in first))
    after = bounds(*((view, vector(**counts)) for view, counts in [*first, *later]))
    if before is not None:
        assert after == before
    elif after is not None:
        assert after.at >= len(first)


def test_two_coarse_ones_of_a_view_count_together_and_of_two_views_do_not() -> None:
    just_below = vector(p40=int(threshold(NOISE.precision, len(SIZES), GDP)))
    assert bounds(("v", just_below)) is None
    assert bounds(("v", just_below), ("w", just_below)) is None
    assert bounds(("v", just_below), ("w", just_below), ("v", just_below)) == Bounds(
        Fraction(128), Fraction(255), 2
    )


@pytest.mark.parametrize("cells", [2, 130, 194])
@pytest.mark.parametrize("variance", [1, 100, 10_000])
def test_the_threshold_is_passed_by_noise_as_seldom_as_it_says(cells: int, variance: int) -> None:
    least = threshold(Fraction(1, variance), cells, GDP)
    bits = 96
    _, above = tail(least - Fraction(1, 2), Fraction(variance))
    assert cells * above <= ALPHA * (1 << bits)
    _, above = tail(least * Fraction(9, 10), Fraction(variance))
    assert variance == 1 or cells * above > ALPHA * (1 << bits), "not much higher than it need be"


def test_in_a_pure_dataset_the_threshold_is_that_of_laplace_noise() -> None:
    noise = DiscreteLaplace.at_most(Fraction(1, 10))
    assert threshold(noise.precision, 130, PURE) > threshold(Fraction(1, 200), 130, GDP)
    at = threshold(noise.precision, len(SIZES), PURE)
    found = frozen_bounds(
        [("v", Measurement(noise, vector(p40=int(at) + 1)))], SIZES, PURE, whole=True
    )
    assert found == Bounds(Fraction(128), Fraction(255), 0)
