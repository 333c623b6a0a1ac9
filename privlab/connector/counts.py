"""What an owner is told about her rows: numbers per rule, added up piece by piece.

Computed from rows, so for her eyes only; nothing of it enters a manifest.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from privlab.connector.coarse import coarse
from privlab.connector.scan import DTYPES, casts, leaves, outside, present
from privlab.errors import BadContract
from privlab.terms.catalog import Kind
from privlab.terms.contract import Contract
from privlab.terms.treatment import Coarsening, Redaction, Treatment

_FAILED = "privlab_failed_"
_CHANGED = "privlab_changed_"
_SURE = (Kind.BOOL, Kind.INT, Kind.TEXT)
"""Kinds that every value of their own type belongs to."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What the owner should know about her file.  Computed from rows: for her eyes only.

    without_unit: rows whose unit is null.  unreadable: values that are not of
    their column's type.  outside: values outside the stated range or keys.
    unexpected_nulls: nulls in columns stated as never null.  redacted, coarsened: values
    that were replaced, or became coarser, as the contract says.  Only columns with at
    least one such value are listed.  dropped: columns that were not read.
    """

    rows_read: int
    rows_kept: int
    without_unit: int
    units: int
    unreadable: Mapping[str, int] = field(default_factory=dict)
    outside: Mapping[str, int] = field(default_factory=dict)
    unexpected_nulls: Mapping[str, int] = field(default_factory=dict)
    redacted: Mapping[str, int] = field(default_factory=dict)
    coarsened: Mapping[str, int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether every row and value is as the contract says."""
        return not (self.without_unit or self.unreadable or self.outside or self.unexpected_nulls)

    def of(self, units: int) -> Counts:
        """With the number of units, which is known last."""
        return replace(self, units=units)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is read and counted: columns to select, tests of what was read."""

    columns: tuple[pl.Expr, ...]
    fallible: tuple[str, ...]
    tests: Mapping[str, pl.Expr]


def reading(schema: pl.Schema, contract: Contract) -> Reading:
    """The contract's columns as they are stored, and what is counted of each.

    :raises BadContract: PL151, the source does not fit the contract.
    """
    readers = casts(schema, contract)
    there = leaves(schema)
    stored: dict[str, pl.Expr] = {}
    failed: dict[str, pl.Expr] = {}
    changed: dict[str, pl.Expr] = {}
    for column in contract.stated.columns:
        name, reader = column.name, readers[column.name]
        treatment = contract.treatments.get(name)
        stored[name] = left = reader
        if treatment is not None:
            stored[name] = coarse(reader, column.kind, treatment)
        if isinstance(treatment, Redaction):
            changed[name] = reader.is_not_null()
        elif treatment is not None:
            left = stored[name]
            changed[name] = reader.ne(left).fill_null(value=False)
        sure = column.kind in _SURE and there[name][1] == DTYPES[column.kind]
        if not sure or isinstance(treatment, Coarsening):
            raw = present(*there[name], contract.null_values)
            failed[name] = raw.is_not_null() & left.is_null()
    return Reading(
        (
            *(expr.alias(name) for name, expr in stored.items()),
            *(expr.alias(f"{_FAILED}{name}") for name, expr in failed.items()),
            *(expr.alias(f"{_CHANGED}{name}") for name, expr in changed.items()),
        ),
        tuple(failed),
        {c.name: test for c in contract.stated.columns if (test := outside(c)) is not None},
    )


class Counter:
    """Counts of all pieces so far, from any thread."""

    def __init__(self, contract: Contract, how: Reading) -> None:
        self._contract = contract
        self._how = how
        self._lock = threading.Lock()
        self.rows_read = 0
        self._kept = 0
        self._without_unit = 0
        self._unreadable: dict[str, int] = {}
        self._outside: dict[str, int] = {}
        self._nulls: dict[str, int] = {}
        self._changed: dict[str, int] = {}

    def add(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Count a piece; returns what is kept of it: the contract's columns alone."""
        stated = self._contract.stated
        failed = {name: int(rows[f"{_FAILED}{name}"].sum()) for name in self._how.fallible}
        changed = {n: int(rows[f"{_CHANGED}{n}"].sum()) for n in self._contract.treatments}
        frame = rows.select(c.name for c in stated.columns)
        without = frame[stated.unit].null_count()
        if without and self._contract.null_unit == "drop":
            frame = frame.filter(frame[stated.unit].is_not_null())
        tests = frame.lazy().select(t.sum().alias(name) for name, t in self._how.tests.items())
        outsiders = tests.collect(engine="in-memory").row(0, named=True) if self._how.tests else {}
        nulls = {
            c.name: frame[c.name].null_count()
            for c in stated.columns
            if not c.nullable and c.name != stated.unit
        }
        with self._lock:
            self.rows_read += rows.height
            self._kept += frame.height
            self._without_unit += without
            _add(self._unreadable, failed)
            _add(self._outside, outsiders)
            _add(self._nulls, nulls)
            _add(self._changed, changed)
        return frame

    @property
    def refused(self) -> bool:
        """Whether the version cannot come to be, so that the rest is only counted."""
        stated = self._contract.stated
        return self._kept > stated.row_cap or stated.unit in self._unreadable

    def accepted(self) -> Counts:
        """All counts but that of the units.

        :raises BadContract: PL151, ids that cannot be read, or more rows than the cap.
        """
        stated = self._contract.stated
        if self._unreadable.get(stated.unit):
            raise BadContract(
                f"{self._unreadable[stated.unit]:,} ids in {stated.unit} are not of the stated type",
                code="PL151",
                hint=f'state type = "text" for {stated.unit}: rows of different people '
                "must not become rows without an id",
            )
        if self._kept > stated.row_cap:
            raise BadContract(
                f"the source has {self._kept:,} rows, above row_cap = {stated.row_cap:,}",
                code="PL151",
                hint="raise row_cap in the contract; it must bound every later version too",
            )
        return Counts(
            rows_read=self.rows_read,
            rows_kept=self._kept,
            without_unit=self._without_unit,
            units=0,
            unreadable=dict(self._unreadable),
            outside=dict(self._outside),
            unexpected_nulls=dict(self._nulls),
            redacted=self._changed_by(Redaction),
            coarsened=self._changed_by(Coarsening),
            dropped=self._contract.dropped,
        )

    def _changed_by(self, treatment: type[Treatment]) -> dict[str, int]:
        stated = self._contract.treatments
        return {n: k for n, k in self._changed.items() if isinstance(stated[n], treatment)}


def _add(sums: dict[str, int], more: Mapping[str, int | None]) -> None:
    for name, count in more.items():
        if count:
            sums[name] = sums.get(name, 0) + int(count)
