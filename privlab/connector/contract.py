"""A contract's TOML, read into `Contract`, or every problem with it at once.

An owner writes about ten lines per table.  Whatever is missing, misspelt or
contradictory is listed together, each with what to type instead.  Decimals are
read as exact Fractions: no float touches a range or a step.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import NamedTuple

from privlab.connector.column import TREATMENTS, column_of, section_lines
from privlab.connector.fields import OPEN, Fields, Problems
from privlab.connector.treatment import is_dropped, treatment_of
from privlab.errors import BadContract
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Column, Kind, Table
from privlab.terms.contract import Contract
from privlab.terms.loss import Currency
from privlab.terms.treatment import Treatment

MAX_ROW_CAP = 1 << 40
"""Rows a version may be allowed at most."""

MAX_COLUMNS = 1_000
MAX_RETENTION = 36_500
"""Days: a hundred years."""

MAX_EXPONENT = 30

_TABLE_FIELDS = (
    "name",
    "dataset",
    "about",
    "unit",
    "unit_word",
    "null_unit",
    "rows_per_unit",
    "rows_per_group",
    "groups_per_unit",
    "row_cap",
    "rows",
    "units",
    "purposes",
    "sensitivity",
    "privacy",
    "retention_days",
    "synthetic",
    "null_values",
)


def parse(text: str) -> Contract:
    """Read a contract.

    :raises BadContract: PL150; ``facts`` has one numbered line per problem.
    """
    problems = Problems()
    document = _document(text)
    for name in document:
        if name not in ("table", "columns"):
            problems.unknown(name, ("table", "columns"), "the contract")
    stated = _table(document, problems)
    if problems.found or stated is None:
        raise problems.error()
    table, null_unit, null_values, columns = stated
    return Contract(table, null_values, null_unit, text, columns.treatments, columns.dropped)


class _Columns(NamedTuple):
    """The table's columns, what is done to their values, and what is never read."""

    stored: tuple[Column, ...] = ()
    treatments: dict[str, Treatment] = {}  # noqa: RUF012  never changed
    dropped: tuple[str, ...] = ()


def _document(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text, parse_float=_exact)
    except tomllib.TOMLDecodeError as error:
        raise BadContract(
            "the contract is not TOML",
            facts={"1": str(error)},
            hint='write: name = "visits"',
        ) from None
    except (InvalidOperation, ValueError):
        raise BadContract(
            "the contract holds a number that is not finite or has too many digits",
            hint="write plain decimals, for example: range = [0, 99.5]",
        ) from None


def _exact(text: str) -> Fraction:
    value = Decimal(text.replace("_", ""))
    if not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT or len(text) > 100:
        raise ValueError("out of reach")
    return Fraction(value)


def _table(
    document: dict[str, object], problems: Problems
) -> tuple[Table, str, tuple[str, ...], _Columns] | None:
    section = document.get("table")
    if not isinstance(section, dict):
        problems.add("there is no [table] section; begin with: [table]")
        section = {}
    fields = Fields("[table]", section, problems)
    fields.only(_TABLE_FIELDS)
    name = fields.identifier("name", 'name = "visits"')
    dataset = fields.identifier("dataset", 'dataset = "hospital"')
    unit = fields.text("unit", 'unit = "patient_id"', required=True)
    unit_word = fields.text("unit_word", 'unit_word = "patient"') or unit
    about = fields.text("about", 'about = "admissions since 2019"')
    null_unit = fields.choice("null_unit", ("drop", "one"), "drop")
    row_cap = fields.count("row_cap", "row_cap = 2_000_000", most=MAX_ROW_CAP)
    rows = fields.count("rows", "rows = 1_500_000", most=MAX_ROW_CAP, required=False)
    units = fields.count("units", "units = 300_000", most=MAX_ROW_CAP, required=False)
    retention = fields.count(
        "retention_days", "retention_days = 400", most=MAX_RETENTION, required=False
    )
    purposes = fields.texts("purposes", 'purposes = ["exploration", "audit"]')
    sensitivity = fields.level("sensitivity", 3)
    currency = Currency(fields.choice("privacy", tuple(Currency), Currency.GDP))
    synthetic = fields.flag("synthetic", default=False)
    null_values = fields.texts("null_values", 'null_values = ["NA"]')
    bound = _bound(fields, problems)
    columns = _columns(document, row_cap, unit, problems)
    if unit and columns.stored and all(c.name != unit for c in columns.stored):
        problems.add(
            f"the unit column {unit!r} is not among the columns"
            + problems.nearest(unit, tuple(c.name for c in columns.stored))
            + f"; {section_lines(unit)}"
        )
    if problems.found or bound is None or row_cap is None:
        return None
    table = Table(
        dataset=dataset,
        name=name,
        version=0,
        unit=unit,
        unit_word=unit_word,
        bound=bound,
        row_cap=row_cap,
        columns=columns.stored,
        rows=rows,
        units=units,
        purposes=purposes,
        sensitivity=sensitivity,
        synthetic=synthetic,
        about=about,
        currency=currency,
        retention_days=retention,
    )
    return table, null_unit, null_values, columns


def _bound(fields: Fields, problems: Problems) -> ContributionBound | None:
    most = 1_000_000
    rows = fields.count("rows_per_unit", "rows_per_unit = 8", most=most)
    per_group = fields.count("rows_per_group", "rows_per_group = 4", most=most, required=False)
    groups = fields.count("groups_per_unit", "groups_per_unit = 3", most=most, required=False)
    if rows is None:
        return None
    for name, value in (("rows_per_group", per_group), ("groups_per_unit", groups)):
        if value is not None and value > rows:
            problems.add(
                f"[table] {name} = {value} is above rows_per_unit = {rows}; write: {name} = {rows}"
            )
            return None
    return ContributionBound(rows, per_group or rows, groups or rows)


def _columns(
    document: dict[str, object], row_cap: int | None, unit: str, problems: Problems
) -> _Columns:
    section = document.get("columns")
    if not isinstance(section, dict) or not section:
        problems.add(f"there are no columns; {section_lines('age')}")
        return _Columns()
    if len(section) > MAX_COLUMNS:
        problems.add(f"there are {len(section)} columns; at most {MAX_COLUMNS} are possible")
        return _Columns()
    found: list[Column] = []
    treatments: dict[str, Treatment] = {}
    dropped: list[str] = []
    for name, entry in section.items():
        if name != unit and is_dropped(name, entry, problems):
            dropped.append(name)
            continue
        column = column_of(name, entry, row_cap or MAX_ROW_CAP, problems)
        if column is None:
            found.append(Column(name, Kind.TEXT))  # its problems are listed already
            continue
        if name == unit and unit != OPEN:
            _check_unit(column, entry, problems)
        elif (treatment := treatment_of(column, entry, problems)) is not None:
            treatments[name] = treatment
            about = "; ".join(filter(None, (column.about, treatment.words)))
            column = replace(column, about=about)
        found.append(column)
    if dropped and not found:
        problems.add(f"every column is dropped; {section_lines('age')}")
    return _Columns(tuple(found), treatments, tuple(dropped))


def _check_unit(column: Column, entry: dict[str, object], problems: Problems) -> None:
    for field in TREATMENTS:
        if field in entry:
            problems.add(
                f"[columns.{column.name}] is the unit: remove {field}; its ids are never stored, "
                "and coarser ones would make one unit of several"
            )
    where = f"[columns.{column.name}]"
    if column.kind not in (Kind.INT, Kind.TEXT):
        problems.add(f'{where} is the unit, so its type is "int" or "text", not "{column.kind}"')
    if column.keys is not None or column.low is not None:
        problems.add(f"{where} is the unit: remove its keys and range, nothing of it is public")
