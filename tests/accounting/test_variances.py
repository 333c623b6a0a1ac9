"""What noise of a given loss costs in accuracy: variances of the three laws, drawn and summed."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from privlab.mechanisms.draw import add_noise
from privlab.mechanisms.entropy import KeyStream
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace

POINTS = np.arange(-400, 401)
ONE = Fraction(1)
CASES: list[tuple[Noise, float]] = [
    (DiscreteLaplace.at_most(ONE), 1.8413),
    (RoundedLaplace.at_most(ONE), 2.0764),
    (RoundedGaussian.at_most(ONE), 1.0833),
    (RoundedGaussian.at_most(Fraction(1, 100)), 100.0833),
]


def law(noise: Noise) -> np.ndarray:
    """The probability of each of `POINTS`, by definition."""
    if isinstance(noise, RoundedGaussian):
        sigma = math.sqrt(noise.variance)
        return np.diff(stats.norm.cdf(np.append(POINTS, POINTS[-1] + 1) - 0.5, scale=sigma))
    scale = float(noise.scale)
    if isinstance(noise, RoundedLaplace):
        return np.diff(stats.laplace.cdf(np.append(POINTS, POINTS[-1] + 1) - 0.5, scale=scale))
    weights = np.exp(-np.abs(POINTS) / scale)
    return weights / weights.sum()


@pytest.mark.parametrize(("noise", "variance"), CASES, ids=lambda part: str(part))
def test_variances_are_as_we_quote_them(noise: Noise, variance: float) -> None:
    """At epsilon 1, and at mu^2 of 1 and 1/100.

    The first is 1 / (2 sinh(1/2)^2), to be sure; a rounded Gaussian has 1/12 more than
    a continuous one.
    """
    exact = float((law(noise) * POINTS**2).sum())
    assert exact == pytest.approx(variance, abs=5.1e-5)
    if isinstance(noise, DiscreteLaplace):
        assert exact == pytest.approx(1 / (2 * math.sinh(0.5) ** 2), rel=1e-12)
    if isinstance(noise, RoundedGaussian):
        assert exact == pytest.approx(float(noise.variance) + 1 / 12, abs=1e-4)


@pytest.mark.parametrize(("noise", "variance"), CASES, ids=lambda part: str(part))
def test_what_is_drawn_has_that_variance(noise: Noise, variance: float) -> None:
    """Of 200,000 draws under one key: within five standard errors."""
    drawn = add_noise(np.zeros(200_000, np.int64), noise, KeyStream(bytes(range(32))))
    fourth = float((law(noise) * POINTS.astype(float) ** 4).sum())
    error = math.sqrt((fourth - variance**2) / drawn.size)
    assert abs(float((drawn.astype(float) ** 2).mean()) - variance) < 5 * error
