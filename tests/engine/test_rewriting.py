"""The parts that a child writes anew: the same rows, less those of units that go."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from privlab.connector.bucket import open_bucket
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.engine import rewriting
from privlab.engine.handle import Engine
from privlab.engine.reference import UNIT
from privlab.engine.rewrite import FULL
from tests.engine.test_rewrite import rewriting as rewriting_of


def read(folder: Path, parts: Any, keys: Any) -> Counter[Any]:
    rows = pl.concat(
        open_bucket(folder, "clinic", "visits", part, keys.of(part.bucket)).with_ids()
        for part in parts
    ).collect()
    return Counter(
        (tuple(row.pop(name) for name in UNIT_COLUMNS), *row.values()) for row in rows.to_dicts()
    )


def expected(place: Any, gone: set[tuple[int, int]]) -> Counter[Any]:
    return Counter(
        (row[UNIT], *(value for name, value in row.items() if name not in (UNIT, *UNIT_COLUMNS)))
        for row in place.rows
        if row[UNIT] not in gone
    )


def test_a_child_writes_the_same_rows_without_the_units_that_go(
    place: Any, engine: Engine, tmp_path: Path
) -> None:
    """Under Landlock: the folder is the one place where it may write."""
    unit = place.rows[0][UNIT]
    raw = b"".join(half.to_bytes(8, "big") for half in unit)
    job, fresh = rewriting_of(place, tmp_path, drop=(raw, b"\xff" * 16))

    done = engine.rewrite(job)

    assert [part.written for part in done.parts] == [2] * 4
    assert read(tmp_path, done.parts, fresh) == expected(place, {unit})
    assert len({part.rows.size for part in done.parts}) == 1
    assert {path.name for path in tmp_path.iterdir()} == {
        file.name for part in done.parts for file in part.files
    }


def test_a_full_disk_is_told(place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rewriting, "draft_part", full)

    assert rewriting.rewrite(rewriting_of(place, tmp_path)[0]).refused == FULL
