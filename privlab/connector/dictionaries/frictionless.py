"""A Frictionless data package or table schema, as statements.

Read here, and not by the ``frictionless`` package: a draft needs a dozen properties,
and that package opens rows, addresses and plug-ins.  References to other files are
not followed.  specs.frictionlessdata.io/table-schema, versions 1 and 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePath

from privlab.connector.dictionaries.stated import Said, Sheet, Stated, chosen, unreadable
from privlab.terms.catalog import Kind

_KINDS = {
    "string": Kind.TEXT,
    "integer": Kind.INT,
    "year": Kind.INT,
    "number": Kind.FLOAT,
    "boolean": Kind.BOOL,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
}
_PERSONAL = {"email": "an e-mail address", "uri": "an address of a page"}


def sheet(document: object, table: str, rows: str, file: str) -> Sheet:
    """What it says of the resource of this name, or whose path is the file of the rows.

    :raises BadContract: PL151, it is neither a package nor a schema, or has no such resource.
    """
    if not isinstance(document, dict):
        raise unreadable(file, "it is no data package and no table schema")
    if "resources" not in document:
        return _schema(document, file)
    tables: dict[str, Sheet] = {}
    for resource in _objects(document["resources"]):
        schema = resource.get("schema")
        if not isinstance(schema, dict):
            continue  # in another file, or none
        found = _schema(schema, file)
        tables[_text(resource.get("name"))] = found
        paths = resource.get("path")
        for path in paths if isinstance(paths, list) else [paths]:
            if rows and isinstance(path, str) and PurePath(path).name == rows:
                return found
    return chosen(tables, table, file)


def _schema(schema: dict[str, object], file: str) -> Sheet:
    if not isinstance(schema.get("fields"), list):
        raise unreadable(file, "it has no fields")
    notes: dict[str, list[str]] = {}
    for key in _objects(schema.get("foreignKeys")):
        reference = key.get("reference")
        if isinstance(reference, dict):
            other = _text(reference.get("resource")) or "this table"
            for name in _names(key.get("fields")):
                notes.setdefault(name, []).append(f"refers to {other} (foreignKeys in {file})")
    primary = _names(schema.get("primaryKey"))
    if len(primary) == 1:
        notes.setdefault(primary[0], []).append(f"one row each (primaryKey in {file})")
    missing = tuple(filter(None, map(_value, _items(schema.get("missingValues")))))
    return Sheet(
        {
            name: _stated(entry, tuple(notes.get(name, ())), file)
            for entry in _objects(schema["fields"])
            if (name := _text(entry.get("name")))
        },
        null_values=Said(missing, f"missingValues in {file}") if missing else None,
    )


def _stated(entry: dict[str, object], notes: tuple[str, ...], file: str) -> Stated:
    rules = entry.get("constraints")
    rules = rules if isinstance(rules, dict) else {}
    kind = _KINDS.get(_text(entry.get("type")))
    listed, named = rules.get("enum"), "enum"
    if listed is None:
        listed, named = entry.get("categories"), "categories"
    keys = tuple(map(_value, _items(listed)))
    about, property_ = _text(entry.get("description")), "description"
    if not about:
        about, property_ = _text(entry.get("title")), "title"
    if rules.get("unique") is True:
        notes += (f"no value twice (unique in {file})",)
    personal = _PERSONAL.get(_text(entry.get("format")))
    return Stated(
        kind=Said(kind, f"type in {file}") if kind else None,
        keys=Said(keys, f"{named} in {file}") if keys and None not in keys else None,  # type: ignore[arg-type]
        low=_end(rules, "minimum", file),
        high=_end(rules, "maximum", file),
        required=Said(True, f"required in {file}") if rules.get("required") is True else None,  # noqa: FBT003
        about=Said(about, f"{property_} in {file}") if about else None,
        withheld=Said(personal, f"format in {file}") if personal else None,
        notes=notes,
    )


def _end(rules: dict[str, object], name: str, file: str) -> Said[str] | None:
    value = _value(rules.get(name))
    return None if value is None else Said(value, f"{name} in {file}")


def _objects(value: object) -> Iterator[dict[str, object]]:
    return (entry for entry in _items(value) if isinstance(entry, dict))


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _names(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [name for name in listed if isinstance(name, str)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _value(value: object) -> str | None:
    """A scalar as it is spelled; of an object with a value and a label, the value."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else None
