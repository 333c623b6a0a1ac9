"""The contract that the attacks are about, and tables really protected under it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from privlab.connector.contract import parse
from privlab.connector.keys import Custody
from privlab.connector.manifest import Manifest
from privlab.connector.protect import protect
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog, Table

UNIT = "patient"
ROW_CAP = 200_000
"""Two parts, so that sums of parts are added too."""

_COLUMNS = """\
[columns.patient]
type = "text"
[columns.ward]
type = "text"
keys = ["north", "south", "west"]
[columns.age]
type = "int"
range = [0, 110]
[columns.score]
type = "int"
range = [18, 60]
[columns.points]
type = "int"
range = [-10, 10]
[columns.big]
type = "int"
[columns.stay]
type = "float"
range = [-2, 60]
step = 0.25
[columns.weight]
type = "float"
[columns.urgent]
type = "bool"
[columns.day]
type = "date"
range = [2023-01-01, 2023-12-31]
[columns.at]
type = "datetime"
range = [2023-01-01, 2023-03-31]
"""


def contract_text(null_unit: str) -> str:
    return f"""\
[table]
name = "visits"
dataset = "clinic"
unit = "patient"
unit_word = "patient"
null_unit = "{null_unit}"
null_values = ["NA"]
rows_per_unit = 4
row_cap = {ROW_CAP}
rows = 500
{_COLUMNS}"""


SCHEMA: dict[str, Any] = {
    "patient": pl.String,
    "ward": pl.String,
    "age": pl.Int64,
    "score": pl.Int64,
    "points": pl.Int64,
    "big": pl.Int64,
    "stay": pl.Float64,
    "weight": pl.Float64,
    "urgent": pl.Boolean,
    "day": pl.Int32,
    "at": pl.Int64,
}
"""Of rows as tests write them: a day in days and an instant in microseconds since 1970."""

Row = dict[str, Any]
Rows = tuple[Row, ...]

CUSTODY = Custody(b"\x07" * 32)


def frame(rows: Sequence[Row]) -> pl.DataFrame:
    """The owner's file, in its own order."""
    return pl.DataFrame(
        {name: [row[name] for row in rows] for name in SCHEMA}, schema=SCHEMA
    ).with_columns(
        pl.col("day").cast(pl.Date),
        pl.col("at").cast(pl.Datetime("us")),
    )


@dataclass(frozen=True)
class Place:
    """Rows as the owner has them, protected when first asked for.

    null_unit: "drop" or "one", as in the contract.
    """

    rows: Rows
    null_unit: str

    @property
    def count(self) -> int:
        """How many rows the file has."""
        return len(self.rows)

    def file(self) -> pl.DataFrame:
        """The owner's file."""
        return frame(self.rows)

    @cached_property
    def _protected(self) -> tuple[Path, Manifest]:
        contract = parse(contract_text(self.null_unit))
        folder = Path(tempfile.mkdtemp(dir=_ROOT.name))
        source = folder / "visits.parquet"
        self.file().write_parquet(source)
        place = folder / "clinic" / "visits" / "1"
        done = protect(
            source, contract, version=1, unit_key=b"u" * 32, order_key=b"o" * 32, folder=place
        )
        manifest = Manifest.wrapping(
            contract.table(1), contract.text, done.parts, done.keys, CUSTODY, datetime.now(UTC)
        )
        return place, manifest

    @property
    def folder(self) -> Path:
        return self._protected[0]

    @property
    def manifest(self) -> Manifest:
        return self._protected[1]


@dataclass(frozen=True)
class Tiled(Place):
    """A few rows, and among them all of ``tile``, ``times`` over: too many to write down."""

    tile: Rows = ()
    times: int = 0

    @property
    def count(self) -> int:
        return len(self.rows) + self.times * len(self.tile)

    def file(self) -> pl.DataFrame:
        many = pl.concat([frame(self.tile)] * self.times)
        return pl.concat([frame(self.rows), many]).sample(fraction=1, shuffle=True, seed=1)


_ROOT = tempfile.TemporaryDirectory(prefix="privlab-attack-")


def visits(bound: ContributionBound, null_unit: str = "drop") -> Table:
    """The table as an analyst's catalog has it, under a bound of the test's choice."""
    return replace(_STATED[null_unit], bound=bound)


def catalog(bound: ContributionBound) -> Catalog:
    return Catalog((visits(bound),))


_STATED = {name: parse(contract_text(name)).table(1) for name in ("drop", "one")}
