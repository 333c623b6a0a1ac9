"""Memory does not grow with a table: neither the owner's, who protects it, nor the engine's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from privlab.client.owner import Owner
from privlab.client.session import Session
from privlab.terms.loss import Loss
from privlab.wire import locate

FEW, MANY = 1_000_000, 4_000_000
"""Rows.  Both have buckets enough that two threads have two in hand at any time."""

ROW_BYTES = 8 + 8 + 16
"""Of the two columns and the pseudonym: the least that a row takes in memory."""

GROWTH = (MANY - FEW) * ROW_BYTES / 2
"""Half of what keeping all rows would add, once: protecting and summing copy them often."""

CONTRACT = """\
[table]
name = "visits_{rows}"
dataset = "clinic_{rows}"
unit = "patient"
rows_per_unit = 16
rows_per_group = 2
groups_per_unit = 8
row_cap = {rows}
synthetic = true
purposes = ["exploration"]
[columns.patient]
type = "int"
[columns.ward]
type = "int"
range = [0, 999]
[columns.amount]
type = "float"
range = [0, 1000]
step = 0.01
"""

PROTECT = """
import sys
from pathlib import Path
from privlab.cli.protect import keep_compiled_code_private, protect_source
from privlab.client.owner import Owner
keep_compiled_code_private()
done = protect_source(Owner.connect(), sys.argv[1], Path(sys.argv[2]).read_text())
assert done.counts.rows_kept == int(sys.argv[3])
print(Path("/proc/self/status").read_text())
"""


def peak(status: str) -> int:
    """Bytes: the highest resident memory of the process so far."""
    return next(
        int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM")
    )


def children(process: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    except OSError:
        return []  # it has ended
    return found


class Watch:
    """The highest memory of any grandchild of a process: of the curator's, the engine's runs."""

    def __init__(self, process: int) -> None:
        self.peak = 0
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.002):
            for zygote in children(self._process):
                for run in children(zygote):
                    try:
                        status = Path(f"/proc/{run}/status").read_text()
                    except OSError:
                        continue  # it has ended
                    if "VmHWM" in status:
                        self.peak = max(self.peak, peak(status))


def rows(path: Path, count: int) -> Path:
    draw = np.random.default_rng(count)
    pl.DataFrame(
        {
            "patient": draw.integers(0, count // 20, count),
            "ward": draw.integers(0, 1_000, count),
            "amount": draw.integers(0, 100_000, count) / 100,
        }
    ).write_parquet(path, row_group_size=100_000)
    return path


def protected(place: Any, tmp_path: Path, count: int) -> int:
    """The peak of the owner's process."""
    contract = tmp_path / f"{count}.toml"
    contract.write_text(CONTRACT.format(rows=count))
    source = rows(tmp_path / f"{count}.parquet", count)
    done = subprocess.run(
        [sys.executable, "-c", PROTECT, str(source), str(contract), str(count)],
        env={**os.environ, **place.env},
        capture_output=True,
        text=True,
        check=True,
    )
    return peak(done.stdout)


def answered(place: Any, count: int) -> int:
    """The peak of the engine's process that answered."""
    session = Session(locate.find(env={**os.environ, **place.env}))
    budget = Loss.budget(Fraction(1, 2))
    Owner(session).set_budget(
        f"clinic_{count}", budget, Fraction(1, 10**6), {session.hello.principal: budget}
    )
    with Watch(int((place.folder / "curator.lock").read_text())) as watch:
        release = session.ask(
            f"SELECT ward, COUNT(*) AS n, SUM(amount) AS s FROM visits_{count} GROUP BY ward"
        )
    session.close()
    assert len(release.frame) == 1_001, "the wards, and null"
    return watch.peak


def test_four_times_the_rows_take_no_more_memory(
    fresh_workspace: Callable[[], Any], tmp_path: Path
) -> None:
    """Of the process that protects them and of the one that answers a question of them."""
    place = fresh_workspace()
    protecting = {count: protected(place, tmp_path, count) for count in (FEW, MANY)}
    answering = {count: answered(place, count) for count in (FEW, MANY)}

    told = json.dumps({"protecting": protecting, "answering": answering})
    for peaks in (protecting, answering):
        assert peaks[FEW] > 50 << 20, f"nothing was measured: {told}"
        assert peaks[MANY] - peaks[FEW] < GROWTH, told
