"""A private group-by over an encrypted table, beside the plain one and beside other libraries.

Count and sum of 1,000 groups, 20 rows a unit; a unit counts in 8 groups, with 2 rows
in each.  Private: what the curator does from a priced question to a released vector
(the parts checked, keys unwrapped, a child of the warm engine forked and restricted,
rows decrypted, bounded, summed, noise added), over a table that ``protect`` wrote in a
workspace of its own.  Plain: `pl.scan_parquet(file).group_by().agg()` in this process
over the same rows in a plain file, in random order, as Polars writes it unless told
otherwise.  Both take turns; the figures are the best of all rounds, by the wall clock
and in processor time.

    python benchmarks/groupby.py [--rows 20] [--sizes 1 10 100] [--json]
                                 [--install] [--slow-peers] [--no-peers] [--rounds N]

--rows: millions.  --sizes: more sizes, for how time and memory grow.  Other libraries
run in environments of their own under ``.peers/`` on a million rows, and are left out
where there is none; OpenDP always, the rest with --slow-peers.  Rows are drawn from a
seed and kept in ``.bench/rows``.  With --json the last line is one JSON object:

    vs_plain       private over plain, wall clock, at --rows
    linear         time at the largest size over time at a tenth of it
    peak_rss_mib   of the engine's child, at the largest size
    vs_opendp      OpenDP over private, a million rows, medians
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from grouped import private, work
from peers import apart
from protect import GROUPS, MILLION

ROUNDS, ROUNDS_PEERS = 5, 3
FOLDER = Path(__file__).resolve().parents[1] / ".bench"
SMALL = 1
"""Millions of rows that other libraries are asked about."""

Repeats = list[tuple[float, float]]


@dataclass
class Size:
    """What was measured at one size; seconds of each round."""

    millions: int
    protect: dict[str, float]
    private: list[private.Cell] = field(default_factory=list)
    plain: list[tuple[float, float]] = field(default_factory=list)
    by_unit: list[tuple[float, float]] = field(default_factory=list)
    trips: list[float] = field(default_factory=list)

    @property
    def wall(self) -> float:
        return min(one.wall for one in self.private)

    @property
    def cpu(self) -> float:
        return min(one.cpu for one in self.private)

    @property
    def peak_mib(self) -> float:
        return max(one.peak_mib for one in self.private)

    @property
    def vs_plain(self) -> float:
        return self.wall / min(wall for wall, _ in self.plain)

    @property
    def vs_plain_cpu(self) -> float:
        return self.cpu / min(cpu for _, cpu in self.plain)


def timed(path: Path) -> tuple[float, float]:
    """Seconds of the plain group-by: by the wall clock, and of processor time."""
    start, cpu = time.perf_counter(), time.process_time()
    work.plain(path)
    return time.perf_counter() - start, time.process_time() - cpu


def measure(
    folder: Path, workspace: private.Workspace, millions: int, rounds: int, *, by_unit: bool
) -> Size:
    rows = work.rows(folder / "rows", millions)
    sorted_rows = work.rows_by_unit(folder / "rows", millions) if by_unit else None
    timed(rows)  # the file is in the page cache, as the table will be
    size = Size(millions, workspace.protect(rows, millions))
    with workspace.engine(millions) as runs:
        runs.once()
        for _ in range(rounds):
            size.plain.append(timed(rows))
            size.private.append(runs.once())
            if sorted_rows is not None:
                size.by_unit.append(timed(sorted_rows))
    size.trips = workspace.round_trips(millions, rounds)
    check(size)
    return size


def check(size: Size) -> None:
    """Nobody measures an engine that does less than it says.

    A unit has about 20 groups, so nearly all count in 8, with at least a row in each and
    at most 2; noise is a small part of a sum over a thousand groups and many units.
    """
    units = size.protect["units"]
    for one in size.private:
        counted = one.counted / units / work.GROUPS_PER_UNIT
        if not 0.95 < counted < work.ROWS_PER_GROUP:
            raise SystemExit(f"{counted:.2f} rows of a unit and group were counted")


def ask_peer(folder: Path, peer: str) -> Repeats | str:
    """Seconds of each repeat, by the wall clock and of processor time, or why there are none."""
    if not apart.interpreter(peer).exists():
        return "it is not installed (--install)"
    if peer == "tumult" and shutil.which("java") is None:
        return "it needs Java, which is not here"
    job = {
        "parquet": str(work.rows(folder / "rows", SMALL)),
        "columns": str(work.columns(folder / "rows", SMALL)),
        "rows": SMALL * MILLION,
        "groups": GROUPS,
        "groups_per_unit": work.GROUPS_PER_UNIT,
        "rows_per_group": work.ROWS_PER_GROUP,
        "low": float(work.LOW),
        "high": float(work.HIGH),
        "epsilon": 1.0,
        "rho": 0.1,
        "delta": 1e-6,
        "repeats": ROUNDS_PEERS,
    }
    done = subprocess.run(
        [apart.interpreter(peer), apart.HERE / "group.py", peer],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        return f"it failed: {(done.stderr.strip() or 'silently').splitlines()[-1]}"
    told = [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "{"]
    return [(one["seconds"], one["cpu_seconds"]) for one in told]


def show(sizes: list[Size], peers: dict[str, Repeats | str]) -> None:
    print(
        "million rows   private ms  cpu ms   plain ms  cpu ms  ratio  of cpu  peak MiB  way round"
    )
    for one in sizes:
        wall, cpu = (min(part) for part in zip(*one.plain, strict=True))
        print(
            f"{one.millions:12}   {one.wall * 1e3:10,.1f} {one.cpu * 1e3:7,.0f}"
            f"   {wall * 1e3:8,.1f} {cpu * 1e3:7,.0f}"
            f"  {one.vs_plain:5.2f}  {one.vs_plain_cpu:6.2f}"
            f"  {one.peak_mib:8,.0f}  {min(one.trips) * 1e3:6,.0f} ms"
        )
        if one.by_unit:
            wall, cpu = (min(part) for part in zip(*one.by_unit, strict=True))
            print(f"{'in unit order':>38}: {wall * 1e3:,.1f} {cpu * 1e3:,.0f}")
    print("million rows   protect rows/s  cpu ns/row  peak MiB  bytes/row")
    for one in sizes:
        cost = one.protect
        print(
            f"{one.millions:12}   {cost['rows_per_second']:14,.0f}"
            f"  {cost['cpu_seconds'] / cost['rows'] * 1e9:10,.0f}"
            f"  {cost['peak_mib']:8,.0f}  {cost['bytes'] / cost['rows']:9.1f}"
        )
    small = next((one for one in sizes if one.millions == SMALL), None)
    for peer, seconds in peers.items():
        name = apart.GROUPERS[peer][0]
        if small is None or isinstance(seconds, str):
            print(f"{name}: left out, {seconds}")
        else:
            (wall, cpu), (times, times_cpu) = medians(seconds), over_private(seconds, small)
            print(
                f"{name:16} {wall:6.2f} s, {cpu:6.2f} s of processor time: "
                f"{times:,.0f} and {times_cpu:,.0f} times private"
            )


def medians(repeats: Repeats) -> tuple[float, float]:
    wall, cpu = (statistics.median(part) for part in zip(*repeats, strict=True))
    return wall, cpu


def over_private(repeats: Repeats, size: Size) -> tuple[float, float]:
    """Medians over the private ones: by the wall clock, and in processor time."""
    theirs, ours = medians(repeats), medians([(one.wall, one.cpu) for one in size.private])
    return theirs[0] / ours[0], theirs[1] / ours[1]


def figures(
    main_size: int, sizes: list[Size], peers: dict[str, Repeats | str]
) -> dict[str, float | None]:
    """The numbers to watch; None where what they need was not measured."""
    by_millions = {one.millions: one for one in sizes}
    asked, largest, small = by_millions[main_size], sizes[-1], by_millions.get(SMALL)
    tenth = by_millions.get(largest.millions // 10)
    found: dict[str, float | None] = {
        "vs_plain": asked.vs_plain,
        "vs_plain_cpu": asked.vs_plain_cpu,
        "linear": None if tenth is None else largest.wall / tenth.wall,
        "peak_rss_mib": largest.peak_mib,
        "protect_rows_per_second": largest.protect["rows_per_second"],
        "protect_peak_mib": max(one.protect["peak_mib"] for one in sizes),
    }
    for peer in apart.GROUPERS:
        seconds = peers.get(peer)
        found[f"vs_{peer}"], found[f"vs_{peer}_cpu"] = (
            over_private(seconds, small)
            if small is not None and isinstance(seconds, list)
            else (None, None)
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="A private group-by beside others.")
    parser.add_argument("--rows", type=int, default=20, help="millions")
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="millions, more of them")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--install", action="store_true", help="build .peers/ first")
    parser.add_argument("--slow-peers", action="store_true", help="also ask those that take long")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    asked = parser.parse_args()
    if asked.install:
        for peer in apart.GROUPERS:
            apart.install(peer)
    names = [] if asked.no_peers else list(apart.GROUPERS) if asked.slow_peers else ["opendp"]
    millions = sorted({asked.rows, *asked.sizes, *([SMALL] if names else [])})
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        workspace = private.Workspace(Path(place) / "workspace")
        sizes = [
            measure(asked.folder, workspace, one, asked.rounds, by_unit=one == asked.rows)
            for one in millions
        ]
    peers = {peer: ask_peer(asked.folder, peer) for peer in names}
    show(sizes, peers)
    found = figures(asked.rows, sizes, peers)
    if asked.json:
        cells = [
            {
                "millions": one.millions,
                "private_seconds": [cell.wall for cell in one.private],
                "private_cpu_seconds": [cell.cpu for cell in one.private],
                "plain_seconds": [wall for wall, _ in one.plain],
                "plain_cpu_seconds": [cpu for _, cpu in one.plain],
                "plain_by_unit_seconds": [wall for wall, _ in one.by_unit],
                "round_trip_seconds": one.trips,
                "peak_mib": one.peak_mib,
                "protect": one.protect,
            }
            for one in sizes
        ]
        print(json.dumps({**found, "cells": cells, "peers": peers}))
    else:
        print("  ".join(f"{k} {v:.2f}" for k, v in found.items() if v is not None))


if __name__ == "__main__":
    main()
