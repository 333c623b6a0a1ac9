"""``docs/proofs/bounding.md``, numerically: mu-GDP for every bounding key, and for their mixture.

A unit's rows go into one of two groups, by a secret order.  The exact sums are the
kernel's, for many keys; the laws of what is answered are mixtures of Gaussians
around them, and their delta is summed on a grid.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from privlab.accounting.gdp import delta_of
from privlab.query.plan import Measure, MeasureKind
from privlab.terms.bounds import ContributionBound
from tests.kernels.test_bounding import Case, run
from tests.kernels.twin_bounding import Row

RADIUS = 3
SUM = 1
UNIT = (0, 7)
KEYS = [(k, 0x9E3779B97F4A7C15 * k % (1 << 64)) for k in range(1, 41)]
CASE = Case(
    table=(
        Row(UNIT, 0, (1, RADIUS, None)),
        Row(UNIT, 1, (1, -RADIUS, None)),
        Row((0, 8), 0, (1, 2, None)),
        Row((0, 8), 1, (1, -2, None)),
        Row((0, 9), 1, (1, 1, None)),
    ),
    tags=(11, 12),
    bound=ContributionBound(2, 1, 1),
    radius=RADIUS,
    key=KEYS[0],
)
D2 = Measure(MeasureKind.SUM, low=Fraction(-RADIUS), high=Fraction(RADIUS)).squared_sensitivity(
    CASE.bound
)
AT = (0.0, 0.3, 1.0, 2.0)
GRID = np.linspace(-22.0, 22.0, 441)


def sums(key: tuple[int, int], *, with_unit: bool) -> np.ndarray:
    case = Case(CASE.table, CASE.tags, CASE.bound, CASE.radius, key)
    return run(case if with_unit else case.without(UNIT))[SUM]


INSIDE = [sums(key, with_unit=True) for key in KEYS]
OUTSIDE = [sums(key, with_unit=False) for key in KEYS]


def density(centre: np.ndarray, sigmas: tuple[float, float]) -> np.ndarray:
    """Of two noisy numbers, on the grid."""
    first, second = (
        stats.norm.pdf(GRID, loc=at, scale=sigma) for at, sigma in zip(centre, sigmas, strict=True)
    )
    return np.outer(first, second)


def delta(inside: np.ndarray, outside: np.ndarray, epsilon: float) -> float:
    """The hockey-stick divergence of two densities on the grid."""
    step = (GRID[1] - GRID[0]) ** inside.ndim
    return float(np.maximum(inside - math.exp(epsilon) * outside, 0).sum() * step)


def test_the_keys_make_different_samples() -> None:
    """Else nothing is tested: the unit is sometimes in one group and sometimes in the other."""
    moved = {tuple(int(v) for v in a - b) for a, b in zip(INSIDE, OUTSIDE, strict=True)}
    assert moved == {(RADIUS, 0), (0, -RADIUS)}
    assert D2 == RADIUS**2


@pytest.mark.parametrize("mu2", [Fraction(1), Fraction(1, 4)])
def test_answers_are_gdp_for_each_key_and_for_their_mixture(mu2: Fraction) -> None:
    """Also together with the key: then delta is the mean over the keys."""
    sigma = math.sqrt(D2 / mu2)
    pairs = [
        (density(a, (sigma, sigma)), density(b, (sigma, sigma)))
        for a, b in zip(INSIDE, OUTSIDE, strict=True)
    ]
    mixed = tuple(np.mean([pair[side] for pair in pairs], axis=0) for side in (0, 1))
    for epsilon in AT:
        claimed = delta_of(mu2, Fraction(epsilon)) + 1e-4
        for inside, outside in (mixed, mixed[::-1]):
            assert delta(inside, outside, epsilon) <= claimed
        each = [delta(inside, outside, epsilon) for inside, outside in pairs]
        assert max(each) <= claimed
        assert delta(*mixed, epsilon) <= np.mean(each) + 1e-9


def test_a_top_up_under_the_same_key_is_one_measurement_of_the_summed_precision() -> None:
    """Both answers on the first group, jointly: delta of mu^2 = D2 (P1 + P2), with the key unknown."""
    precisions = 1 / 36, 1 / 18
    sigmas = tuple(precision**-0.5 for precision in precisions)
    merged = sum(precisions) ** -0.5
    joint, single = [], []
    for sums_of in (INSIDE, OUTSIDE):
        joint.append(np.mean([density(np.array([s[0], s[0]]), sigmas) for s in sums_of], axis=0))
        single.append(np.mean([stats.norm.pdf(GRID, s[0], merged) for s in sums_of], axis=0))
    for epsilon in AT:
        claimed = delta_of(D2 * Fraction(1, 12), Fraction(epsilon))
        both = delta(joint[0], joint[1], epsilon)
        assert both <= claimed + 1e-4
        assert both == pytest.approx(delta(single[0], single[1], epsilon), abs=2e-3)
