"""What dictionaries say of a table, each statement with where it is written.

Values are texts as they are written; whoever knows a column's type reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Generic, TypeVar

from privlab.errors import BadContract
from privlab.terms.catalog import Kind

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Said(Generic[Value]):
    """A statement and its place, as ``enum in datapackage.json``."""

    value: Value
    where: str


@dataclass(frozen=True, slots=True)
class Stated:
    """Statements about one column; None where there is none.

    low, high: a range's ends.  required: never null.  withheld: why nobody should use
    the column.  person: it says who a row is about.  notes: further comments, whole sentences without a line break.
    """

    kind: Said[Kind] | None = None
    keys: Said[tuple[str, ...]] | None = None
    low: Said[str] | None = None
    high: Said[str] | None = None
    required: Said[bool] | None = None
    about: Said[str] | None = None
    withheld: Said[str] | None = None
    person: bool = False
    notes: tuple[str, ...] = ()

    def over(self, other: Stated) -> Stated:
        """This one's statements, and the other's where this one has none."""
        chosen = {
            f.name: getattr(self, f.name) or getattr(other, f.name)
            for f in fields(self)
            if f.name != "notes"
        }
        return Stated(**chosen, notes=self.notes + other.notes)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Statements about one table, by the names of its columns.

    null_values: texts that mean null.  unit, unit_word: who is protected, if that is
    known for sure.  notes: comments on the table.
    """

    columns: Mapping[str, Stated] = field(default_factory=dict)
    null_values: Said[tuple[str, ...]] | None = None
    unit: Said[str] | None = None
    unit_word: str = ""
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> Stated:
        """What is said of a column; nothing, if it is not named."""
        return self.columns.get(name, Stated())


def merged(sheets: Iterable[Sheet], columns: Iterable[str]) -> Sheet:
    """All statements about these columns; of two on one matter, the earlier sheet's."""
    together: dict[str, Stated] = {name: Stated() for name in columns}
    nulls: Said[tuple[str, ...]] | None = None
    unit: Said[str] | None = None
    word = ""
    notes: tuple[str, ...] = ()
    for sheet in sheets:
        together = {name: known.over(sheet.column(name)) for name, known in together.items()}
        nulls = nulls or sheet.null_values
        if unit is None and sheet.unit is not None:
            unit, word = sheet.unit, sheet.unit_word
        notes += sheet.notes
    return Sheet(together, nulls, unit, word, notes)


def chosen(tables: Mapping[str, Sheet], table: str, file: str) -> Sheet:
    """The sheet of a table, or of the only one.

    :raises BadContract: PL151, it is not clear which.
    """
    if table in tables:
        return tables[table]
    if len(tables) == 1:
        return next(iter(tables.values()))
    names = ", ".join(sorted(tables)[:20])
    raise BadContract(
        f"{file} describes no table {table}" + (f"; it describes {names}" if names else ""),
        code="PL151",
        hint="name the one that is meant: --table NAME",
    )


def unreadable(file: str, why: str) -> BadContract:
    """The words for a dictionary that cannot be used."""
    return BadContract(
        f"{file} cannot be read as a dictionary: {why}",
        code="PL151",
        hint="a Frictionless datapackage.json or table schema, or the schema.yml of dbt",
    )
