"""What a relation reads."""

from __future__ import annotations

from privlab.query.expr import Call, Literal, Op, Ref
from privlab.query.relations import (
    Join,
    PerUnit,
    Project,
    PublicRows,
    Scan,
    Union,
    UnitKind,
    UnitValue,
    is_private,
    reads,
    scans,
)
from privlab.terms.catalog import Kind

VISITS, STAYS = Scan("visits", 1), Scan("stays", 2)
WARD, STAY, AGE = Ref("ward", Kind.TEXT), Ref("stay", Kind.INT), Ref("age", Kind.INT)
OLD = Call(Op.GE, (AGE, Literal(65)))
WARDS = PublicRows((("name", Kind.TEXT), ("beds", Kind.INT)), (("A", 3),))


def test_only_the_columns_that_are_wanted_are_read() -> None:
    renamed = Project(VISITS, OLD, (("w", WARD), ("s", STAY)))
    assert reads(renamed, ["w"]) == {"visits": {"ward", "age"}}


def test_the_keys_and_the_condition_of_an_aggregation_are_always_read() -> None:
    per_unit = PerUnit(VISITS, OLD, (("w", WARD),), (("s", UnitValue(UnitKind.SUM, STAY)),))
    assert reads(per_unit, []) == {"visits": {"ward", "age"}}
    assert reads(per_unit, ["s"]) == {"visits": {"ward", "age", "stay"}}


def test_each_side_of_a_join_reads_its_own_columns() -> None:
    join = Join(
        VISITS,
        STAYS,
        ((WARD, Ref("unit", Kind.TEXT)),),
        True,  # noqa: FBT003
        False,  # noqa: FBT003
        (("stay", "stay_right"), ("ward", "ward_right")),
        (8, 8),
    )
    assert reads(join, ["stay", "stay_right"]) == {
        "visits": {"stay", "ward"},
        "stays": {"stay", "unit"},
    }
    assert scans(join) == (VISITS, STAYS)


def test_a_public_table_is_read_of_no_private_one() -> None:
    name = Ref("name", Kind.TEXT)
    join = Join(VISITS, WARDS, ((WARD, name),), False, False, (("beds", "beds"),))  # noqa: FBT003
    assert reads(join, ["beds"]) == {"visits": {"ward"}}
    assert is_private(join)
    assert not is_private(WARDS)


def test_a_union_reads_all_its_parts() -> None:
    union = Union((VISITS, STAYS, VISITS))
    assert reads(union, ["stay"]) == {"visits": {"stay"}, "stays": {"stay"}}
    assert scans(union) == (VISITS, STAYS)
