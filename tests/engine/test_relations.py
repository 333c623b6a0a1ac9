"""Relations: Polars and plain Python agree row for row, and no unit's rows touch another's."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.engine import reference_relations as reference
from privlab.engine.reference import UNIT
from privlab.engine.relations import rows_of
from tests.engine.relation_shapes import UNITS, Rows, Typed, frames, relations, tables


def computed(typed: Typed, rows: Rows) -> list[dict[str, Any]]:
    frame = rows_of(typed.relation, typed.schema, frames(rows)).collect(engine="in-memory")
    assert set(frame.columns) == {*UNIT_COLUMNS, *typed.schema}
    return [{UNIT: tuple(row.pop(half) for half in UNIT_COLUMNS)} | row for row in frame.to_dicts()]


def exactly(rows: list[dict[str, Any]], *, signs: bool = True) -> list[Any]:
    """NaN equals NaN here, one is not 1.0, and with ``signs`` zero is not minus zero."""

    def one(value: Any) -> Any:
        if isinstance(value, float):
            sign = math.copysign(1, value) if signs else 1
            return "nan" if math.isnan(value) else ("float", value, sign)
        return (type(value).__name__, value)

    return [sorted((name, one(value)) for name, value in row.items()) for row in rows]


@settings(max_examples=300, deadline=None)
@given(relations(), tables())
def test_the_engine_equals_its_twin(typed: Typed, rows: Rows) -> None:
    """Row expressions do not tell zero from minus zero, and their twins need not agree on it."""
    expected = reference.rows_of(typed.relation, typed.schema, rows)

    assert exactly(computed(typed, rows), signs=False) == exactly(expected, signs=False)


@settings(max_examples=150, deadline=None)
@given(relations(), tables(), st.sampled_from(UNITS))
def test_removing_a_unit_leaves_all_other_rows_as_they_are(
    typed: Typed, rows: Rows, unit: tuple[int, int]
) -> None:
    """Values, order and number, bit for bit; so a unit's rows are a function of its own."""
    fewer = {name: [row for row in its if row[UNIT] != unit] for name, its in rows.items()}

    others = [row for row in computed(typed, rows) if row[UNIT] != unit]

    assert exactly(computed(typed, fewer)) == exactly(others)


@settings(max_examples=50, deadline=None)
@given(relations(), tables())
def test_rows_of_one_unit_stand_together(typed: Typed, rows: Rows) -> None:
    """Or the kernel would refuse them."""
    units = [row[UNIT] for row in computed(typed, rows)]

    assert units == sorted(units)
