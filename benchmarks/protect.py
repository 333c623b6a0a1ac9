"""What protecting a table costs: rows a second, processor time and peak memory.

The source is a Parquet file of four columns (unit, group of 1,000, amount, day)
with 20 rows a unit in random order, written once and kept beside the tables in a
temporary folder.  Each size is protected in a process of its own, whose highest
resident memory is read from the system afterwards; compiled kernels are loaded
before the clock starts.

    python benchmarks/protect.py [--rows 1 10 100] [--folder DIR] [--csv] [--json]

--rows: millions.  --csv: the same rows as CSV.  With --json the last line is one
JSON object: a list of cells, and ``rows_per_second_min`` and ``peak_mib_max``, the
two numbers to watch.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

MILLION = 1_000_000
ROWS_A_UNIT = 20
GROUPS = 1_000

CONTRACT = """
[table]
name = "visits"
dataset = "clinic"
unit = "patient"
rows_per_unit = 8
row_cap = {row_cap}
[columns.patient]
type = "int"
[columns.ward]
type = "int"
range = [0, 999]
[columns.amount]
type = "float"
range = [0, 1000]
step = 0.01
[columns.day]
type = "date"
"""

CHILD = """
import json, sys, time
from pathlib import Path
from privlab.connector.contract import parse
from privlab.connector.protect import protect
source, folder, contract = (Path(a) for a in sys.argv[1:4])
def peak_mib():  # not ru_maxrss: that begins with what the parent had
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("VmHWM")) / 1024
marks = {}
def progress(phase, done, total):
    marks.setdefault(phase, time.perf_counter())
start, cpu = time.perf_counter(), time.process_time()
done = protect(source, parse(contract.read_text()), version=1, unit_key=b"u" * 32,
               order_key=b"o" * 32, folder=folder, progress=progress)
end = time.perf_counter()
print(json.dumps({
    "rows": done.counts.rows_kept, "units": done.counts.units, "seconds": end - start,
    "cpu_seconds": time.process_time() - cpu,
    "reading_seconds": marks["writing"] - start,
    "peak_mib": peak_mib(),
    "bytes": sum(part.size for part in done.parts), "parts": len(done.parts),
}))
"""


def source(folder: Path, millions: int, *, csv: bool) -> Path:
    """The rows, written in pieces of a million."""
    path = folder / f"visits-{millions}.{'csv' if csv else 'parquet'}"
    if path.exists():
        return path
    generator = np.random.default_rng(millions)
    units = millions * MILLION // ROWS_A_UNIT
    pieces = folder / f"pieces-{millions}"
    pieces.mkdir(exist_ok=True)
    for number in range(millions):
        pl.DataFrame(
            {
                "patient": generator.integers(0, units, MILLION),
                "ward": generator.integers(0, GROUPS, MILLION),
                "amount": generator.gamma(2, 50, MILLION).round(2),
                "day": pl.Series(generator.integers(17_000, 20_000, MILLION, dtype=np.int32)).cast(
                    pl.Date
                ),
            }
        ).write_parquet(pieces / f"{number:04d}.parquet")
    scanned = pl.scan_parquet(pieces / "*.parquet")
    if csv:
        scanned.sink_csv(path)
    else:
        scanned.sink_parquet(path)
    for piece in pieces.iterdir():
        piece.unlink()
    pieces.rmdir()
    return path


def measure(folder: Path, millions: int, *, csv: bool) -> dict[str, float]:
    """One protected version, in a process of its own."""
    rows = source(folder, millions, csv=csv)
    contract = folder / "visits.toml"
    contract.write_text(CONTRACT.format(row_cap=millions * MILLION))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(rows), f"{place}/visits/1", str(contract)],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ,
        )
    cell: dict[str, float] = json.loads(done.stdout)
    cell["rows_per_second"] = cell["rows"] / cell["seconds"]
    return cell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--csv", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        cells = [measure(folder, millions, csv=asked.csv) for millions in asked.rows]
    print("million rows  rows/s      cpu ns/row  of it reading  peak MiB  bytes/row")
    for cell in cells:
        print(
            f"{cell['rows'] / MILLION:12.0f}  {cell['rows_per_second']:10,.0f}"
            f"  {cell['cpu_seconds'] / cell['rows'] * 1e9:10.0f}"
            f"  {cell['reading_seconds'] / cell['seconds']:13.0%}"
            f"  {cell['peak_mib']:8,.0f}  {cell['bytes'] / cell['rows']:9.1f}"
        )
    if asked.json:
        watched = {
            "rows_per_second_min": min(cell["rows_per_second"] for cell in cells),
            "peak_mib_max": max(cell["peak_mib"] for cell in cells),
        }
        print(json.dumps({"cells": cells, **watched}))


if __name__ == "__main__":
    main()
