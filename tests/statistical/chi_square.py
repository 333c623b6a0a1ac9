"""Is this stream of integers drawn from that law?  Four chi-squares in one pass.

  coarse    |K| in twelve classes: sees a scale that is a little off
  fine      K in classes of one size and a tail down to 25 draws: sees a wrong
            table entry, a lost or doubled zero, a cut tail
  residues  K modulo 64, where the scale is 64 or more: sees stuck low bits
  pairs     sign and size of one draw beside those of the next: sees reused words

Streams come in chunks, so memory does not grow with the number of draws.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from privlab.terms.noise import Noise, RoundedGaussian
from tests.statistical.exact_law import at_least, mass, residue_masses, scale

FEWEST = 25
"""Classes that expect fewer draws are taken together."""

SIDE = 64
"""Classes of one size on each side of zero."""

COARSE = 12
MODULUS = 64
_TABLE = 1 << 16


def p_values(noise: Noise, stream: Iterable[NDArray[np.int64]], draws: int) -> dict[str, float]:
    """By statistic; each is uniform on [0, 1], about, if the stream follows the law.

    draws: how many the stream holds, which decides how far out the classes go.
    """
    starts = class_starts(noise, draws)
    masses = class_masses(noise, starts)
    middle = starts.size // 2
    away = np.abs(np.arange(masses.size) - middle)
    side = np.sign(np.arange(masses.size) - middle)
    fifth = side * (1 + (away > middle // 2)) + 2  # far below, below, at, above, far above zero

    fine = np.zeros(masses.size, np.int64)
    residues = np.zeros(MODULUS, np.int64)
    pairs = np.zeros(25, np.int64)
    for values in stream:
        found = _classes(starts, values)
        fine += np.bincount(found, minlength=fine.size)
        residues += np.bincount(values & (MODULUS - 1), minlength=MODULUS)
        fifths = fifth[found]
        even = fifths.size // 2 * 2
        pairs += np.bincount(5 * fifths[0:even:2] + fifths[1:even:2], minlength=25)
    assert fine.sum() == draws

    folded = np.bincount(away, masses)
    outwards = np.cumsum(folded[::-1])[::-1]
    twelfth = np.minimum((outwards * COARSE).astype(int), COARSE - 1)[away]
    five = np.bincount(fifth, masses)
    found_p = {
        "coarse": chi_square(np.bincount(twelfth, fine), np.bincount(twelfth, masses)),
        "fine": chi_square(fine, masses),
        "pairs": chi_square(pairs, np.outer(five, five).ravel()),
    }
    if scale(noise) >= MODULUS:
        found_p["residues"] = chi_square(residues, np.array(residue_masses(noise, MODULUS)))
    return found_p


def chi_square(seen: NDArray[np.int64], masses: NDArray[np.float64]) -> float:
    """The p-value of ``seen`` against ``masses``, rare classes taken together."""
    assert math.isclose(math.fsum(masses), 1, abs_tol=1e-12)
    order = np.argsort(masses)
    expected, counted = masses[order] * seen.sum(), seen[order]
    rare = int(np.searchsorted(expected, FEWEST))
    while rare and expected[:rare].sum() < FEWEST:
        rare += 1
    expected = np.concatenate([[expected[:rare].sum()] if rare else [], expected[rare:]])
    counted = np.concatenate([[counted[:rare].sum()] if rare else [], counted[rare:]])
    if expected.size < 2:
        raise ValueError("all draws are in one class; nothing is tested")
    statistic = float(((counted - expected) ** 2 / expected).sum())
    return float(stats.chi2.sf(statistic, expected.size - 1))


def class_starts(noise: Noise, draws: int) -> NDArray[np.int64]:
    """Class i holds starts[i - 1] <= K < starts[i]; symmetric about zero, which is alone."""
    chances = [step / (2 * SIDE) for step in range(1, SIDE)]
    rare = 1 / (4 * SIDE)
    while rare * draws > FEWEST:
        chances.append(rare)
        rare /= 2
    far = stats.norm if isinstance(noise, RoundedGaussian) else stats.laplace
    above = {max(1, round(far.isf(chance) * scale(noise) + 0.5)) for chance in chances} | {1}
    return np.array(sorted({1 - start for start in above} | above), np.int64)


def class_masses(noise: Noise, starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """One more than starts."""
    tail = at_least(noise, int(starts[-1]))
    inner = [mass(noise, int(first), int(beyond)) for first, beyond in pairwise(starts)]
    return np.array([tail, *inner, tail])


def _classes(starts: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The class of each value; by a table where the classes are near zero."""
    last = int(starts[-1])
    if last >= _TABLE:
        return np.searchsorted(starts, values, side="right")
    table = np.searchsorted(starts, np.arange(-last, last + 1), side="right")
    return table[np.clip(values, -last, last) + last]
