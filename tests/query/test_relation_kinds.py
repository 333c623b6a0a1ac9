"""Kinds of a relation's columns are those of who reads them, and of one kind each."""

from __future__ import annotations

from fractions import Fraction

import pytest

from privlab.query.expr import Call, Literal, Op, Ref
from privlab.query.relation_kinds import kind_of_unit_value, kinds_of, meeting_kind
from privlab.query.relations import UnitKind, UnitValue
from privlab.terms.catalog import Kind

AGE, STAY = Ref("age", Kind.INT), Ref("stay", Kind.FLOAT)


def test_kinds_are_those_of_all_who_read() -> None:
    both = Call(Op.ADD, (STAY, Call(Op.NEG, (AGE,))))

    assert kinds_of(None, both, Literal(1), more={"ward": Kind.TEXT}) == {
        "age": Kind.INT,
        "stay": Kind.FLOAT,
        "ward": Kind.TEXT,
    }


def test_one_column_is_not_of_two_kinds() -> None:
    with pytest.raises(TypeError, match="age is read as"):
        kinds_of(Ref("age", Kind.TEXT), AGE)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (UnitValue(UnitKind.ROWS), Kind.INT),
        (UnitValue(UnitKind.DISTINCT, STAY), Kind.INT),
        (UnitValue(UnitKind.SUM, AGE), Kind.INT),
        (UnitValue(UnitKind.SUM, AGE, step=Fraction(1, 2)), Kind.FLOAT),
        (UnitValue(UnitKind.SUM, STAY), Kind.FLOAT),
        (UnitValue(UnitKind.MEAN, AGE), Kind.FLOAT),
        (UnitValue(UnitKind.MIN, AGE), Kind.INT),
        (UnitValue(UnitKind.MAX, Literal(None)), None),
    ],
)
def test_a_number_of_a_units_rows_has_a_kind(value: UnitValue, kind: Kind | None) -> None:
    assert kind_of_unit_value(value) is kind


@pytest.mark.parametrize(
    ("one", "two", "kind"),
    [
        (Kind.INT, Kind.INT, Kind.INT),
        (Kind.INT, Kind.FLOAT, Kind.FLOAT),
        (Kind.DATETIME, Kind.DATE, Kind.DATETIME),
        (None, Kind.TEXT, Kind.TEXT),
        (None, None, Kind.BOOL),
    ],
)
def test_two_kinds_meet_in_one(one: Kind | None, two: Kind | None, kind: Kind) -> None:
    assert meeting_kind(one, two) is kind


def test_a_text_never_meets_a_number() -> None:
    with pytest.raises(TypeError, match="never equal"):
        meeting_kind(Kind.TEXT, Kind.INT)
