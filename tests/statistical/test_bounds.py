"""How much is lost where bounds are measured first: a mean of 50,000 rows, each one unit.

Of a loss of rho 0.0244 (epsilon 1) half buys the histogram and half the sum; the count
is known.  Errors are in standard deviations of the column, as the median of many runs.
Nothing is known beforehand but that values lie within 10 million of zero: the clamp
that a careful analyst would else have to write.
"""

from __future__ import annotations

import random
from fractions import Fraction
from statistics import fmean, median, pstdev

import pytest

from privlab.query.law import law_of
from privlab.query.magnitude import MOST, magnitude_of, magnitudes
from privlab.terms.loss import Currency
from privlab.terms.noise import RoundedGaussian
from privlab.views.bounds import frozen_bounds
from privlab.views.measurement import Measurement

ROWS, RUNS = 50_000, 60
HALF = Fraction(244, 10_000)
"""Of mu^2 = 2 rho, spent on one measure of one row per unit: its precision."""
SIZES = magnitudes(-MOST, MOST, whole=False)
LOOSE = 1e7


def errors(values: list[float], dice: random.Random) -> tuple[float, float]:
    """The median error with measured bounds, and with loose ones, in standard deviations."""
    counts = dict.fromkeys(SIZES, 0)
    for value in values:
        counts[magnitude_of(value)] += 1
    sigma, scale, exact = float(HALF) ** -0.5, pstdev(values), fmean(values)
    found, loose = [], []
    for _ in range(RUNS):
        noisy = tuple(round(counts[size] + dice.gauss(0, sigma)) for size in SIZES)
        one = Measurement(RoundedGaussian.at_most(HALF), noisy)
        bounds = frozen_bounds([("v", one)], SIZES, law_of(Currency.GDP), whole=False)
        assert bounds is not None
        low, high = float(bounds.low), float(bounds.high)
        clamped = fmean(min(max(value, low), high) for value in values)
        noise = dice.gauss(0, sigma) / len(values)
        found.append(abs(clamped + noise * (high - low) / 2 - exact) / scale)
        loose.append(abs(noise * LOOSE) / scale)
    return median(found), median(loose)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "most"), [("narrow, far from zero", 0.04), ("ages", 0.002), ("heavy tail", 0.02)]
)
def test_a_mean_with_measured_bounds_is_near(name: str, most: float) -> None:
    dice = random.Random(5)
    draw = {
        "narrow, far from zero": lambda: dice.gauss(1000, 1),
        "ages": lambda: min(max(dice.gauss(45, 20), 1), 100),
        "heavy tail": lambda: dice.lognormvariate(3, 1),
    }[name]
    measured, loose = errors([draw() for _ in range(ROWS)], dice)
    print(f"{name}: {measured:.5f} sd with measured bounds, {loose:.1f} sd with loose ones")
    assert measured < most
    assert measured < loose / 100
