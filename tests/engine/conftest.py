"""A protected table with awkward values, and an engine that outlives the tests of a session."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from privlab.connector.bucket import open_bucket
from privlab.connector.contract import parse
from privlab.connector.keys import Custody
from privlab.connector.manifest import UNIT_COLUMNS, Manifest
from privlab.connector.protect import protect
from privlab.engine.handle import Engine
from privlab.engine.job import Job
from privlab.engine.reference import UNIT
from privlab.query.plan import Expr, Key, Measure, Plan
from privlab.query.relations import Scan
from privlab.terms.bounds import ContributionBound
from privlab.terms.noise import Choice, Noise, RoundedGaussian

CONTRACT = """\
[table]
name = "visits"
dataset = "clinic"
unit = "patient"
rows_per_unit = 4
row_cap = 2_000_000

[columns.patient]
type = "int"
[columns.ward]
type = "text"
keys = ["north", "south", "west"]
[columns.age]
type = "int"
range = [0, 110]
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
"""

SCHEMA = {
    "patient": pl.Int64,
    "ward": pl.String,
    "age": pl.Int64,
    "big": pl.Int64,
    "stay": pl.Float64,
    "weight": pl.Float64,
    "urgent": pl.Boolean,
    "day": pl.Date,
    "at": pl.Datetime("us"),
}

QUIET = RoundedGaussian(1, 40)
"""Noise so small that it rounds to nothing: what comes back is exact."""

SHARP = Choice.at_most(Fraction(1000))
"""A choice that takes a best answer whenever the word is not one in a googol."""


def frame(rows: int = 400) -> pl.DataFrame:
    """Deterministic rows with nulls, outsiders and extremes in every column."""
    big = (0, 2**63 - 1, -(2**63), 5, -7, None)
    weights = (0.1, -0.1, 1e308, -1e308, 0.0, None, 72.5)
    return pl.DataFrame(
        {
            "patient": [n * 7919 % 97 for n in range(rows)],
            "ward": [("north", "south", "west", "attic", None)[n * 31 % 5] for n in range(rows)],
            "age": [(n * 37 % 140) - 10 if n % 11 else None for n in range(rows)],
            "big": [big[n % 6] for n in range(rows)],
            "stay": [(n % 300) / 4 - 3 if n % 13 else None for n in range(rows)],
            "weight": [weights[n % 7] for n in range(rows)],
            "urgent": [(True, False, None)[n % 3] for n in range(rows)],
            "day": [
                date(2022, 12, 20).replace(day=1 + n % 31)
                if n % 5 == 0
                else date(2023, 1 + n % 12, 1 + n % 28)
                if n % 17
                else None
                for n in range(rows)
            ],
            "at": [datetime(2023, 1 + n % 12, 1 + n % 28, n % 24, n % 60) for n in range(rows)],
        },
        schema=SCHEMA,
    )


@dataclass(frozen=True)
class Place:
    """A protected ``clinic.visits``, who may open it, and its rows in their stored order."""

    folder: Path
    manifest: Manifest
    custody: Custody
    rows: list[dict[str, Any]]

    def plan(
        self,
        *measures: Measure,
        keys: tuple[Key, ...] = (),
        where: Expr | None = None,
        bound: ContributionBound | None = None,
    ) -> Plan:
        return Plan(
            dataset="clinic",
            source=Scan("visits", 1),
            unit="patient",
            bound=bound or ContributionBound(4, 4, 4),
            row_cap=2_000_000,
            where=where,
            keys=keys,
            measures=measures,
        )

    def job(self, plan: Plan, noise: Noise = QUIET, threshold: int = 1) -> Job:
        """threshold: where groups have one."""
        return Job.of(
            threshold=threshold if plan.thresholded else None,
            plan=plan,
            noises=tuple(SHARP if one.chosen else noise for one in plan.measures),
            tables=[(self.manifest, self.folder)],
            custody=self.custody,
        )


def protected(folder: Path, table: pl.DataFrame) -> Place:
    custody = Custody(b"\x07" * 32)
    contract = parse(CONTRACT)
    source = folder / "source.parquet"
    table.write_parquet(source)
    place = folder / "clinic" / "visits" / "1"
    done = protect(
        source, contract, version=1, unit_key=b"u" * 32, order_key=b"o" * 32, folder=place
    )
    manifest = Manifest.wrapping(
        contract.table(1), contract.text, done.parts, done.keys, custody, datetime.now(UTC)
    )
    stored = pl.concat(
        open_bucket(place, "clinic", "visits", part, done.keys.of(part.bucket)).with_ids()
        for part in done.parts
    ).collect()
    rows = [
        {**row, UNIT: tuple(row.pop(name) for name in UNIT_COLUMNS)} for row in stored.to_dicts()
    ]
    return Place(place, manifest, custody, rows)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Shared; tests that damage files make their own with ``fresh``."""
    return protected(tmp_path_factory.mktemp("tables"), frame())


@pytest.fixture
def fresh(tmp_path: Path) -> Place:
    return protected(tmp_path, frame(60))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled kernels, so that only the first start compiles."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def engine(cache: Path) -> Iterator[Engine]:
    """A started engine."""
    started = Engine(cache=cache, seconds=60)
    started.start()
    yield started
    started.stop()
