"""Where a schema file of dbt keeps its tables, and what its types are."""

from __future__ import annotations

import pytest

from privlab.connector.dictionaries import dbt
from privlab.terms.catalog import Kind

COLUMN = {"columns": [{"name": "a", "description": "of a"}]}


@pytest.mark.parametrize(
    "document",
    [
        {"models": [{"name": "visits", **COLUMN}, {"name": "wards"}]},
        {"seeds": [{"name": "visits", **COLUMN}], "models": [{"name": "wards"}]},
        {"snapshots": [{"name": "visits", **COLUMN}]},
        {"sources": [{"name": "raw", "tables": [{"name": "visits", **COLUMN}]}]},
    ],
)
def test_models_seeds_snapshots_and_sources_are_looked_through(document: object) -> None:
    about = dbt.sheet(document, "visits", "schema.yml").column("a").about

    assert about is not None
    assert (about.value, about.where) == ("of a", "description in schema.yml")


@pytest.mark.parametrize(
    ("data_type", "kind"),
    [
        ("INT64", Kind.INT), ("bigint", Kind.INT), ("integer", Kind.INT), ("numeric(8,2)", Kind.FLOAT),
        ("double precision", Kind.FLOAT), ("character varying", Kind.TEXT), ("STRING", Kind.TEXT),
        ("boolean", Kind.BOOL), ("date", Kind.DATE), ("timestamp_ntz", Kind.DATETIME),
        ("datetime2", Kind.DATETIME), ("interval", None), ("point", None), ("json", None),
    ],
)  # fmt: skip
def test_types_of_databases_are_known(data_type: str, kind: Kind | None) -> None:
    document = {"models": [{"name": "v", "columns": [{"name": "a", "data_type": data_type}]}]}

    said = dbt.sheet(document, "v", "schema.yml").column("a").kind

    assert (said.value if said else None) == kind


def test_a_file_of_odd_shapes_says_nothing_and_fails_nowhere() -> None:
    odd: dict[str, object] = {
        "name": "v",
        "columns": [{"name": "a", "tests": "x", "tags": {}}, "b", {"name": []}],
    }
    odd["columns"] += [{"name": "c", "tests": [["x"], {"accepted_values": "x"}, {"relationships": {"to": []}}]}]  # type: ignore[operator]  # fmt: skip

    found = dbt.sheet({"models": ["x", odd], "sources": "x"}, "v", "schema.yml")

    assert set(found.columns) == {"a", "c"}
    assert found.column("c").keys is None
