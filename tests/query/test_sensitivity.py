"""One unit moves each measure by at most its stated sensitivity.

The promise everything else rests on: random tables, random bounds, random
questions, compared with the plain-Python evaluation in ``brute_force.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.query.compile import compile_question
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Expr, Measure, MeasureKind, Question
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog
from tests.query.brute_force import vectors
from tests.query.shapes import Row, conditions, numbers, rows

QUESTIONS = [
    "SELECT COUNT(*), COUNT(sex), COUNT(DISTINCT patient_id), AVG(stay_days) FROM visits",
    (
        "SELECT sex, urgent, COUNT(*), SUM(age), AVG(age), COUNT(DISTINCT patient_id) FROM visits "
        "GROUP BY sex, urgent"
    ),
    "SELECT MONTH(admitted), SUM(cost), AVG(cost * 2 - stay_days) FROM visits GROUP BY 1",
    (
        "SELECT YEAR(seen), SUM(LEAST(GREATEST(age - 50, -10), 10)), COUNT(*) FROM visits "
        "WHERE stay_days > 5 GROUP BY 1"
    ),
    "SELECT age >= 65, AVG(ABS(stay_days - age)) FROM visits WHERE NOT urgent GROUP BY 1",
    (
        'visits.filter(pl.col("age").is_between(18, 64)).group_by("sex").agg('
        'pl.col("age").mean(), n=pl.col("patient_id").n_unique())'
    ),
]


@st.composite
def bounds(draw: st.DrawFn) -> ContributionBound:
    total = draw(st.integers(1, 6))
    return ContributionBound(total, draw(st.integers(1, total)), draw(st.integers(1, total)))


tables = st.dictionaries(
    st.sampled_from("abcd"), st.lists(rows, max_size=8), min_size=1, max_size=3
)


def moved(question: Question, table: dict[str, list[Row]], unit: str, secret: str) -> list[int]:
    """How far each measure moves, squared, when ``unit`` leaves."""
    with_unit = vectors(question.plan, table, secret)
    without = vectors(question.plan, {u: r for u, r in table.items() if u != unit}, secret)
    return [
        sum((a - b) ** 2 for a, b in zip(one, two, strict=True))
        for one, two in zip(with_unit, without, strict=True)
    ]


@settings(deadline=None, max_examples=100)
@given(
    text=st.sampled_from(QUESTIONS),
    bound=bounds(),
    table=tables,
    secret=st.text("xyz", max_size=3),
    data=st.data(),
)
def test_removing_a_unit_moves_a_measure_by_at_most_its_sensitivity(
    catalog: Catalog,
    text: str,
    bound: ContributionBound,
    table: dict[str, list[Row]],
    secret: str,
    data: st.DataObject,
) -> None:
    bounded = Catalog((replace(catalog.tables[0], bound=bound),))
    question = compile_question(text, {}, bounded)
    unit = data.draw(st.sampled_from(sorted(table)))
    plan = question.plan
    limits = [measure.squared_sensitivity(plan.bound) for measure in plan.measures]
    for distance, limit in zip(moved(question, table, unit, secret), limits, strict=True):
        assert distance <= limit


@settings(deadline=None, max_examples=100)
@given(of=numbers, where=conditions, bound=bounds(), unit_rows=st.lists(rows, max_size=8))
def test_the_clamp_holds_for_any_expression(
    ask: Callable[..., Question],
    of: Expr,
    where: Expr,
    bound: ContributionBound,
    unit_rows: list[Row],
) -> None:
    """Sensitivity needs no inference: whatever is summed, the measure's clamp bounds it."""
    question = ask("SELECT COUNT(*) FROM visits")
    narrow = replace(question.plan, bound=bound.for_cells(1), where=normalise(where))
    base = Measure(MeasureKind.SUM, normalise(of))
    plan = replace(
        narrow, measures=(replace(base, low=base.low - 3, high=base.high + 4, centre=base.high),)
    )
    (vector,) = vectors(plan, {"a": unit_rows}, "x")
    assert vector[0] ** 2 <= plan.measures[0].squared_sensitivity(plan.bound)


@pytest.mark.parametrize(
    ("rows_", "per_group", "groups", "squares"),
    [(8, 4, 3, 32), (8, 4, 1, 16), (5, 2, 3, 9), (7, 7, 7, 49), (3, 1, 2, 2)],
)
def test_the_sensitivity_is_reached(rows_: int, per_group: int, groups: int, squares: int) -> None:
    """The bound is tight: filling groups one after the other reaches it."""
    bound = ContributionBound(rows_, per_group, groups)
    assert bound.squared_rows == squares
    assert Measure(MeasureKind.ROWS).squared_sensitivity(bound) == squares
    assert Measure(MeasureKind.UNITS).squared_sensitivity(bound) == groups
