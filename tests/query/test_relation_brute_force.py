"""One unit moves a question about a relation by what is declared, whatever it is made of."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.connector.contract import parse
from privlab.engine import reference_relations
from privlab.engine.reference import UNIT, bounded_sums
from privlab.query.compile import compile_question
from privlab.query.expr import Ref
from privlab.query.plan import Key, Measure, MeasureKind, Plan
from privlab.query.relation_kinds import kinds_of
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog, Kind
from tests.engine.relation_shapes import UNITS, Rows, Typed, relations, tables

KEY = b"k" * 16


def vectors(plan: Plan, rows: Rows) -> list[list[int]]:
    exprs = [plan.where, *(key.expr for key in plan.keys), *(one.of for one in plan.measures)]
    found = reference_relations.rows_of(plan.source, kinds_of(*exprs), rows)
    return bounded_sums(plan, found, KEY)


def without(rows: Rows, unit: tuple[int, int]) -> Rows:
    return {name: [row for row in its if row[UNIT] != unit] for name, its in rows.items()}


def moved(plan: Plan, rows: Rows, unit: tuple[int, int]) -> list[tuple[int, int]]:
    """Squared and absolute, per measure."""
    pairs = zip(vectors(plan, rows), vectors(plan, without(rows, unit)), strict=True)
    gaps = [[a - b for a, b in zip(one, two, strict=True)] for one, two in pairs]
    return [(sum(g * g for g in gap), sum(map(abs, gap))) for gap in gaps]


def plan_of(typed: Typed, bound: ContributionBound) -> Plan:
    """Counts and sums of all that can be summed, by the first text or truth value there is."""
    measures = [Measure(MeasureKind.ROWS), Measure(MeasureKind.UNITS)]
    for name, kind in typed.schema.items():
        ref = Ref(name, kind)
        measures.append(Measure(MeasureKind.DISTINCT, ref))
        if kind.is_number:
            measures.append(
                Measure(MeasureKind.SUM, ref, Fraction(-2), Fraction(3), Fraction(1, 2))
            )
    by = {Kind.TEXT: ("a", "b", None), Kind.BOOL: (True, False)}
    keys = [Key(Ref(n, k), k, by[k]) for n, k in typed.schema.items() if k in by][:1]
    plan = Plan(
        dataset="clinic",
        unit="patient",
        source=typed.relation,
        bound=bound,
        row_cap=1_000,
        where=None,
        keys=tuple(keys),
        measures=tuple(measures),
    )
    return replace(plan, bound=bound.for_cells(plan.cells))


@settings(max_examples=200, deadline=None)
@given(
    relations(),
    tables(),
    st.sampled_from(UNITS),
    st.sampled_from([(1, 1, 1), (2, 1, 2), (4, 2, 3), (5, 5, 2)]),
)
def test_no_unit_moves_a_relation_by_more_than_is_declared(
    typed: Typed, rows: Rows, unit: tuple[int, int], bound: tuple[int, int, int]
) -> None:
    plan = plan_of(typed, ContributionBound(*bound))

    for measure, (squared, absolute) in zip(plan.measures, moved(plan, rows, unit), strict=True):
        assert squared <= measure.squared_sensitivity(plan.bound)
        assert absolute <= measure.sensitivity(plan.bound)


def table(name: str, rows: int, columns: str) -> str:
    return (
        f'[table]\nname = "{name}"\ndataset = "clinic"\nunit = "patient"\n'
        f'rows_per_unit = {rows}\nrow_cap = 100\n[columns.patient]\ntype = "int"\n{columns}'
    )


VISITS = '[columns.ward]\ntype = "text"\nkeys = ["a", "b"]\n[columns.age]\ntype = "int"\nrange = [0, 9]\n'
DRUGS = '[columns.drug]\ntype = "text"\nkeys = ["x", "y"]\n[columns.dose]\ntype = "int"\nrange = [0, 5]\n'
CATALOG = Catalog(
    tuple(parse(table(*one)).table(1) for one in (("visits", 3, VISITS), ("drugs", 2, DRUGS)))
)
WORST: dict[str, list[dict[str, Any]]] = {
    "visits": [{"ward": "a", "age": 9}] * 3,
    "drugs": [{"drug": "x", "dose": 5}] * 2,
}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT COUNT(*) AS n FROM visits v JOIN drugs d ON v.patient = d.patient",
        "SELECT ward, SUM(dose) AS s FROM visits v JOIN drugs d ON v.patient = d.patient "  # noqa: ISC004
        "GROUP BY ward",
        "SELECT SUM(age) AS s FROM visits v LEFT JOIN drugs d ON v.patient = d.patient",
        "SELECT SUM(n) AS s FROM (SELECT patient, COUNT(*) AS n FROM visits GROUP BY patient) u",
        "SELECT SUM(s) AS s FROM (SELECT patient, SUM(age) AS s FROM visits GROUP BY patient) u",
        "SELECT SUM(x) AS s FROM (SELECT patient, MAX(dose) AS x FROM drugs GROUP BY patient) u",
        "SELECT COUNT(*) AS n FROM (SELECT age AS x FROM visits UNION ALL SELECT dose AS x "  # noqa: ISC004
        "FROM drugs) u",
        "SELECT SUM(age) AS s FROM visits WHERE patient IN (SELECT patient FROM drugs)",
    ],
)
def test_some_unit_moves_it_by_as_much(text: str) -> None:
    """The declared sensitivity is that of the worst unit, not more."""
    plan = compile_question(text, {}, CATALOG).plan
    rows = {name: [{UNIT: (1, 1), **row} for row in its] for name, its in WORST.items()}

    found = moved(plan, rows, (1, 1))

    assert [squared for squared, _ in found] == [
        measure.squared_sensitivity(plan.bound) for measure in plan.measures
    ]
