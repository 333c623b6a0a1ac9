"""The grid of the public comparison: its values, its cells, and what is exact.

A count knows no values, so it is one row of the grid; the others have one per skew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

SEED = 20231
ROWS = 10_000
SCALE = 250
DECIMALS = 2
SKEWS = (0, 5, 50)
EPSILONS = ("0.01", "0.1", "1")
STATISTICS = ("count", "sum", "mean", "variance", "median")

Values = NDArray[np.float64]
Cell = tuple[str, int, str]
"""Statistic, skew, epsilon."""

Errors = dict[Cell, NDArray[np.float64]]
"""Of each cell, how far off every answer was."""


def draw_values(skew: int) -> Values:
    """Skew-normal, to two decimals (Azzalini 1985: a half-normal and a normal, mixed)."""
    generator = np.random.default_rng([SEED, skew])
    part = skew / math.sqrt(1 + skew**2)
    half, normal = np.abs(generator.normal(size=ROWS)), generator.normal(size=ROWS)
    return np.round(SCALE * (part * half + math.sqrt(1 - part**2) * normal), DECIMALS)


def exact(statistic: str, values: Values) -> float:
    return {
        "count": lambda: float(values.size),
        "sum": values.sum,
        "mean": values.mean,
        "variance": values.var,
        "median": lambda: float(np.median(values)),
    }[statistic]()


def cells() -> Iterator[Cell]:
    for statistic in STATISTICS:
        for skew in SKEWS[:1] if statistic == "count" else SKEWS:
            for epsilon in EPSILONS:
                yield statistic, skew, epsilon


def off(answers: Sequence[float], statistic: str, values: Values) -> NDArray[np.float64]:
    return np.abs(np.array(answers) - exact(statistic, values))
