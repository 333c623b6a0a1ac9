"""Choose quantiles of one value together where that costs less."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

from privlab.query.plan import Measure

FEWEST = 3
"""Two quantiles are two choices either way, and closer if neither waits for the other."""


def join_quantiles(measures: tuple[Measure, ...]) -> tuple[Measure, ...]:
    """The measures with quantiles of one value bought as one, from three on.

    Before                                     After
    ------                                     -----
    quantiles 0.25, 0.5 and 0.75 of x          each of them among 0.25, 0.5, 0.75
    quantiles 0.25 and 0.5 of x                as they were
    """
    asked: dict[Measure, set[Fraction]] = defaultdict(set)
    for one in measures:
        if one.q is not None:
            asked[replace(one, q=None)].add(one.q)

    def joined(one: Measure) -> Measure:
        every = asked[replace(one, q=None)] if one.q is not None else set()
        return replace(one, among=tuple(sorted(every)), size=0) if len(every) >= FEWEST else one

    return tuple(map(joined, measures))
