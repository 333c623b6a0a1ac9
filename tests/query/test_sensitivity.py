"""One unit moves each measure by at most its stated sensitivity.

The promise everything else rests on: random tables, random bounds, random
questions, compared with the plain-Python evaluation in ``brute_force.py``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.query.compile import compile_question
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Expr, Measure, MeasureKind, Question
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog
from tests.query.brute_force import scores, vectors
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
    "SELECT sex, COUNT(DISTINCT age), COUNT(DISTINCT admitted), COUNT(*) FROM visits GROUP BY sex",
    "SELECT COUNT(DISTINCT CASE WHEN urgent THEN stay_days END) FROM visits WHERE age > 3",
]

QUANTILES = [
    "SELECT sex, MEDIAN(LEAST(GREATEST(age, -4), 4)) FROM visits GROUP BY sex",
    "SELECT QUANTILE(LEAST(GREATEST(stay_days, 0), 5), 0.9) FROM visits WHERE age > 3",
    "SELECT urgent, sex, MIN(LEAST(GREATEST(cost, 0), 0.09)) FROM visits GROUP BY urgent, sex",
    "visits.group_by('sex').agg(pl.col('age').clip(-3, 3).filter(pl.col('urgent')).quantile(0.3))",
    (
        "SELECT sex, MEDIAN(LEAST(GREATEST(admitted, DATE '2023-03-01'), DATE '2023-03-09')) FROM visits "
        "GROUP BY sex"
    ),
    "SELECT MAX(LEAST(GREATEST(CAST(seen AS DATE), DATE '2024-12-01'), DATE '2024-12-04')) FROM visits",
]


@st.composite
def bounds(draw: st.DrawFn) -> ContributionBound:
    total = draw(st.integers(1, 6))
    return ContributionBound(total, draw(st.integers(1, total)), draw(st.integers(1, total)))


tables = st.dictionaries(
    st.sampled_from("abcd"), st.lists(rows, max_size=8), min_size=1, max_size=3
)


def moved(
    question: Question, table: dict[str, list[Row]], unit: str, secret: str
) -> list[list[int]]:
    """How far each cell of each measure moves when ``unit`` leaves."""
    with_unit = vectors(question.plan, table, secret)
    without = vectors(question.plan, {u: r for u, r in table.items() if u != unit}, secret)
    return [
        [abs(a - b) for a, b in zip(one, two, strict=True)]
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
    for cells, measure in zip(moved(question, table, unit, secret), plan.measures, strict=True):
        assert sum(cell**2 for cell in cells) <= measure.squared_sensitivity(plan.bound)
        assert sum(cells) <= measure.sensitivity(plan.bound)


@settings(deadline=None, max_examples=100)
@given(
    text=st.sampled_from(QUANTILES),
    bound=bounds(),
    table=tables,
    secret=st.text("xyz", max_size=3),
    data=st.data(),
)
def test_removing_a_unit_moves_scores_by_one_in_as_many_groups_as_are_paid(
    catalog: Catalog,
    text: str,
    bound: ContributionBound,
    table: dict[str, list[Row]],
    secret: str,
    data: st.DataObject,
) -> None:
    bounded = Catalog((replace(catalog.tables[0], bound=bound),))
    plan = compile_question(text, {}, bounded).plan
    unit = data.draw(st.sampled_from(sorted(table)))
    without = {u: r for u, r in table.items() if u != unit}
    (measure,) = plan.measures
    pairs = zip(
        scores(plan, measure, table, secret), scores(plan, measure, without, secret), strict=True
    )
    moved_by = [max(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in pairs]
    assert max(moved_by) <= 1
    assert sum(moved_by) <= measure.sensitivity(plan.bound) == plan.bound.groups


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
    assert abs(vector[0]) <= plan.measures[0].sensitivity(plan.bound)


@pytest.mark.parametrize(
    ("rows_", "per_group", "groups", "squares", "most"),
    [(8, 4, 3, 32, 8), (8, 4, 1, 16, 4), (5, 2, 3, 9, 5), (7, 7, 7, 49, 7), (3, 1, 2, 2, 2)],
)
def test_the_sensitivity_is_reached(
    rows_: int, per_group: int, groups: int, squares: int, most: int
) -> None:
    """The bounds are tight: filling groups one after the other reaches both."""
    bound = ContributionBound(rows_, per_group, groups)
    sums = Measure(MeasureKind.SUM, low=Fraction(-2), high=Fraction(3))
    assert sums.sensitivity(bound) == 3 * most
    assert Measure(MeasureKind.ROWS).sensitivity(bound) == most
    assert Measure(MeasureKind.UNITS).sensitivity(bound) == groups
    assert bound.squared_rows == squares
    assert Measure(MeasureKind.ROWS).squared_sensitivity(bound) == squares
    assert Measure(MeasureKind.UNITS).squared_sensitivity(bound) == groups


@pytest.mark.parametrize("aggregate", ["COUNT(*)", "SUM(age)", "COUNT(DISTINCT patient_id)"])
@pytest.mark.parametrize("bound", [(1, 1, 1), (3, 2, 1), (3, 2, 2), (4, 2, 2), (5, 5, 2)])
def test_some_table_moves_a_measure_by_its_whole_l1_sensitivity(
    catalog: Catalog, aggregate: str, bound: tuple[int, int, int]
) -> None:
    """Every multiset of up to five rows of one unit, at both ends of the range, is tried."""
    table = replace(catalog.tables[0], bound=ContributionBound(*bound))
    text = f"SELECT sex, {aggregate} FROM visits GROUP BY sex"
    plan = compile_question(text, {}, Catalog((table,))).plan
    choices = [{"sex": sex, "age": age} for sex in "fm" for age in (0, 110)]
    worst = max(
        sum(map(abs, vectors(plan, {"a": list(rows_)}, "x")[0]))
        for count in range(6)
        for rows_ in itertools.combinations_with_replacement(choices, count)
    )
    assert worst == plan.measures[0].sensitivity(plan.bound)


@pytest.mark.parametrize("bound", [(1, 1, 1), (3, 2, 1), (3, 2, 2), (4, 2, 2), (5, 5, 2)])
def test_values_that_nobody_else_has_reach_the_sensitivity_of_distinct_values(
    catalog: Catalog, bound: tuple[int, int, int]
) -> None:
    table = replace(catalog.tables[0], bound=ContributionBound(*bound))
    text = "SELECT sex, COUNT(DISTINCT age) FROM visits GROUP BY sex"
    plan = compile_question(text, {}, Catalog((table,))).plan
    found = [
        vectors(plan, {"a": [{"sex": s, "age": at} for at, s in enumerate(sexes)]}, "x")[0]
        for count in range(8)
        for sexes in itertools.product("fm", repeat=count)
    ]
    (measure,) = plan.measures
    assert max(map(sum, found)) == measure.sensitivity(plan.bound)
    assert max(a**2 + b**2 for a, b, _ in found) == measure.squared_sensitivity(plan.bound)
