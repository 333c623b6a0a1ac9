"""Half-widths cover as they say, and precisions reach them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from opendp.accuracy import discrete_gaussian_scale_to_accuracy
from scipy import stats

from privlab.accuracy.gaussian import half_width, precision_for, sqrt_up, whole_half_width, z
from privlab.terms.noise import RoundedGaussian

CONFIDENCES = st.fractions(Fraction(1, 1000), Fraction(99_999, 1000), max_denominator=10**4)
VARIANCES = st.fractions(Fraction(1, 10**6), 10**12, max_denominator=10**6)


@given(CONFIDENCES)
def test_z_is_the_normal_quantile_rounded_up(confidence: Fraction) -> None:
    """On a grid of 2^-40."""
    exact = stats.norm.isf(float((100 - confidence) / 200))
    assert -1e-13 < float(z(confidence)) - exact < 2**-40 + 1e-12


def test_z_at_the_usual_confidences() -> None:
    """1.959964 and its neighbours."""
    figures = {"50": 0.674490, "90": 1.644854, "95": 1.959964, "99": 2.575829, "99.9": 3.290527}
    for confidence, figure in figures.items():
        assert round(float(z(Fraction(confidence))), 6) == figure


def test_z_far_out() -> None:
    """The fixed point has bits enough for its cancellation."""
    assert math.isclose(
        float(z(Fraction(10**17 - 100, 10**15))), stats.norm.isf(5e-16), rel_tol=1e-9
    )


def exact_coverage(variance: Fraction, width: Fraction) -> float:
    """P(|round(N)| <= width) for one measurement: its values are whole."""
    reach = math.floor(width) + 0.5
    return float(stats.norm.cdf(reach / math.sqrt(variance)) * 2 - 1)


@given(VARIANCES, CONFIDENCES)
def test_a_single_measurement_is_covered(variance: Fraction, confidence: Fraction) -> None:
    """Exactly computed, at every scale, small ones too."""
    width = half_width(variance, confidence)
    assert exact_coverage(variance, width) >= float(confidence) / 100 - 1e-12


@given(VARIANCES, CONFIDENCES)
def test_no_smaller_whole_number_would_do(variance: Fraction, confidence: Fraction) -> None:
    """The half step for rounding is not slack: one step less does not cover."""
    width = half_width(variance, confidence)
    less = math.floor(width) - 1
    if less >= 0 and width - math.floor(width) > 1e-6:
        assert exact_coverage(variance, Fraction(less)) < float(confidence) / 100


@settings(deadline=None)
@given(VARIANCES, CONFIDENCES)
def test_the_whole_half_width_is_the_smallest_and_never_above_the_other(
    variance: Fraction, confidence: Fraction
) -> None:
    """The exact quantile of the rounded law; decided by Arb."""
    width = whole_half_width(variance, confidence)
    assert width.denominator == 1
    assert half_width(variance, confidence) - 2 < width <= half_width(variance, confidence)
    with ctx.workprec(300):
        wanted = arb(fmpq(confidence.numerator, 100 * confidence.denominator))
        assert covered(variance, int(width)) >= wanted
        assert width == 0 or covered(variance, int(width) - 1) < wanted


@settings(deadline=None)
@given(CONFIDENCES)
def test_the_whole_half_width_is_exact_also_where_z_is_not(confidence: Fraction) -> None:
    """The widest noise that is drawn: there z on its grid is off by many steps."""
    variance = RoundedGaussian(1 << 48, 0).variance
    width = whole_half_width(variance, confidence)
    assert width <= half_width(variance, confidence)
    with ctx.workprec(300):
        wanted = arb(fmpq(confidence.numerator, 100 * confidence.denominator))
        assert covered(variance, int(width)) >= wanted
        assert covered(variance, int(width) - 1) < wanted


def covered(variance: Fraction, whole: int) -> arb:
    """P(|round(N)| <= whole)."""
    square = (whole + Fraction(1, 2)) ** 2 / (2 * variance)
    return arb(fmpq(square.numerator, square.denominator)).sqrt().erf()


def test_opendp_s_discrete_gaussian_is_one_step_off_in_words_only() -> None:
    """Its 21 at sigma 10 is the first step that is not needed; ours is the last that is."""
    assert discrete_gaussian_scale_to_accuracy(10.0, 0.05) == 21.0
    assert whole_half_width(Fraction(100), Fraction(95)) == 20


@pytest.mark.parametrize("parts", [(1, 1), (1, 3), (2, 5, 11)])
def test_merged_measurements_are_covered(parts: tuple[int, ...]) -> None:
    """Inverse-variance means of rounded values, by simulation with a fixed seed."""
    draw = np.random.default_rng(4)
    precisions = [Fraction(p, 20) for p in parts]
    total = sum(precisions, Fraction(0))
    merged = sum(
        float(p / total) * np.round(draw.normal(0, float(p) ** -0.5, 200_000)) for p in precisions
    )
    for confidence in (50, 80, 95, 99):
        width = float(half_width(1 / total, Fraction(confidence)))
        covered = np.mean(np.abs(merged) <= width + 1e-9)
        assert covered >= confidence / 100 - 4 * (0.25 / 200_000) ** 0.5


@given(st.fractions(Fraction(501, 1000), 10**9, max_denominator=10**4), CONFIDENCES)
def test_the_precision_for_a_width_reaches_it_on_the_sampler_s_grid(
    width: Fraction, confidence: Fraction
) -> None:
    """What is bought meets what was asked, also after rounding; and hardly more is bought."""
    precision = precision_for(width, confidence)
    assert half_width(1 / precision, confidence) <= width
    slightly_less = precision * (1 - Fraction(1, 1 << 25))
    assert half_width(1 / slightly_less, confidence) > width
    if precision < 1 << 50:
        drawn = RoundedGaussian.at_most(precision)
        assert half_width(drawn.variance, confidence) <= width


def test_twenty_five_at_ninety_five() -> None:
    """+-25 needs sigma 12.5002."""
    precision = precision_for(Fraction(25), Fraction(95))
    assert round(float(precision) ** -0.5, 4) == 12.5002


def test_no_noise_still_leaves_rounding() -> None:
    """Half a step."""
    assert half_width(Fraction(0), Fraction(95)) == Fraction(1, 2)


def test_what_has_no_answer_is_refused() -> None:
    """Negative variances, half-widths below rounding, confidences of 0 and 100 percent."""
    with pytest.raises(ValueError, match="not negative"):
        half_width(Fraction(-1), Fraction(95))
    with pytest.raises(ValueError, match="positive"):
        whole_half_width(Fraction(0), Fraction(95))
    with pytest.raises(ValueError, match="half a step"):
        precision_for(Fraction(1, 2), Fraction(95))
    with pytest.raises(ValueError, match="not negative"):
        sqrt_up(Fraction(-1))
    for confidence in (Fraction(0), Fraction(100), Fraction(-5), Fraction(101)):
        with pytest.raises(ValueError, match="percentage"):
            z(confidence)


@given(st.fractions(0, 10**30))
def test_roots_are_rounded_up_and_close(square: Fraction) -> None:
    """Within one part in 2^60."""
    root = sqrt_up(square)
    assert square <= root**2 <= square * (1 + Fraction(1, 1 << 60))
