"""How far off one answer is: privlab and its peers, side by side on the same values.

The grid of a public comparison of privacy libraries (GovTech Singapore, 2023):
10,000 values of a skew-normal law, scale 250, skew 0, 5 and 50, clamps the
smallest and the largest value (a habit of that comparison, and not private);
count, sum, mean, variance and median, each alone at the whole epsilon.  The values
are drawn here from a seed.  An error is the mean of |answer - exact answer|.

privlab compiles and prices the question, draws with the product's own mechanisms
and decodes with its `finish`; only the exact sums, which no epsilon changes, are
worked out once.  OpenDP runs here.  Other peers run in environments of their own
under ``.peers/`` and are left out where there is none.

    python benchmarks/accuracy.py [--json] [--install] [--slow-peers] [--repeats N]

A cell is won unless an add/remove peer is closer by more than chance allows: three
standard errors of the difference in the same run.  Where both draw noise of one law
nobody can be closer, and which mean is lower is chance: of those cells the expected
error of both laws is printed, without drawing.  Beside it stands in how many cells the
product's mean is the lowest, or ahead or behind by more than chance allows.  Peers that
hold the number of rows for public answer an easier question; they are shown and do not
count.  With --json the last line is one JSON object with ``cells_won`` and ``cells``.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from peers import apart
from peers.grid import (
    DECIMALS,
    ROWS,
    SKEWS,
    Cell,
    Errors,
    Values,
    cells,
    draw_values,
    off,
)
from peers.with_opendp import CANDIDATES, with_opendp

from privlab.engine import run
from privlab.engine.reference import UNIT, bounded_sums, sampled
from privlab.mechanisms.draw import add_noise
from privlab.mechanisms.entropy import Words
from privlab.query.compile import compile_question
from privlab.query.finish import finish
from privlab.query.plan import Measure, Question
from privlab.query.price import Offer, Priced, price
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog, Column, Kind, Table
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import Choice, DiscreteLaplace, Mechanism

STEP = Fraction(1, 10**DECIMALS)
DELTA = Fraction(1, 10**6)
"""Of a gdp dataset, whose loss is the largest mu that is (epsilon, delta)-DP."""

REPEATS, REPEATS_PEERS, REPEATS_SLOW = 800, 300, 20
CERTAIN = 3
"""Standard errors between two arms that are said to differ."""

RULE = (
    f"won: no add/remove peer is closer by more than {CERTAIN} standard errors of the difference;"
    " lower: no such peer's mean is below; ahead, behind: of all, or of one, by as much"
)

QUESTIONS = {
    "count": "SELECT COUNT(*) AS answer FROM grid",
    "sum": "SELECT SUM(value) AS answer FROM grid",
    "mean": "SELECT AVG(value) AS answer FROM grid",
    "variance": "SELECT VAR_POP(value) AS answer FROM grid",
    "median": "SELECT MEDIAN(value) AS answer FROM grid",
}

PURE, GDP = "privlab", "privlab gdp"
SAME_LAW = ("count", "sum")
"""Laplace noise of one scale, whoever draws it."""

EASIER = ("diffprivlib", "OpenDP sized")
"""One value changes and the number of rows is public: no peers of an add/remove answer."""


def table_of(values: Values, currency: Currency) -> Table:
    low, high = (Fraction(str(end)) for end in (values.min(), values.max()))
    return Table(
        dataset="govtech",
        name="grid",
        version=1,
        unit="person",
        unit_word="person",
        bound=ContributionBound(1, 1, 1),
        row_cap=10 * ROWS,
        columns=(
            Column("person", Kind.INT, nullable=False),
            Column("value", Kind.FLOAT, nullable=False, low=low, high=high, step=STEP),
        ),
        rows=ROWS,
        currency=currency,
    )


@dataclass(frozen=True)
class Asked:
    """A question, and what its mechanisms are to hide: a vector or a sample per measure."""

    question: Question
    secrets: list[NDArray[np.int64]]

    @classmethod
    def of(cls, statistic: str, values: Values, currency: Currency) -> Asked:
        catalog = Catalog((table_of(values, currency),))
        question = compile_question(QUESTIONS[statistic], {}, catalog)
        plan = question.plan
        rows = [{UNIT: (0, at), "person": at, "value": float(v)} for at, v in enumerate(values)]
        key = bytes(16)
        sums = bounded_sums(plan, rows, key)
        secrets = [
            sampled(plan, j, rows, key)[0] if one.chosen else sums[j]
            for j, one in enumerate(plan.measures)
        ]
        return cls(question, [np.array(one, np.int64) for one in secrets])

    def priced(self, epsilon: str) -> Priced:
        nothing = [Fraction(0)] * len(self.question.plan.measures)
        offer = Offer(share=None, within=None, epsilon=Fraction(epsilon), confidence=Fraction(95))
        return price(self.question, offer, nothing, Loss.budget(Fraction(1 << 10)), DELTA)

    def expected(self, epsilon: str) -> tuple[float, float]:
        """The mean error of the noise that is drawn, and of Laplace noise of its sensitivity.

        Of a discrete Laplace variable of scale s: ``1 / sinh(1 / s)``, which is below s.
        """
        (measure,) = self.question.plan.measures
        (noise,) = self.priced(epsilon).noises
        if not isinstance(noise, DiscreteLaplace):
            raise TypeError("sums of a pure dataset have discrete Laplace noise")
        step = float(measure.step)
        laplace = measure.sensitivity(self.question.plan.bound) / float(epsilon)
        return step / math.sinh(1 / float(noise.scale)), step * laplace

    def answers(self, epsilon: str, repeats: int) -> list[float]:
        plan, priced = self.question.plan, self.priced(epsilon)

        def once() -> float:
            vectors = [
                released(*one)
                for one in zip(plan.measures, self.secrets, priced.noises, strict=True)
            ]
            shown = finish(self.question, vectors, priced.precisions, priced.confidence)
            return float(shown.rows[0][0])

        return [once() for _ in range(repeats)]


def released(
    measure: Measure, secret: NDArray[np.int64], mechanism: Mechanism | None
) -> list[Fraction]:
    """As the engine does it for a table's single cell."""
    with Words() as words:
        if isinstance(mechanism, Choice):
            return [Fraction(one) for one in run.chosen(measure, secret, mechanism, words)]
        return [Fraction(int(one)) for one in add_noise(secret, mechanism, words)]


def privlab(data: dict[int, Values], currency: Currency, repeats: int) -> Errors:
    errors: Errors = {}
    asked: dict[tuple[str, int], Asked] = {}
    for statistic, skew, epsilon in cells():
        if (statistic, skew) not in asked:
            asked[statistic, skew] = Asked.of(statistic, data[skew], currency)
        answers = asked[statistic, skew].answers(epsilon, repeats)
        errors[statistic, skew, epsilon] = off(answers, statistic, data[skew])
    return errors


def behind(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """By how many standard errors of the difference ours is farther off; negative: closer."""
    spread = math.hypot(
        float(ours.std()) / math.sqrt(ours.size), float(theirs.std()) / math.sqrt(theirs.size)
    )
    return float(ours.mean() - theirs.mean()) / spread


def beside(cell: Cell, arms: dict[str, Errors]) -> list[NDArray[np.float64]]:
    """What the add/remove peers have in this cell."""
    return [
        errors[cell]
        for name, errors in arms.items()
        if name not in (PURE, GDP, *EASIER) and cell in errors
    ]


def verdict(cell: Cell, arms: dict[str, Errors]) -> str:
    """Beside all peers: "ahead" of each, "behind" one, or "level", as far as the repeats can tell."""
    worst = max((behind(arms[PURE][cell], one) for one in beside(cell, arms)), default=-math.inf)
    return "behind" if worst > CERTAIN else "ahead" if worst < -CERTAIN else "level"


def measure(repeats: int, slow: bool) -> dict[str, Errors]:
    """Every arm, peers with environments of their own while ours runs."""
    data = {skew: draw_values(skew) for skew in SKEWS}
    running = {}
    for peer, (name, _) in apart.PEERS.items():
        if peer in apart.SLOW and not slow:
            print(f"{name}: left out, it takes its time (--slow-peers)")
        elif not apart.interpreter(peer).exists():
            print(f"{name}: left out, it is not installed (--install)")
        else:
            running[name] = apart.start(
                peer, data, min(repeats, REPEATS_PEERS), min(repeats, REPEATS_SLOW)
            )
    arms = {
        PURE: privlab(data, Currency.PURE, repeats),
        GDP: privlab(data, Currency.GDP, min(repeats, REPEATS_PEERS)),
    }
    for name in (*CANDIDATES, "OpenDP sized"):
        arms[name] = with_opendp(data, name, min(repeats, REPEATS_PEERS))
    return {**arms, **{name: apart.collect(process, data) for name, process in running.items()}}


def show(arms: dict[str, Errors]) -> None:
    print(f"{'mean absolute error':22}" + "".join(f"{name[:12]:>13}" for name in arms))
    for cell in cells():
        statistic, skew, epsilon = cell
        means = [
            f"{float(errors[cell].mean()):>13.4g}" if cell in errors else f"{'-':>13}"
            for errors in arms.values()
        ]
        print(f"{statistic:9}{skew:>5} {epsilon:>6} {''.join(means)}   {verdict(cell, arms)}")
    print(
        "\nexpected error of one law, not drawn: privlab's discrete Laplace noise, and Laplace noise"
    )
    for (statistic, skew, epsilon), (ours, laplace) in expected_errors().items():
        print(f"{statistic:9}{skew:>5} {epsilon:>6} {ours:>13.6g}{laplace:>13.6g}")
    print(f"\n{RULE}")


def expected_errors() -> dict[Cell, tuple[float, float]]:
    """Of each cell in which all draw noise of one law: ours, and Laplace noise."""
    found = {}
    for cell in cells():
        statistic, skew, epsilon = cell
        if statistic in SAME_LAW:
            asked = Asked.of(statistic, draw_values(skew), Currency.PURE)
            found[cell] = asked.expected(epsilon)
    return found


def summary(arms: dict[str, Errors]) -> dict[str, int]:
    """See `RULE`."""
    found = [verdict(cell, arms) for cell in cells()]
    lower = [
        all(arms[PURE][cell].mean() <= one.mean() for one in beside(cell, arms)) for cell in cells()
    ]
    return {
        "cells_won": len(found) - found.count("behind"),
        "cells_lower": sum(lower),
        "cells_ahead": found.count("ahead"),
        "cells_behind": found.count("behind"),
        "cells": len(found),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="How far off one answer is.")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--install", action="store_true", help="build .peers/ first")
    parser.add_argument("--slow-peers", action="store_true", help="also ask those that take long")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    asked = parser.parse_args()
    if asked.install:
        for peer in apart.PEERS:
            apart.install(peer)
    arms = measure(asked.repeats, asked.slow_peers)
    show(arms)
    figures = summary(arms)
    if asked.json:
        expected = expected_errors()
        rows = [
            {
                "statistic": cell[0],
                "skew": cell[1],
                "epsilon": cell[2],
                "verdict": verdict(cell, arms),
                "expected": expected.get(cell),
                "errors": {n: float(e[cell].mean()) for n, e in arms.items() if cell in e},
            }
            for cell in cells()
        ]
        print(json.dumps({**figures, "rule": RULE, "rows": rows}))
    else:
        print("  ".join(f"{name} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
