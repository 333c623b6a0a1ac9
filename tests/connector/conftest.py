"""A small table with awkward values, protected once per test that asks for it."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from privlab.connector.contract import parse
from privlab.connector.keys import Custody
from privlab.connector.manifest import Manifest
from privlab.connector.protect import Protected, protect
from privlab.seal.keys import SigningKey
from privlab.terms.contract import Contract

CONTRACT = """\
[table]
name = "visits"
dataset = "clinic"
unit = "patient"
unit_word = "patient"
rows_per_unit = 4
row_cap = 2_000_000
null_values = ["NA", ""]

[columns.patient]
type = "text"

[columns.ward]
type = "text"
keys = ["north", "south"]

[columns.age]
type = "int"
range = [0, 110]

[columns.stay]
type = "float"
range = [0, 60]
step = 0.25

[columns.urgent]
type = "bool"

[columns.day]
type = "date"
range = [2023-01-01, 2023-12-31]

[columns.at]
type = "datetime"
"""

SECRET = "Zephyrine-Quillfeather"


def visits(rows: int = 300) -> pl.DataFrame:
    """Deterministic rows; every unit id and every ward of the canary rows is unmistakable."""
    return pl.DataFrame(
        {
            "patient": [f"{SECRET}-{n % 70:03d}" for n in range(rows)],
            "ward": [("north", "south", f"{SECRET}-ward", None)[n % 4] for n in range(rows)],
            "age": [n % 100 for n in range(rows)],
            "stay": [(n % 160) / 4 for n in range(rows)],
            "urgent": [n % 3 == 0 for n in range(rows)],
            "day": [date(2023, 1 + n % 12, 1 + n % 28) for n in range(rows)],
            "at": [datetime(2023, 1, 1 + n % 28, n % 24, 30) for n in range(rows)],
        }
    )


@dataclass(frozen=True)
class Stored:
    """A protected version, its manifest, and who may open it."""

    tables: Path
    folder: Path
    contract: Contract
    protected: Protected
    manifest: Manifest
    custody: Custody
    signer: SigningKey


Store = Callable[..., Stored]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Protects a frame as a version of ``clinic.visits`` and signs its manifest."""
    custody = Custody(b"\x07" * 32)
    signer = SigningKey(custody.signing_seed())

    def make(frame: pl.DataFrame | None = None, version: int = 1) -> Stored:
        source = tmp_path / f"source-{version}.parquet"
        (visits() if frame is None else frame).write_parquet(source)
        contract = parse(CONTRACT)
        folder = tmp_path / "tables" / "clinic" / "visits" / str(version)
        protected = protect(
            source,
            contract,
            version=version,
            unit_key=b"u" * 32,
            order_key=b"o" * 32,
            folder=folder,
        )
        manifest = Manifest.wrapping(
            contract.table(version),
            contract.text,
            protected.parts,
            protected.keys,
            custody,
            datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC),
        )
        manifest.write(folder, signer)
        return Stored(tmp_path / "tables", folder, contract, protected, manifest, custody, signer)

    return make
