"""Many intervals hold together as often as stated."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privlab.accuracy.confidence import outside, simultaneous
from privlab.accuracy.laws import half_width
from privlab.accuracy.ratio import RatioIntervals
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian

CONFIDENCES = st.fractions(Fraction(1, 1000), Fraction(99_999, 1000), max_denominator=10**4)


def test_outside_is_what_is_missed() -> None:
    """Exact."""
    assert outside(Fraction(95)) == Fraction(1, 20)
    assert outside(Fraction("99.9")) == Fraction(1, 1000)


@pytest.mark.parametrize(
    "confidence",
    [Fraction(0), Fraction(100), Fraction(-5), Fraction(101), 100 - Fraction(1, 10**16)],
)
def test_what_is_no_confidence_is_refused(confidence: Fraction) -> None:
    """Certainty too."""
    with pytest.raises(ValueError, match="percentage between 0 and 100"):
        outside(confidence)


def test_a_float_is_no_confidence() -> None:
    """It has lost digits already."""
    with pytest.raises(TypeError, match="Fraction"):
        outside(95.0)  # type: ignore[arg-type]


@given(CONFIDENCES, st.integers(1, 300))
def test_independent_cells_multiply_to_the_confidence_and_hardly_more(
    confidence: Fraction, cells: int
) -> None:
    """In exact Fractions; one part in 2^90 less would not do."""
    each = simultaneous(confidence, cells) / 100

    assert each**cells >= confidence / 100
    assert (each - Fraction(1, 1 << 90)) ** cells < confidence / 100


@given(CONFIDENCES, st.integers(1, 10**7), st.integers(1, 9))
def test_what_each_interval_misses_adds_up_to_no_more_within_a_cell(
    confidence: Fraction, cells: int, sharing: int
) -> None:
    """Bonferroni within, and never worse than Bonferroni over all."""
    each = outside(simultaneous(confidence, cells, sharing))

    assert each * sharing == outside(simultaneous(confidence, cells))
    assert each * sharing * cells >= outside(confidence) - Fraction(cells, 1 << 90)


def test_ten_cells_at_ninety_five() -> None:
    """0.95^(1/10) = 0.994884; a bound that adds up would need 0.995."""
    assert round(float(simultaneous(Fraction(95), 10)), 4) == 99.4884
    assert simultaneous(Fraction(95), 1, 10) == Fraction("99.5")
    assert simultaneous(Fraction(95), 1) == 95


@given(
    st.fractions(Fraction(1, 2), 10**6, max_denominator=1000),
    CONFIDENCES,
    st.integers(1, 10**5),
)
def test_all_cells_of_a_measurement_hold_together(
    scale: Fraction, confidence: Fraction, cells: int
) -> None:
    """The exact probability of the law, to the power of the cells."""
    each = simultaneous(confidence, cells)
    for noise in (RoundedGaussian.at_most(1 / scale**2), DiscreteLaplace.at_most(1 / scale)):
        width = int(half_width(noise, each))
        if isinstance(noise, RoundedGaussian):
            missed = 2 * stats.norm.sf((width + 0.5) / float(noise.variance) ** 0.5)
        else:
            p = np.exp(-1 / float(noise.scale))
            missed = 2 * p ** (width + 1) / (1 + p)
        assert cells * np.log1p(-missed) >= np.log(float(confidence / 100)) - 1e-9


def test_means_that_share_a_noisy_count_hold_together() -> None:
    """Two means per cell over one count: 4,000 answers of 4 cells with a fixed seed.

    Below the stated confidence by four standard deviations: a false alarm once
    in 31,000 if it covered no more than stated.
    """
    draw = np.random.default_rng(21)
    cells, runs, confidence = 4, 4000, Fraction(90)
    count, totals = 60, (400, -90)
    each = simultaneous(confidence, cells, 2)
    intervals = RatioIntervals(Fraction(400), Fraction(36), each)
    held = 0
    for _ in range(runs):
        good = True
        for _ in range(cells):
            noisy = count + int(np.round(draw.normal(0, 6)))
            for total in totals:
                found = intervals.of(
                    Fraction(total + int(np.round(draw.normal(0, 20)))), Fraction(noisy)
                )
                good &= found is None or found[0] <= Fraction(total, count) <= found[1]
        held += good
    assert held / runs >= 0.9 - 4 * (0.9 * 0.1 / runs) ** 0.5


def test_numbers_of_cells_are_whole_and_positive() -> None:
    """And so many that each would have to be certain are refused."""
    for cells, sharing in ((0, 1), (1, 0), (-3, 1)):
        with pytest.raises(ValueError, match="at least 1 cell"):
            simultaneous(Fraction(95), cells, sharing)
    with pytest.raises(TypeError, match="whole number"):
        simultaneous(Fraction(95), 2.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="percentage between 0 and 100"):
        simultaneous(Fraction(95), 10**17)
