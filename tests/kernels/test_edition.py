"""No kernel runs that was compiled from other sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import privlab.kernels
from privlab.kernels.edition import edition

RUN = """
import numpy as np, privlab.kernels.gaussian as gaussian
assert gaussian.__file__.startswith(PLACE), gaussian.__file__
values, zero = np.zeros(1, np.uint64), np.uint64(0)
words = np.array([5, 1 << 63, 7], np.uint64)
gaussian.add_rounded_gaussian(values, zero, np.uint64(100), zero, words, zero)
print(int(values[0]))
"""


def run(place: Path) -> int:
    """What a copy of the package in ``place`` draws, with the cache beside it."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN.replace("PLACE", repr(str(place)))],
        env={**os.environ, "PYTHONPATH": str(place), "NUMBA_CACHE_DIR": str(place / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def test_a_change_of_a_shared_part_is_compiled(tmp_path: Path) -> None:
    """The scaling is in trial.py and the compiled function in gaussian.py."""
    package = tmp_path / "privlab"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copytree(
        Path(privlab.kernels.__path__[0]),
        package / "kernels",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    assert run(tmp_path) == run(tmp_path) == 50
    part = package / "kernels/trial.py"
    source = part.read_text("utf-8")
    changed = source.replace(
        "    low = multiplier * x\n", "    multiplier += multiplier\n    low = multiplier * x\n"
    )
    assert changed != source
    part.write_text(changed, "utf-8")
    assert run(tmp_path) == 100
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_the_edition_is_the_same_until_a_source_changes() -> None:
    """Thirty-two hexadecimal digits, whoever asks."""
    assert edition() == edition()
    assert int(edition(), 16) < 1 << 128
