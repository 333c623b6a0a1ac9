"""A table schema by itself, and packages of odd shapes."""

from __future__ import annotations

import pytest

from privlab.connector.dictionaries import frictionless
from privlab.errors import BadContract


def test_a_schema_by_itself_is_of_whatever_table_is_asked_for() -> None:
    schema = {"fields": [{"name": "a", "constraints": {"unique": True}}], "primaryKey": ["a", "b"]}

    assert frictionless.sheet(schema, "any", "", "s.json").column("a").notes == (
        "no value twice (unique in s.json)",
    )


def test_properties_of_odd_shapes_say_nothing_and_fail_nowhere() -> None:
    fields = [
        {"name": "a", "type": ["x"], "constraints": [], "categories": {}, "title": 3},
        {"name": "b", "constraints": {"enum": [[]], "minimum": {}, "required": "yes"}},
        {"name": 3},
        "c",
    ]
    schema = {"fields": fields, "foreignKeys": [3, {"reference": 3}], "missingValues": [None, 3, {"value": "x"}]}  # fmt: skip

    found = frictionless.sheet({"resources": [3, {"schema": schema}]}, "", "", "p.json")

    assert set(found.columns) == {"a", "b"}
    assert found.column("a") == found.column("b") == found.column("nothing")
    assert found.null_values is not None
    assert found.null_values.value == ("3", "x")


def test_a_package_whose_schemas_are_elsewhere_describes_nothing() -> None:
    with pytest.raises(BadContract, match="describes no table visits"):
        frictionless.sheet(
            {"resources": [{"name": "visits", "schema": "s.json"}]}, "visits", "", "p"
        )
