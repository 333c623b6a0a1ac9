"""The Laplace laws as mechanisms."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.laplace import add_noise, exponent
from privlab.terms.noise import DiscreteLaplace, RoundedLaplace

ZEROS = np.zeros(300_000, np.int64)
SCALES = [(1, 0), (5, 3), (1000, 0), (1 << 47, 3)]


@pytest.mark.parametrize("scale", SCALES)
def test_the_discrete_law_has_its_spread_and_its_zeros(scale: tuple[int, int]) -> None:
    """2 q / (1 - q)^2 and (1 - q) / (1 + q), q = exp(-1 / scale)."""
    noise = DiscreteLaplace(*scale)
    values = add_noise(ZEROS, noise, KeyStream(bytes(range(32)))).astype(float)
    fall = -math.expm1(-1 / float(noise.scale))
    expected = 2 * (1 - fall) / fall**2
    assert float((values**2).mean()) == pytest.approx(expected, rel=0.03)
    zeros = fall / (2 - fall)
    assert abs(float((values == 0).mean()) - zeros) < 5 * (zeros / ZEROS.size) ** 0.5


@pytest.mark.parametrize("scale", SCALES)
def test_the_rounded_law_has_its_spread_and_its_zeros(scale: tuple[int, int]) -> None:
    """P(0) = 1 - exp(-1 / (2 scale)); P(k) = exp(-|k| / scale) sinh(1 / (2 scale))."""
    noise = RoundedLaplace(*scale)
    values = add_noise(ZEROS, noise, KeyStream(bytes(range(32)))).astype(float)
    rate = 1 / float(noise.scale)
    q, fall = math.exp(-rate), -math.expm1(-rate)
    expected = 2 * math.sinh(rate / 2) * q * (1 + q) / fall**3
    assert float((values**2).mean()) == pytest.approx(expected, rel=0.03)
    zeros = -math.expm1(-rate / 2)
    assert abs(float((values == 0).mean()) - zeros) < 5 * (zeros / ZEROS.size) ** 0.5


def test_the_exponent_is_half_of_the_number() -> None:
    """Of any dyadic number."""
    for number, bits in [(0, 0), (3, 0), (7, 5), (1 << 80, 64)]:
        numerator, scale = exponent(number, bits)
        assert Fraction(numerator, 1 << scale) == Fraction(number, 1 << bits) / 2
