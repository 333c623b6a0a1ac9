"""Half-widths of Laplace noise are the smallest that cover, and rates meet them."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st
from opendp.accuracy import (
    accuracy_to_discrete_laplacian_scale,
    accuracy_to_laplacian_scale,
    discrete_laplacian_scale_to_accuracy,
)

from privlab.accuracy.laplace import Laplace, half_width, rate_for
from privlab.terms.noise import MAX_MULTIPLIER, DiscreteLaplace, RoundedLaplace

NINETY_FIVE = Fraction(95)
CONFIDENCES = st.one_of(
    st.sampled_from([Fraction(50), NINETY_FIVE, Fraction("99.9"), 100 - Fraction(1, 10**15)]),
    st.fractions(Fraction(1, 1000), Fraction(99_999, 1000), max_denominator=10**4),
)
LAWS = st.sampled_from([DiscreteLaplace, RoundedLaplace])
SCALES = st.one_of(
    st.tuples(st.integers(1, 1 << 48), st.integers(0, 62)),
    st.tuples(st.integers(1, 1000), st.integers(0, 9)),
)


def exact(value: Fraction) -> arb:
    """As an interval of Arb."""
    return arb(fmpq(value.numerator, value.denominator))


def missed(noise: Laplace, whole: int) -> arb:
    """P(|noise| > whole), from the two tails of the law."""
    if isinstance(noise, RoundedLaplace):
        return (-exact((whole + Fraction(1, 2)) / noise.scale)).exp()
    p = (-1 / exact(noise.scale)).exp()
    weight = (1 - p) / (1 + p)  # of zero, so that all weights add up to one
    return 2 * weight * p ** (whole + 1) / (1 - p)


@given(LAWS, SCALES, CONFIDENCES)
def test_it_is_the_smallest_whole_number_that_covers(
    law: type[Laplace], grid: tuple[int, int], confidence: Fraction
) -> None:
    """Decided by Arb at 400 bits, at every scale and confidence."""
    noise = law(*grid)
    width = half_width(noise, confidence)
    assert width.denominator == 1
    with ctx.workprec(400):
        wanted = exact(1 - confidence / 100)
        assert missed(noise, int(width)) <= wanted
        if width > 0:
            assert missed(noise, int(width) - 1) > wanted


@pytest.mark.parametrize("scale", [Fraction(1, 4), Fraction(1), Fraction(5, 2), Fraction(10)])
def test_the_weights_of_the_law_add_up_to_the_confidence(scale: Fraction) -> None:
    """Term by term, from the definition P(k) ~ exp(-|k| / scale)."""
    noise = DiscreteLaplace.at_most(1 / scale)
    weights = [math.exp(-k / scale) for k in range(600)]
    whole = weights[0] + 2 * sum(weights[1:])
    for confidence in (50, 80, 95, 99):
        width = int(half_width(noise, Fraction(confidence)))
        inside = weights[0] + 2 * sum(weights[1 : width + 1])
        assert inside / whole >= confidence / 100
        if width:
            assert (inside - 2 * weights[width]) / whole < confidence / 100


@given(st.integers(1, 4000), st.sampled_from([50, 80, 90, 95, 99]))
def test_opendp_states_the_first_step_that_is_not_needed(eighths: int, confidence: int) -> None:
    """Its accuracy a means P(|noise| >= a) <= alpha, so whole noise is at most ceil(a) - 1."""
    accuracy = discrete_laplacian_scale_to_accuracy(eighths / 8, 1 - confidence / 100)
    if abs(accuracy - round(accuracy)) > 1e-9:
        noise = DiscreteLaplace(eighths, 3)
        assert half_width(noise, Fraction(confidence)) == max(0, math.ceil(accuracy) - 1)


@given(st.integers(0, 10**6), st.sampled_from([50, 80, 90, 95, 99]))
def test_opendp_allows_the_same_scale(whole: int, confidence: int) -> None:
    """For the half-width one step on, as above."""
    scale = accuracy_to_discrete_laplacian_scale(float(whole + 1), 1 - confidence / 100)
    assert math.isclose(1 / rate_for(Fraction(whole), Fraction(confidence)), scale, rel_tol=1e-8)


def test_figures_of_opendp() -> None:
    """Scale 10 at 95 % is 30.4448 there and 30 here; 25 there is 24 here."""
    assert round(discrete_laplacian_scale_to_accuracy(10.0, 0.05), 4) == 30.4448
    assert half_width(DiscreteLaplace(10, 0), NINETY_FIVE) == 30
    assert round(accuracy_to_discrete_laplacian_scale(25.0, 0.05), 4) == 8.1834
    assert round(float(1 / rate_for(Fraction(24), NINETY_FIVE)), 4) == 8.1834
    assert round(float(1 / rate_for(Fraction(25), NINETY_FIVE)), 4) == 8.5170


def test_the_rounded_law_is_the_continuous_one_with_half_a_step_to_spare() -> None:
    """|round(L)| <= h exactly if |L| < h + 1/2."""
    assert half_width(RoundedLaplace(10, 0), NINETY_FIVE) == 30
    scale = accuracy_to_laplacian_scale(25.5, 0.05)
    assert math.isclose(
        1 / rate_for(Fraction(25), NINETY_FIVE, RoundedLaplace), scale, rel_tol=1e-8
    )


@given(
    LAWS,
    st.one_of(
        st.fractions(0, 100), st.integers(0, 10**14).map(Fraction), st.integers(0, 60).map(Fraction)
    ),
    CONFIDENCES,
)
def test_the_noise_of_a_rate_meets_the_half_width_and_no_wider_noise_does(
    law: type[Laplace], width: Fraction, confidence: Fraction
) -> None:
    """On the grid of the sampler, and the rate is exactly that of the noise drawn."""
    rate = rate_for(width, confidence, law)
    noise = law.at_most(rate)

    assert 1 / noise.scale == rate
    assert half_width(noise, confidence) <= width
    if noise.multiplier < MAX_MULTIPLIER:
        assert half_width(law(noise.multiplier + 1, noise.shift), confidence) > width


def test_the_widest_noise_there_is_meets_what_is_wider_still() -> None:
    """A scale of 2^48."""
    assert rate_for(Fraction(10**17), NINETY_FIVE) == Fraction(1, MAX_MULTIPLIER)


def test_no_noise_at_all_has_a_price() -> None:
    """A half-width of 0 at 95 %: exp(1 / scale) = 39, so epsilon is ln 39 per step."""
    assert math.isclose(rate_for(Fraction(0), NINETY_FIVE), math.log(39), rel_tol=1e-9)


def test_what_has_no_answer_is_refused() -> None:
    """Negative half-widths, floats, and confidences of 0 and 100 percent."""
    with pytest.raises(ValueError, match="not negative"):
        rate_for(Fraction(-1), NINETY_FIVE)
    with pytest.raises(TypeError, match="Fraction"):
        rate_for(2.5, NINETY_FIVE)  # type: ignore[arg-type]
    for confidence in (Fraction(0), Fraction(100)):
        with pytest.raises(ValueError, match="percentage"):
            half_width(DiscreteLaplace(1, 0), confidence)
        with pytest.raises(ValueError, match="percentage"):
            rate_for(Fraction(5), confidence)
