"""Prototype: a median by permute-and-flip on a public grid.

McKenna, Sheldon 2020, "Permute-and-Flip: a new mechanism for differentially
private selection": never worse in expectation than the exponential mechanism, and
better where few candidates are in question.  So the grid is coarse where epsilon
is small: a cell of it holds about 1.4 / epsilon ranks where a row in the middle is
three times as likely as on average.  The clamp, the declared rows and epsilon say
which grid that is.  Twice or half as likely costs up to a tenth.

The law in floats, as "report the noisy maximum" with exponential noise, which has
the same distribution (Ding and others 2021).  Good for measuring, not for releasing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RANKS = 1.4
LIKELY = 3


def grid(low: int, high: int, rows: int, epsilon: float, shift: float) -> NDArray[np.int64]:
    """Candidates, in steps, in equal cells of [low, high]; shift: where in its cell each is, 0..1."""
    cell = max(1.0, RANKS * (high - low) / (LIKELY * rows * epsilon))
    return np.unique(np.rint(np.arange(low + cell * shift, high, cell)).astype(np.int64))


def scores(values: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.int64]:
    """Less the values on the longer side of each: one row more or less moves all down or all up,
    by one at most.  values: sorted.
    """
    below = np.searchsorted(values, candidates, "left")
    above = values.size - np.searchsorted(values, candidates, "right")
    return -np.maximum(below, above)


def median(
    found: NDArray[np.int64],
    candidates: NDArray[np.int64],
    epsilon: float,
    generator: np.random.Generator,
) -> int:
    """One answer, in steps.  Scores of one direction cost epsilon, not half of it."""
    noisy = found + generator.exponential(1 / epsilon, found.size)
    return int(candidates[int(noisy.argmax())])
