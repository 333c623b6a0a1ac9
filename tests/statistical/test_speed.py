"""The benchmarks run, say what they promise, and meet their bars."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
BENCHMARK, GROUPBY = BENCHMARKS / "noise.py", BENCHMARKS / "groupby.py"


@pytest.mark.slow
def test_noise_is_hundreds_of_times_as_fast_as_opendps_and_about_as_fast_as_numpys() -> None:
    """Bars: Gaussian 200 times OpenDP, Laplace 100 times, at most 5 times numpy's time."""
    done = subprocess.run(
        [sys.executable, BENCHMARK, "--json"], capture_output=True, text=True, check=True
    )
    *table, last = done.stdout.splitlines()
    found = json.loads(last)
    assert found["gaussian_vs_opendp_min"] >= 200, table
    assert found["laplace_vs_opendp_min"] >= 100, table
    assert found["vs_numpy_max"] <= 5, table
    assert {(row["law"], row["scale"]) for row in found["rows"]} == {
        (law, scale)
        for law in ("rounded Gaussian", "discrete Laplace", "rounded Laplace")
        for scale in (1, 10, 1_000, 1_000_000)
    }
    assert all(ns > 0 for row in found["rows"] for ns in row["ns"].values())


@pytest.mark.slow
def test_a_private_group_by_keeps_to_its_memory_at_ten_million_rows(tmp_path: Path) -> None:
    """Bars: the engine's process 1.5 GiB, the owner's 2 GiB; time grows no faster than rows."""
    done = subprocess.run(
        [
            sys.executable,
            GROUPBY,
            *["--rows", "1", "--sizes", "10", "--no-peers", "--json", "--folder"],
            tmp_path,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    *table, last = done.stdout.splitlines()
    found = json.loads(last)
    assert found["peak_rss_mib"] <= 1536, table
    assert found["protect_peak_mib"] <= 2048, table
    assert found["linear"] <= 11, table
    assert [one["millions"] for one in found["cells"]] == [1, 10]
    assert all(len(one["private_seconds"]) == 5 for one in found["cells"])
