"""How many ranks off several quantiles of one column are: chosen together, and each alone.

    python benchmarks/quantiles.py [--repeats N] [--json]

20,000 whole numbers of a normal law, and as many of an exponential one of which half
are equal, clamped to a hundred thousand; m quantiles ``i / (m + 1)`` at one loss, that
of zero-concentrated privacy of rho 0.0244 in gdp, and an epsilon of one in pure.
privlab's own mechanisms; an error is the mean, over quantiles and draws, of the ranks
between an answer and the exact quantile, none where it is one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from privlab.mechanisms.entropy import Words
from privlab.mechanisms.quantile import quantile
from privlab.mechanisms.quantiles import quantiles
from privlab.query.trade import choice_for
from privlab.terms.loss import Currency

ROWS, WIDTH, SEED = 20_000, 50_000, 20_260
COUNTS = (1, 3, 9, 99)
LOSSES = {Currency.GDP: Fraction(488, 10_000), Currency.PURE: Fraction(1)}

Values = NDArray[np.int64]


def tables() -> dict[str, Values]:
    draw = np.random.default_rng(SEED)
    normal = np.rint(draw.normal(0, 1_000, ROWS))
    tied = np.where(draw.random(ROWS) < 0.5, 0, np.rint(draw.exponential(1_000, ROWS)))
    return {
        name: np.sort(np.clip(values, -WIDTH, WIDTH)).astype(np.int64)
        for name, values in (("normal", normal), ("half equal", tied))
    }


def epsilon_of(currency: Currency, choices: int) -> Fraction:
    """Of each of so many choices, for the whole loss."""
    loss = LOSSES[currency]
    return loss / choices if currency is Currency.PURE else choice_for(loss, choices)


def off(values: Values, answers: list[int], qs: list[Fraction]) -> float:
    ranks = 0.0
    for q, one in zip(qs, answers, strict=True):
        below = int(np.searchsorted(values, one, "left"))
        upto = int(np.searchsorted(values, one, "right"))
        ranks += max(0.0, below - float(q) * values.size, float(q) * values.size - upto)
    return ranks / len(qs)


def cells(repeats: int) -> Iterator[dict[str, object]]:
    for currency in Currency:
        for name, values in tables().items():
            for count in COUNTS:
                qs = [Fraction(at, count + 1) for at in range(1, count + 1)]
                one, all_ = epsilon_of(currency, count), epsilon_of(currency, count.bit_length())
                alone, together = [], []
                for _ in range(max(2, repeats // count)):
                    with Words() as words:
                        found = [quantile(values, -WIDTH, WIDTH, q, one, words) for q in qs]
                        alone.append(off(values, found, qs))
                        found = quantiles(values, -WIDTH, WIDTH, qs, all_, words)
                        together.append(off(values, found, qs))
                yield {
                    "currency": currency.value,
                    "values": name,
                    "quantiles": count,
                    "alone": float(np.mean(alone)),
                    "together": float(np.mean(together)),
                    "error": float(np.std(together) / np.sqrt(len(together))),
                }


def main() -> None:
    parser = argparse.ArgumentParser(description="How many ranks off quantiles are.")
    parser.add_argument("--repeats", type=int, default=400, help="draws of one quantile")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    asked = parser.parse_args()
    rows = []
    for row in cells(asked.repeats):
        rows.append(row)
        print(
            f"{row['currency']:5}{row['values']:12}{row['quantiles']:>4}  "
            f"alone {row['alone']:8.2f}  together {row['together']:8.2f} ± {row['error']:.2f}",
            flush=True,
        )
    if asked.json:
        print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
