"""What can be asked about: tables and columns, as a contract states them.

Every figure here is an owner's public statement.  Nothing in this module may
be computed from rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from privlab.terms.bounds import ContributionBound
from privlab.terms.loss import Currency

Scalar = bool | int | Fraction | str | date | datetime
"""A value of a question or of a public key.  Never a float: decimals are Fractions."""


class Kind(StrEnum):
    """The type of a column or of an expression."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    DATE = "date"
    DATETIME = "datetime"

    @property
    def is_number(self) -> bool:
        return self in (Kind.INT, Kind.FLOAT)

    @property
    def is_time(self) -> bool:
        return self in (Kind.DATE, Kind.DATETIME)


@dataclass(frozen=True, slots=True)
class Found:
    """Bounds that an asker's own released histogram gave a column, and which one.

    words: whose and of when, as in "your measurement of 2025-03-01".  view: the id of
    the histogram, of which this is the first measurement that gave any.
    """

    low: Fraction
    high: Fraction
    words: str
    view: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column as its contract states it.

    low, high: the stated range, inclusive: Fractions for numbers, dates for
    dates and datetimes; both or neither.  Values outside are clamped (numbers)
    or belong to no group (keys).
    step: the grid on which a FLOAT is summed, in the column's own unit.
    keys: every value that may form a group, or None.
    found: bounds for a number without a stated range, which no contract has: they
    are one asker's, and say where values are clamped and nothing else.  searched:
    words of her measurement that gave none.  measured: how many times she asked for
    bounds anew, the first included.
    """

    name: str
    kind: Kind
    nullable: bool = True
    low: Fraction | date | None = None
    high: Fraction | date | None = None
    step: Fraction | None = None
    keys: tuple[Scalar, ...] | None = None
    withheld: bool = False
    about: str = ""
    found: Found | None = None
    searched: str = ""
    measured: int = 0

    def ranged(self, low: Fraction, high: Fraction) -> Column:
        """The column with another range."""
        return replace(self, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Table:
    """One version of one table of a dataset.

    unit: name of the column that identifies the privacy unit; unit_word: what
    people call it ("patient").  row_cap: no version may hold more rows, so that
    overflow can be excluded.  rows: the declared, public, approximate size.
    currency: what losses are counted in, the same for all tables of a dataset.
    retention_days: how long a version may be kept after it was protected; None is for ever.
    """

    dataset: str
    name: str
    version: int
    unit: str
    unit_word: str
    bound: ContributionBound
    row_cap: int
    columns: tuple[Column, ...]
    rows: int | None = None
    units: int | None = None
    purposes: tuple[str, ...] = ()
    sensitivity: int = 0
    synthetic: bool = False
    about: str = ""
    currency: Currency = Currency.GDP
    retention_days: int | None = None

    def column(self, name: str) -> Column | None:
        """The column called ``name``, or None.  Names are matched exactly."""
        return next((c for c in self.columns if c.name == name), None)

    def replacing(self, columns: Mapping[str, Column]) -> Table:
        """The table with other columns under the same names."""
        return replace(self, columns=tuple(columns.get(c.name, c) for c in self.columns))


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tables an analyst can name, latest version of each."""

    tables: tuple[Table, ...] = field(default=())

    def table(self, name: str) -> Table | None:
        """By table name, or by ``dataset.table``.  Of two of one name, the first."""
        for table in self.tables:
            if name in (table.name, f"{table.dataset}.{table.name}"):
                return table
        return None
