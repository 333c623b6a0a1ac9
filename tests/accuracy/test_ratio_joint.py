"""Ratios of combinations that share their noise."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from privlab.accuracy.ratio import fieller
from privlab.accuracy.ratio_joint import Linear, joint

CONFIDENCE = Fraction(95)
HALF = Fraction(1, 2)


def test_without_shared_noise_it_is_fiellers() -> None:
    found = joint(
        Linear(Fraction(400), Fraction(100), HALF),
        Linear(Fraction(900), Fraction(50), HALF),
        Fraction(0),
        CONFIDENCE,
    )
    other = fieller(Fraction(400), Fraction(100), Fraction(900), Fraction(50), CONFIDENCE)
    assert found is not None
    assert other is not None
    assert all(abs(a - b) < Fraction(1, 1 << 50) for a, b in zip(found, other, strict=True))


def test_a_bottom_that_may_be_zero_bounds_nothing() -> None:
    one = Linear(Fraction(5), Fraction(100), HALF)
    assert joint(one, one, Fraction(100), CONFIDENCE) is None


@pytest.mark.parametrize("parts", [(40, 60), (3, 400), (900, 100)])
def test_shares_of_a_noisy_total_are_covered(parts: tuple[int, int]) -> None:
    """4,000 draws; a right interval fails this once in a thousand."""
    sigma, draws = 8, 4_000
    noise = np.random.default_rng(11).normal(0, sigma, (draws, 2))
    released = np.rint(np.array(parts) + noise).astype(int)
    variance = Fraction(sigma**2)
    exact = Fraction(parts[0], sum(parts))
    covered = 0
    for one, two in released.tolist():
        found = joint(
            Linear(Fraction(one), variance, HALF),
            Linear(Fraction(one + two), 2 * variance, Fraction(1)),
            variance,
            CONFIDENCE,
        )
        covered += found is None or found[0] <= exact <= found[1]
    assert covered / draws >= 0.95 - 3.1 * (0.95 * 0.05 / draws) ** 0.5
