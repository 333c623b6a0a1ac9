"""What a noise sample costs: privlab, OpenDP and numpy, side by side in one process.

Every time is processor time, so that other work on the machine counts as little
as it can, and the best of several rounds in which all three take turns.  Ours is
`add_noise` on a vector of zeros, with a fresh key and all random words inside
the clock.  OpenDP's is its exact mechanism for the same law on an int64 vector,
which is slow, so its vector is shorter.  numpy's is what nobody may use for
privacy: floats from a generator that is not cryptographic.

    python benchmarks/noise.py [--json]

With --json the last line is one JSON object: all cells, and the three numbers
to watch, each the worst over all scales: ``gaussian_vs_opendp_min`` and
``laplace_vs_opendp_min`` (times as fast as OpenDP), ``vs_numpy_max`` (times as
slow as numpy).  Run with ``make bench``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian, make_laplace
from opendp.metrics import l1_distance, l2_distance
from opendp.mod import enable_features

from privlab.mechanisms.draw import add_noise
from privlab.mechanisms.entropy import Words
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace

SCALES = (1, 10, 1_000, 1_000_000)
ROUNDS = 5
SAMPLES = 1_000_000
SAMPLES_OPENDP = 20_000

OURS, OPENDP, NUMPY = "privlab", "OpenDP", "numpy"


@dataclass(frozen=True)
class Law:
    """A law of ours and its peers; a scale is sigma, or Laplace's b."""

    name: str
    noise: Callable[[int], Noise]
    opendp: Callable[[int], Any]
    numpy: Callable[[np.random.Generator], Callable[..., Any]]


def opendp_gaussian(scale: int) -> Any:
    return make_gaussian(
        vector_domain(atom_domain(T="i64")), l2_distance(T="f64"), scale=float(scale)
    )


def opendp_laplace(scale: int) -> Any:
    return make_laplace(
        vector_domain(atom_domain(T="i64")), l1_distance(T="i64"), scale=float(scale)
    )


LAWS = (
    Law(
        "rounded Gaussian",
        lambda sigma: RoundedGaussian.at_most(Fraction(1, sigma**2)),
        opendp_gaussian,
        lambda generator: generator.normal,
    ),
    Law(
        "discrete Laplace",
        lambda b: DiscreteLaplace.at_most(Fraction(1, b)),
        opendp_laplace,
        lambda generator: generator.laplace,
    ),
    Law(
        "rounded Laplace",
        lambda b: RoundedLaplace.at_most(Fraction(1, b)),
        opendp_laplace,
        lambda generator: generator.laplace,
    ),
)


def ours(law: Law, scale: int) -> Callable[[], object]:
    noise, zeros = law.noise(scale), np.zeros(SAMPLES, np.int64)

    def run() -> object:
        with Words() as words:
            return add_noise(zeros, noise, words)

    return run


def opendp(law: Law, scale: int) -> Callable[[], object]:
    measurement, zeros = law.opendp(scale), [0] * SAMPLES_OPENDP
    return lambda: measurement(zeros)


def numpy(law: Law, scale: int) -> Callable[[], object]:
    draw = law.numpy(np.random.default_rng())
    return lambda: draw(0, scale, SAMPLES)


CANDIDATES = (
    (OURS, ours, SAMPLES),
    (OPENDP, opendp, SAMPLES_OPENDP),
    (NUMPY, numpy, SAMPLES),
)


def best_of(runs: dict[str, tuple[Callable[[], object], int]]) -> dict[str, float]:
    """Nanoseconds per sample, the best of `ROUNDS` rounds; one turn each per round."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, (run, samples) in runs.items():
            begin = time.process_time_ns()
            run()
            best[name] = min(best[name], (time.process_time_ns() - begin) / samples)
    return best


def measure() -> list[dict[str, Any]]:
    """One row per law and scale."""
    enable_features("contrib")
    rows = []
    for law in LAWS:
        with Words() as words:
            add_noise(np.zeros(1_000, np.int64), law.noise(1), words)  # compiles
        for scale in SCALES:
            runs = {name: (make(law, scale), count) for name, make, count in CANDIDATES}
            rows.append({"law": law.name, "scale": scale, "ns": best_of(runs)})
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, float]:
    """The three numbers to watch."""

    def faster(family: str) -> float:
        return min(r["ns"][OPENDP] / r["ns"][OURS] for r in rows if family in r["law"])

    return {
        "gaussian_vs_opendp_min": round(faster("Gaussian"), 1),
        "laplace_vs_opendp_min": round(faster("Laplace"), 1),
        "vs_numpy_max": round(max(r["ns"][OURS] / r["ns"][NUMPY] for r in rows), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What a noise sample costs.")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    asked = parser.parse_args()
    rows = measure()
    print(f"{'nanoseconds per sample':27} {OURS:>8} {OPENDP:>8} {NUMPY:>8}   faster   slower")
    print(f"{'':27} {'':8} {'':8} {'unsafe':>8}   x OpenDP  x numpy")
    for row in rows:
        ns = row["ns"]
        print(
            f"{row['law']:17} {row['scale']:>9,} {ns[OURS]:8.1f} {ns[OPENDP]:8.0f} {ns[NUMPY]:8.1f}"
            f"   {ns[OPENDP] / ns[OURS]:8.0f} {ns[OURS] / ns[NUMPY]:8.2f}"
        )
    figures = summary(rows)
    if asked.json:
        print(json.dumps({**figures, "rows": rows}))
    else:
        print("  ".join(f"{name} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
