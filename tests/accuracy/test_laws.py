"""Every law has its half-width, and every half-width its noise."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accuracy import gaussian, laplace
from privlab.accuracy.laws import half_width, widest
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace

NINETY_FIVE = Fraction(95)
LAWS = (RoundedGaussian, DiscreteLaplace, RoundedLaplace)


def test_a_single_measurement_has_the_quantile_of_its_law() -> None:
    """And a variance that of a mean of measurements."""
    assert half_width(RoundedGaussian(5, 1), NINETY_FIVE) == gaussian.whole_half_width(
        Fraction(50), NINETY_FIVE
    )
    assert half_width(DiscreteLaplace(5, 1), NINETY_FIVE) == 7
    assert half_width(RoundedLaplace(5, 1), NINETY_FIVE) == 7
    assert half_width(Fraction(50), NINETY_FIVE) == gaussian.half_width(Fraction(50), NINETY_FIVE)


@settings(deadline=None)
@given(
    st.sampled_from(LAWS),
    st.fractions(1, 10**6),
    st.fractions(Fraction(1), Fraction(9999, 100), max_denominator=1000),
)
def test_the_noise_for_a_half_width_meets_it(
    law: type[RoundedGaussian], width: Fraction, confidence: Fraction
) -> None:
    """Of every law, and it is not much narrower than it might be."""
    noise: Noise = widest(law, width, confidence)
    assert type(noise) is law
    assert half_width(noise, confidence) <= width
    wider = type(noise)(noise.multiplier, noise.shift - 1)
    if width >= 2:
        assert half_width(wider, confidence) > width / 2


def test_twenty_five_at_ninety_five() -> None:
    """Scale 8.517 of either Laplace law, sigma 12.5 of the Gaussian."""
    scales = [float(widest(law, Fraction(25), NINETY_FIVE).scale) for law in LAWS[1:]]
    assert [round(scale, 3) for scale in scales] == [8.517, 8.512]
    sigma = float(widest(RoundedGaussian, Fraction(25), NINETY_FIVE).variance) ** 0.5
    assert round(sigma, 4) == 12.5002
    assert laplace.rate_for(Fraction(25), NINETY_FIVE) * 25 < 3


def test_what_no_noise_meets_is_refused() -> None:
    """Half a step is what rounding uses up."""
    with pytest.raises(ValueError, match="half a step"):
        widest(RoundedGaussian, Fraction(1, 2), NINETY_FIVE)
    with pytest.raises(ValueError, match="not negative"):
        widest(DiscreteLaplace, Fraction(-1), NINETY_FIVE)
    with pytest.raises(ValueError, match="not negative"):
        half_width(Fraction(-1), NINETY_FIVE)
