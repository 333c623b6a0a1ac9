"""What OpenDP answers, with its own mechanisms, in this process.

What comes before the noise is worked out once: no draw changes it.  A mean is a sum
and a count at half the epsilon each, as its Polars front end has it.  It has a
variance for a public number of rows alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import opendp.prelude as opendp
from peers.grid import DECIMALS, ROWS, Errors, Values, cells, off

CANDIDATES = {"OpenDP": 501, "OpenDP 2001": 2_001}
"""How many candidates a quantile of OpenDP has: its user chooses."""

GRIDS = 10
"""Where the candidates are is luck, so answers come from so many shifted grids in turn."""

CENT = 10**-DECIMALS


def _asks(values: Values, epsilon: float, arm: str) -> dict[str, Callable[[], float]]:
    """OpenDP's own mechanisms; what is before the noise is worked out once."""
    low, high = float(values.min()), float(values.max())
    distance = opendp.symmetric_distance()
    floats = opendp.vector_domain(opendp.atom_domain(T=float, nan=False)), distance
    laplace = opendp.m.then_laplace

    def noisy(chain: Any, rows: list[Any], epsilon: float, apart: int = 1) -> Callable[[], float]:
        scale = opendp.binary_search_param(lambda b: chain >> laplace(b), apart, epsilon)
        measurement, value = chain.output_space >> laplace(scale), chain(rows)
        return lambda: float(measurement(value))

    listed = values.tolist()
    if arm == "OpenDP sized":
        atom = opendp.atom_domain(bounds=(low, high), nan=False)
        sized = opendp.vector_domain(atom, size=ROWS), distance
        return {
            "mean": noisy(sized >> opendp.t.then_mean(), listed, epsilon, 2),
            "variance": noisy(sized >> opendp.t.then_variance(ddof=0), listed, epsilon, 2),
        }
    asks: dict[str, Callable[[], float]] = {"median": _median(floats, values, epsilon, arm)}
    if arm == "OpenDP":
        # Whole hundredths: its sum of floats would be charged for both ends of the clamp.
        whole = np.rint(values / CENT).astype(int)
        ints = opendp.vector_domain(opendp.atom_domain(T=int)), distance
        clamp = opendp.t.then_clamp((int(whole.min()), int(whole.max())))
        total, count = ints >> clamp >> opendp.t.then_sum(), ints >> opendp.t.then_count()
        cents = whole.tolist()
        sums, half_sums = noisy(total, cents, epsilon), noisy(total, cents, epsilon / 2)
        half_counts = noisy(count, cents, epsilon / 2)
        asks["count"] = noisy(count, cents, epsilon)
        asks["sum"] = lambda: sums() * CENT
        asks["mean"] = lambda: half_sums() * CENT / max(half_counts(), 1.0)
    return asks


def _median(floats: Any, values: Values, epsilon: float, arm: str) -> Callable[[], float]:
    """Of one grid after the other; where candidates are changes neither scale nor privacy."""
    ends, count = (float(values.min()), float(values.max())), CANDIDATES[arm]
    best = partial(opendp.m.then_noisy_max, opendp.max_divergence(), negate=True)
    scale, asks = None, []
    for shift in np.arange(GRIDS) / GRIDS - 0.5:
        grid = np.linspace(*ends, count) + shift * (ends[1] - ends[0]) / (count - 1)
        candidates = grid.tolist()
        scored = floats >> opendp.t.then_quantile_score_candidates(candidates, 0.5)
        if scale is None:
            scale = opendp.binary_search_param(_chain(scored, best), 1, epsilon)
        choose, scores = scored.output_space >> best(scale), scored(values.tolist())
        asks.append((candidates, choose, scores))
    turns = itertools.cycle(asks)

    def once() -> float:
        candidates, choose, scores = next(turns)
        return candidates[choose(scores)]

    return once


def _chain(scored: Any, best: Callable[[float], Any]) -> Callable[[float], Any]:
    return lambda scale: scored >> best(scale)


def with_opendp(data: dict[int, Values], arm: str, repeats: int) -> Errors:
    """Errors of ``arm``: one of `CANDIDATES`, or "OpenDP sized"."""
    opendp.enable_features("contrib", "idealized-numerics", "honest-but-curious")
    errors: Errors = {}
    asks: dict[tuple[int, str], dict[str, Callable[[], float]]] = {}
    for statistic, skew, epsilon in cells():
        if (skew, epsilon) not in asks:
            asks[skew, epsilon] = _asks(data[skew], float(epsilon), arm)
        ask = asks[skew, epsilon].get(statistic)
        if ask is not None:
            answers = [ask() for _ in range(repeats)]
            errors[statistic, skew, epsilon] = off(answers, statistic, data[skew])
    return errors
