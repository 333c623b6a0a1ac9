"""The work that everybody is asked: count and sum of 1,000 groups, of bounded units.

The rows are those of ``benchmarks/protect.py``: 20 a unit in random order, each in one
of 1,000 groups by chance, so that a unit has about 20 groups and the bound of 8 binds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from protect import GROUPS, MILLION, source

QUESTION = "SELECT ward, COUNT(*) AS n, SUM(amount) AS s FROM visits_{millions} GROUP BY ward"
GROUPS_PER_UNIT, ROWS_PER_GROUP = 8, 2
LOW, HIGH = 0, 1_000

CONTRACT = f"""
[table]
name = "visits_{{millions}}"
dataset = "clinic_{{millions}}"
unit = "patient"
rows_per_unit = {GROUPS_PER_UNIT * ROWS_PER_GROUP}
rows_per_group = {ROWS_PER_GROUP}
groups_per_unit = {GROUPS_PER_UNIT}
row_cap = {{row_cap}}
purposes = ["exploration"]
synthetic = true
[columns.patient]
type = "int"
[columns.ward]
type = "int"
range = [0, {GROUPS - 1}]
[columns.amount]
type = "float"
range = [{LOW}, {HIGH}]
step = 0.01
[columns.day]
type = "date"
"""


def contract_text(millions: int) -> str:
    return CONTRACT.format(millions=millions, row_cap=millions * MILLION)


def question(millions: int) -> str:
    return QUESTION.format(millions=millions)


def rows(folder: Path, millions: int) -> Path:
    """The plain file: Polars' own settings, rows in random order.  Made once per folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return source(folder, millions, csv=False)


def rows_by_unit(folder: Path, millions: int) -> Path:
    """The same rows with those of a unit side by side, as an encrypted table has them."""
    path = folder / f"visits-{millions}-by-unit.parquet"
    if not path.exists():
        pl.scan_parquet(rows(folder, millions)).sort("patient").sink_parquet(path)
    return path


def columns(folder: Path, millions: int) -> Path:
    """The same rows as an array per column, for libraries that read no Parquet file."""
    place = folder / f"columns-{millions}"
    place.mkdir(exist_ok=True)
    for name in ("patient", "ward", "amount"):
        if not (place / f"{name}.npy").exists():
            column = pl.read_parquet(rows(folder, millions), columns=[name])
            np.save(place / f"{name}.npy", column.to_series().to_numpy())
    return place


def plain(path: Path) -> pl.DataFrame:
    """The exact answer over everybody's rows, which nobody may show."""
    return (
        pl.scan_parquet(path).group_by("ward").agg(n=pl.len(), s=pl.col("amount").sum()).collect()
    )
