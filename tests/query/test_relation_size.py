"""Rows and sums of a relation are bounded by public facts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings

from privlab.engine import reference_relations as reference
from privlab.query.expr import Ref
from privlab.query.plan import Measure, MeasureKind, Plan
from privlab.query.relation_size import MAX_REACH, check_plan, check_relation, rows_at_most
from privlab.query.relations import (
    Join,
    PerUnit,
    Project,
    PublicRows,
    Relation,
    Scan,
    Union,
    UnitKind,
    UnitValue,
)
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from tests.engine.relation_shapes import SCHEMAS, Rows, Typed, relations, tables

T, S = Scan("t", 1), Scan("s", 1)


def joined(*names: tuple[str, str], keep_left: bool = True) -> Join:
    return Join(T, S, (), unit=True, keep_left=keep_left, right_names=names, most=(2, 3))


CODES = PublicRows((("a", Kind.INT),), ((1,), (2,)))
TWICE = PublicRows((("a", Kind.INT),), ((1,), (1,), (2,)))
A, CAPS = Ref("a", Kind.INT), {"t": 100, "s": 10}


@settings(max_examples=150, deadline=None)
@given(relations(), tables())
def test_no_relation_has_more_rows(typed: Typed, rows: Rows) -> None:
    found = reference.rows_of(typed.relation, typed.schema, rows)

    assert len(found) <= rows_at_most(
        typed.relation, {name: len(its) for name, its in rows.items()}
    )


@pytest.mark.parametrize(
    ("relation", "rows"),
    [
        (T, 100),
        (Union((T, S, T)), 210),
        (joined(keep_left=False), 20),
        (joined(keep_left=True), 120),
        (Join(T, CODES, ((A, A),), unit=False, keep_left=False, right_names=()), 100),
        (Join(T, TWICE, ((A, A),), unit=False, keep_left=False, right_names=()), 200),
    ],
)
def test_rows_are_counted_from_caps(relation: Relation, rows: int) -> None:
    assert rows_at_most(relation, CAPS) == rows
    check_relation(relation, CAPS)


def summed(high: int, step: Fraction = Fraction(1), of: Any = A) -> PerUnit:
    return PerUnit(
        T, None, (), (("s", UnitValue(UnitKind.SUM, of, Fraction(0), high * step, step)),)
    )


def test_a_sum_per_unit_stays_inside_int64() -> None:
    most = (MAX_REACH - 1) // 100
    check_relation(summed(most), CAPS)
    check_relation(summed(most, Fraction(1 << 70), Ref("f", Kind.FLOAT)), CAPS)
    for wide in (summed(most + 1), summed(most, Fraction(2)), Project(summed(most + 1), None, ())):
        with pytest.raises(ValueError, match="inside int64"):
            check_relation(wide, CAPS)


@pytest.mark.parametrize(
    "relation",
    [
        Project(T, None, (("privlab_unit_hi", A),)),
        PerUnit(T, None, (("privlab_unit_lo", A),), ()),
        PerUnit(T, None, (), (("privlab_at", UnitValue(UnitKind.ROWS)),)),
        joined(("a", "privlab_b")),
        Union((T, Project(T, None, (("privlab_", A),)))),
    ],
)
def test_no_column_takes_the_place_of_the_pseudonym(relation: Relation) -> None:
    """Rows would be of other units than they are."""
    with pytest.raises(ValueError, match="begins with privlab_"):
        check_relation(relation, CAPS)


@pytest.mark.parametrize(
    "source",
    [
        Project(T, None, (("b", A),)),
        PerUnit(T, None, (), ()),
        Join(
            T,
            PerUnit(S, None, (), ()),
            (),
            unit=True,
            keep_left=True,
            right_names=(("a", "a"),),
            most=(1, 1),
        ),
        Union((Project(T, None, (("a", A),)), Project(T, None, ()))),
        Join(T, CODES, ((A, Ref("x", Kind.INT)),), unit=False, keep_left=False, right_names=()),
    ],
)
def test_a_column_that_nobody_has_is_found_before_anything_is_charged(source: Relation) -> None:
    plan = Plan(
        dataset="clinic",
        unit="patient",
        source=source,
        bound=ContributionBound(1, 1, 1),
        row_cap=10,
        where=None,
        keys=(),
        measures=(Measure(MeasureKind.ROWS, A),),
    )
    check_plan(replace(plan, source=Project(T, None, (("a", A),))), CAPS)
    with pytest.raises(ValueError, match="has not all the columns"):
        check_plan(plan, CAPS)


@settings(max_examples=100, deadline=None)
@given(relations())
def test_a_relation_that_can_be_computed_is_let_through(typed: Typed) -> None:
    plan = Plan(
        dataset="clinic",
        unit="patient",
        source=typed.relation,
        bound=ContributionBound(1, 1, 1),
        row_cap=10,
        where=None,
        keys=(),
        measures=tuple(
            Measure(MeasureKind.ROWS, Ref(name, kind)) for name, kind in typed.schema.items()
        ),
    )
    check_plan(plan, dict.fromkeys(SCHEMAS, 10))
