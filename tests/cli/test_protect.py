"""What an owner is told about her file is for her eyes, and complete."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from privlab.cli.protect import account
from privlab.connector.counts import Counts


def test_a_file_that_fits_is_told_in_one_line() -> None:
    counts = Counts(rows_read=10, rows_kept=10, without_unit=0, units=3)
    assert account(counts) == ["read 10 rows, kept 10, of 3 units"]


def test_everything_that_was_changed_is_told_with_its_number() -> None:
    counts = Counts(
        rows_read=1000, rows_kept=990, without_unit=10, units=3,
        unreadable={"age": 2}, outside={"cost": 1234}, unexpected_nulls={"ward": 1},
    )  # fmt: skip
    text = "\n".join(account(counts))
    assert "10 rows name no unit" in text
    assert "age: 2 values could not be read" in text
    assert "cost: 1,234 values are outside" in text
    assert "ward: 1 values are null" in text


def test_a_contract_that_is_not_there_is_named(privlab, tmp_path) -> None:
    ended = privlab("protect", tmp_path / "v.parquet", "--contract", tmp_path / "none.toml")
    assert ended.status == 1
    assert ended.err.startswith("PL150 ")
    assert "privlab draft" in ended.err


PROTECTING = """
import sys
from pathlib import Path
from privlab.cli.protect import protect_source
from privlab.errors import BadContract
assert "numba" not in sys.modules
try:
    protect_source(None, Path("none.parquet"), "[table]")
except BadContract as error:
    print(error.code)
if "numba" in sys.modules:
    from privlab.kernels import rowtag
    print(rowtag.fold_words._cache.cache_path)
"""
"""As far as a contract with problems: the kernels are loaded, nothing is written."""


def protecting(cache: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROTECTING],
        capture_output=True, text=True, check=True,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "NUMBA_CACHE_DIR": str(cache / "planted")},
    )  # fmt: skip
    return done.stdout.split()


def test_compiled_code_is_loaded_from_a_folder_of_the_user_alone(tmp_path: Path) -> None:
    """Numba stores pickles, and this process holds plain rows and data keys."""
    code, where = protecting(tmp_path)
    assert code == "PL150"
    folder = tmp_path / "privlab" / "compiled"
    assert Path(where).is_relative_to(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_nothing_is_loaded_from_a_folder_that_others_can_enter(mode: int, tmp_path: Path) -> None:
    folder = tmp_path / "privlab" / "compiled"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    assert protecting(tmp_path) == ["PL152"]
