"""The Gaussian as a mechanism."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.gaussian import add_noise, exponent
from privlab.terms.noise import RoundedGaussian


@pytest.mark.parametrize("scale", [(1, 0), (5, 3), (1000, 0), (1 << 47, 3)])
def test_the_spread_is_the_variance_that_was_named(scale: tuple[int, int]) -> None:
    """Rounding adds a twelfth where sigma is not small (MATH: sigma^2 + 1/12)."""
    noise = RoundedGaussian(*scale)
    values = add_noise(np.zeros(300_000, np.int64), noise, KeyStream(bytes(range(32))))
    expected = float(noise.variance + Fraction(1, 12))
    assert float((values.astype(float) ** 2).mean()) == pytest.approx(expected, rel=0.02)


def test_the_exponent_is_a_sixteenth_of_the_square() -> None:
    """Of any dyadic number."""
    for number, bits in [(0, 0), (3, 0), (7, 5), (1 << 80, 64)]:
        numerator, scale = exponent(number, bits)
        assert Fraction(numerator, 1 << scale) == Fraction(number, 1 << bits) ** 2 / 16
