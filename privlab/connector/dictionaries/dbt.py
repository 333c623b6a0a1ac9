"""The schema file of a dbt project, as statements: columns, and the tests they must pass.

A test that dbt runs on every build is a statement of the owner's.  Of packages, the
ranges of ``dbt_utils`` and ``dbt_expectations`` are known.  docs.getdbt.com, "Model
properties" and "About data tests property".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from privlab.connector.dictionaries.stated import Said, Sheet, Stated, chosen, unreadable
from privlab.terms.catalog import Kind

_LISTS = ("models", "seeds", "snapshots")
_RANGES = (
    "dbt_utils.accepted_range",
    "dbt_expectations.expect_column_values_to_be_between",
)
_PERSONAL = {"pii", "phi", "contains_pii", "personal", "sensitive"}
_REFERENCE = re.compile(r"(?:ref|source)\((['\"][^'\"]+['\"](?:\s*,\s*['\"][^'\"]+['\"])*)\)")
_KINDS = (
    (r"bool", Kind.BOOL),
    (r"(?:tiny|small|medium|big|byte|u)*int(?:eger|\d+)?\b|serial|bigserial", Kind.INT),
    (r"float|double|real|numeric|decimal|number|bignumeric", Kind.FLOAT),
    (r"timestamp|datetime", Kind.DATETIME),
    (r"date$", Kind.DATE),
    (r"(?:var|n|nvar)?char|character|text|string|uuid|citext", Kind.TEXT),
)


def sheet(document: object, table: str, file: str) -> Sheet:
    """What it says of the model, source, seed or snapshot of this name.

    :raises BadContract: PL151, it describes no tables, or not this one.
    """
    if not isinstance(document, dict):
        raise unreadable(file, "it is no schema file of dbt")
    entries = [entry for name in _LISTS for entry in _objects(document.get(name))]
    for source in _objects(document.get("sources")):
        entries += _objects(source.get("tables"))
    if not entries:
        raise unreadable(file, "it has no models, sources, seeds or snapshots")
    tables = {_text(entry.get("name")): entry for entry in entries}
    return chosen({name: _table(entry, file) for name, entry in tables.items()}, table, file)


def _table(entry: dict[str, object], file: str) -> Sheet:
    columns = {
        name: _stated(column, file)
        for column in _objects(entry.get("columns"))
        if (name := _text(column.get("name")))
    }
    return Sheet(columns)


def _stated(column: dict[str, object], file: str) -> Stated:
    said = Stated(
        kind=_kind(_text(column.get("data_type")), file),
        about=_said(_text(column.get("description")).strip(), "description", file),
        withheld=_personal(column, file),
    )
    for name, arguments in _tests(column):
        said = _tested(said, name, arguments, file)
    return said


def _tested(said: Stated, name: str, arguments: dict[str, object], file: str) -> Stated:
    if name == "not_null":
        return Stated(required=Said(True, f"not_null in {file}")).over(said)  # noqa: FBT003
    if name == "unique":
        return said.over(Stated(notes=(f"no value twice (unique in {file})",)))
    if name == "accepted_values":
        listed = arguments.get("values")
        values = tuple(v for v in listed if isinstance(v, str)) if isinstance(listed, list) else ()
        return (
            said.over(Stated(keys=Said(values, f"accepted_values in {file}"))) if values else said
        )
    if name == "relationships":
        found = _REFERENCE.search(_text(arguments.get("to")))
        other = re.split(r"\s*,\s*", found[1])[-1].strip("'\"") if found else "another table"
        return said.over(Stated(notes=(f"refers to {other} (relationships in {file})",)))
    if name in _RANGES and arguments.get("inclusive", "true") == "true":
        low, high = _text(arguments.get("min_value")), _text(arguments.get("max_value"))
        return said.over(Stated(low=_said(low, name, file), high=_said(high, name, file)))
    return said


def _tests(column: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    """Name and arguments of each test; arguments may stand under ``arguments``."""
    for key in ("data_tests", "tests"):
        listed = column.get(key)
        for test in listed if isinstance(listed, list) else ():
            if isinstance(test, str):
                yield test, {}
            elif isinstance(test, dict):
                for name, arguments in test.items():
                    given = arguments if isinstance(arguments, dict) else {}
                    if "where" not in _config(given):
                        inner = given.get("arguments")
                        yield str(name), inner if isinstance(inner, dict) else given


def _config(given: dict[str, object]) -> dict[str, object]:
    """A test's settings: with a condition it says nothing of all rows."""
    config = given.get("config")
    return {**given, **config} if isinstance(config, dict) else given


def _personal(column: dict[str, object], file: str) -> Said[str] | None:
    tags = column.get("tags")
    words = [tags] if isinstance(tags, str) else tags if isinstance(tags, list) else []
    if any(isinstance(word, str) and word.lower() in _PERSONAL for word in words):
        return Said("personal", f"tags in {file}")
    meta = column.get("meta")
    for name, value in meta.items() if isinstance(meta, dict) else ():
        if str(name).lower() in _PERSONAL and str(value).lower() not in ("false", "no", ""):
            return Said("personal", f"meta in {file}")
    return None


def _kind(data_type: str, file: str) -> Said[Kind] | None:
    for form, kind in _KINDS:
        if re.match(form, data_type.strip().lower()):
            return Said(kind, f"data_type in {file}")
    return None


def _said(text: str, name: str, file: str) -> Said[str] | None:
    return Said(text, f"{name} in {file}") if text else None


def _objects(value: object) -> list[dict[str, object]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
