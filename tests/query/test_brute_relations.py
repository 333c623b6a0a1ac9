"""Relations of the corpus: what is declared of a unit holds for every unit, and is met by some.

Units are drawn whose rows no contract's bound touches.  The rows that the engine's
plain twin makes of them are as many as the plan says at most, in all, in one group and
in groups; and the unit moves no measure further than its declared sensitivity.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from privlab.engine import reference
from privlab.engine.reference_relations import rows_of
from privlab.query.compile import compile_question
from privlab.query.plan import Plan
from privlab.query.relation_kinds import kinds_of
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog
from tests.golden.test_queries import RELATIONS
from tests.query.conftest import LABS, PATIENTS, PUBLIC, VISITS
from tests.query.test_brute_force import ROWS, SECRET

MOST = {"visits": 3, "labs": 2, "patients": 1}
UNITS = 250
REACHED = 0.9
"""Of the plans, this part at least has a unit with exactly as many rows as declared."""

Row = dict[str, Any]


@cache
def plans() -> dict[str, Plan]:
    catalog = Catalog(
        tuple(
            replace(table, bound=ContributionBound(most, most, most))
            for table, most in ((VISITS, 3), (LABS, 2), (PATIENTS, 1))
        )
    )
    return {
        text: compile_question(text, {}, catalog, PUBLIC).plan
        for param in RELATIONS
        if param.values[0].verdict in ("accept", "differ")
        for text in param.values[0].texts
    }


@cache
def unit(seed: int) -> dict[str, list[Row]]:
    """The rows of one unit in each table, alike often, so that they meet."""
    dice = random.Random(seed)

    def lab() -> Row:
        return {
            "kind": dice.choice(["na", "k", "crp", "crp"]),
            "value": dice.choice([0.0, 99.5, 150.0, 500.0, None]),
            "ward": dice.choice(["A", "A", "B", "C", None]),
            "taken": date(2023, 1, 1) + timedelta(days=dice.choice([0, 365, 730])),
        }

    def person() -> Row:
        born = dice.choice([1900, 1949, 1950, 1979, 2024])
        return {"sex": dice.choice(["f", "m", None]), "born": born, "area": None}

    visits = [dice.choice(ROWS)] * 3 if dice.random() < 0.3 else dice.choices(ROWS, k=3)
    made = {
        "visits": visits[: dice.choice([0, 1, 2, 3, 3, 3])],
        "labs": [lab() for _ in range(dice.choice([0, 1, 2, 2]))],
        "patients": [person() for _ in range(dice.choice([0, 1, 1]))],
    }
    return {
        name: [{**row, reference.UNIT: (seed, seed)} for row in rows] for name, rows in made.items()
    }


def placed(plan: Plan, tables: dict[str, list[Row]]) -> tuple[list[Row], Counter[reference.Label]]:
    """The rows of the relation, and how many of them are in each group."""
    read = [plan.where, *(key.expr for key in plan.keys), *(one.of for one in plan.measures)]
    rows: Sequence[Row] = rows_of(plan.source, kinds_of(*read), tables)
    labels = [reference._label(plan, row) for row in rows]
    return list(rows), Counter(label for label in labels if label is not None)


@pytest.mark.parametrize("text", plans())
def test_no_unit_has_more_than_is_declared(text: str) -> None:
    plan = plans()[text]
    bound = plan.bound
    for seed in range(UNITS):
        rows, groups = placed(plan, unit(seed))
        assert groups.total() <= bound.rows
        assert max(groups.values(), default=0) <= bound.rows_per_group
        assert len(groups) <= bound.groups
        for j, (measure, moved) in enumerate(
            zip(plan.measures, reference.bounded_sums(plan, rows, SECRET), strict=True)
        ):
            assert sum(x * x for x in moved) <= measure.squared_sensitivity(bound), j


def test_what_is_declared_is_met() -> None:
    reached = [
        any(placed(plan, unit(seed))[1].total() == plan.bound.rows for seed in range(UNITS))
        for plan in plans().values()
    ]
    assert sum(reached) >= REACHED * len(reached)
