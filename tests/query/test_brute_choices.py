"""Every quantile of the corpus: what one unit moves all scores by that its choices are made of.

Choices that are bought together depend on one another: a level parts the values for
the next.  So all answers are given, the same with and without the unit, whatever they
are; then each choice is of its own values, and the unit moves the scores of some.  What
it moves them by at most, over all candidates, is added up over all choices of all
groups: no more than is declared, and of many plans as much.  The recursion is the
engine's own, the scores are those of the definition.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from privlab.mechanisms.quantiles import DIGITS, parted
from privlab.query.joint import of_plan
from privlab.query.plan import Measure, Plan
from privlab.terms.loss import Currency
from tests.query.brute_force import score
from tests.query.test_brute_force import REACHED, Row, plans, tables, told, vector, worst_units

Choices = list[tuple[Fraction, int, int, list[int]]]
"""Of each choice its q, both ends, and the values it is made of."""


def given(tree: int, *place: object) -> int:
    return int.from_bytes(hashlib.sha256(repr((tree, place)).encode()).digest()[:7])


def fine(measure: Measure, values: Sequence[int], tree: int) -> list[int]:
    """Steps from the low end, with digits that tell equal values apart; those of fewer
    values are among those of more."""
    low = int(measure.low / measure.step)
    same = [sum(other == value for other in values[:at]) for at, value in enumerate(values)]
    return sorted(
        ((value - low) << DIGITS) + given(tree, value, before) % (1 << DIGITS)
        for value, before in zip(values, same, strict=True)
    )


def choices(measure: Measure, group: int, values: Sequence[int], tree: int) -> Choices:
    """All choices that a group's values are in, when the answers are those of ``tree``."""
    found: Choices = []

    def choose(inside: np.ndarray, low: int, high: int, q: Fraction) -> int:
        found.append((q, low, high, inside.tolist()))
        return low + given(tree, group, low, high, q) % (high - low + 1)

    exact = np.array(fine(measure, values, tree), np.int64)
    parted(exact, 0, (measure.candidates << DIGITS) - 1, measure.among or (measure.q,), choose)
    return found


def apart(measure: Measure, one: Choices, two: Choices) -> int:
    """The most that any candidate's score differs by, added up over the choices."""
    total = 0
    for (q, low, high, these), (its, lowest, highest, those) in zip(one, two, strict=True):
        assert (q, low, high) == (its, lowest, highest)
        near = {v + d for v in (*these, *those) for d in (-1, 0, 1)} | {low, high}
        choice = Measure(measure.kind, q=q)
        total += max(
            abs(score(choice, answer, these) - score(choice, answer, those))
            for answer in near
            if low <= answer <= high
        )
    return total


def moved(plan: Plan, j: int, units: Sequence[Sequence[Row]], tree: int) -> int:
    """How far the unit that moves the scores most does so by leaving."""
    measure = plan.measures[j]
    full = [told(rows, at) for at, rows in enumerate(units)]
    whole = vector(plan, j, [row for rows in full for row in rows])
    most = 0
    for at in range(len(full)):
        rest = vector(plan, j, [row for i, rows in enumerate(full) if i != at for row in rows])
        most = max(
            most,
            sum(
                apart(measure, choices(measure, g, a, tree), choices(measure, g, b, tree))
                for g, (a, b) in enumerate(zip(whole, rest, strict=True))
                if a != b
            ),
        )
    return most


@pytest.mark.parametrize("currency", Currency)
def test_no_unit_moves_the_scores_of_its_choices_by_more_than_is_declared(
    currency: Currency,
) -> None:
    dice, met, together = random.Random(5), [], 0
    for plan in plans(currency):
        for one in of_plan(plan, currency):
            j = one.members[0]
            if not plan.measures[j].chosen:
                continue
            families = [*tables(dice), *([rows] for rows in worst_units(plan, j))]
            found = max(moved(plan, j, units, tree) for tree, units in enumerate(families))
            assert found <= one.sensitivity, plan
            met.append(found == one.sensitivity)
            together += len(one.members) > 1
    assert len(met) >= 20
    assert together >= 4
    assert sum(met) / len(met) >= REACHED, f"{sum(met)} of {len(met)}"


def test_one_level_less_than_there_is_would_be_seen() -> None:
    """The trees are deep enough: what is declared for fewer levels is exceeded."""
    plan = next(plan for plan in plans() if any(one.levels > 1 for one in plan.measures))
    j = next(at for at, one in enumerate(plan.measures) if one.levels > 1)
    levels = plan.measures[j].levels
    found = max(moved(plan, j, [rows], tree) for rows in worst_units(plan, j) for tree in range(9))
    assert found > plan.bound.groups * (levels - 1)
