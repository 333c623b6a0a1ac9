"""The reference, checked by hand: few enough rows to count on fingers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from privlab.engine.reference import UNIT, bounded_sums, siphash
from privlab.query.plan import Call, Key, Literal, Measure, MeasureKind, Op, Plan, Ref
from privlab.query.relations import Scan
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind

WARD, STAY = Ref("ward", Kind.TEXT), Ref("stay", Kind.INT)
BY_WARD = (Key(WARD, Kind.TEXT, ("a", "b")),)
KEY = bytes(16)


def row(unit: int, ward: str | None, stay: int | None) -> dict[str, Any]:
    return {UNIT: (unit, 0), "ward": ward, "stay": stay}


ROWS = [
    row(1, "a", 10), row(1, "a", 99), row(1, "b", 5), row(1, "c", 7), row(1, "a", 1),
    row(2, "b", None), row(2, None, 4), row(3, "b", -50),
]  # fmt: skip


def plan(measure: Measure, bound: ContributionBound, **changes: Any) -> Plan:
    whole: dict[str, Any] = {
        "dataset": "d", "source": Scan("t", 1), "unit": "u", "bound": bound, "row_cap": 10,
        "where": None, "keys": BY_WARD, "measures": (measure,),
    }  # fmt: skip
    return Plan(**{**whole, **changes})


def sums(measure: Measure, bound: ContributionBound, **changes: Any) -> list[int]:
    return bounded_sums(plan(measure, bound, **changes), ROWS, KEY)[0]


COUNT = Measure(MeasureKind.ROWS)
TOTAL = Measure(MeasureKind.SUM, STAY, Fraction(-20), Fraction(20))
ALL = ContributionBound(9, 9, 9)


@pytest.mark.parametrize(
    ("measure", "bound", "expected"),
    [
        (COUNT, ALL, [3, 3]),
        (Measure(MeasureKind.ROWS, STAY), ALL, [3, 2]),
        (Measure(MeasureKind.UNITS), ALL, [1, 3]),
        (TOTAL, ALL, [10 + 20 + 1, 5 - 20]),
        (COUNT, ContributionBound(2, 2, 2), [2, 2]),
        (COUNT, ContributionBound(9, 1, 9), [1, 3]),
        (TOTAL, ContributionBound(9, 1, 9), [10, 5 - 20]),
        (Measure(MeasureKind.UNITS, STAY), ALL, [1, 2]),
    ],
)
def test_sums_are_those_of_the_fingers(
    measure: Measure, bound: ContributionBound, expected: list[int]
) -> None:
    assert sums(measure, bound) == expected


def test_one_group_per_unit_keeps_the_one_the_key_prefers() -> None:
    """Unit 1 is in a or in b, never in both."""
    found = sums(COUNT, ContributionBound(9, 9, 1))

    assert found in ([3, 2], [0, 3])


def test_units_are_counted_in_rows_beyond_the_bound_on_rows() -> None:
    """Unit 1 is in a and, in its third row, in b; one row of it is summed."""
    bound = ContributionBound(1, 1, 1)

    assert sums(COUNT, bound) == [1, 2]
    assert sum(sums(Measure(MeasureKind.UNITS), bound)) == 3
    two = ContributionBound(2, 1, 2)
    assert sums(COUNT, two) == [1, 2]
    assert sums(Measure(MeasureKind.UNITS), two) == [1, 3]
    assert sums(Measure(MeasureKind.UNITS, STAY), two) == [1, 2]


def test_where_is_judged_before_rows_are_bounded() -> None:
    where = Call(Op.LT, (STAY, Literal(6)))

    assert sums(COUNT, ContributionBound(1, 1, 1), where=where) == [0, 2]


def test_no_keys_make_one_cell() -> None:
    assert sums(COUNT, ALL, keys=()) == [8]


def test_siphash_gives_the_answers_of_its_authors() -> None:
    """Aumasson and Bernstein's vectors, for messages of 0 and 8 bytes 00 01 02 ..."""
    key = bytes(range(16))

    assert siphash(key, ()) == 0x726FDB47DD0E0E31
    assert siphash(key, (0x0706050403020100,)) == 0x93F5F5799A932462
