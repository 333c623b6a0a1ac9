"""Spilled rows come back once, and nobody else can read them."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest
from cryptography.exceptions import InvalidTag

from privlab.connector import spill as spills
from privlab.connector.spill import Spill, nameless

CANARY = "Zephyrine-Quillfeather"


def test_rows_come_back_in_the_order_they_were_put(tmp_path: Path) -> None:
    spill = Spill(tmp_path, 4)
    for start in (0, 10):
        spill.put(2, pl.DataFrame({"n": range(start, start + 10), "t": CANARY}))

    assert spill.largest > 0
    rows = spill.take(2)
    assert rows is not None
    assert rows["n"].to_list() == list(range(20))
    assert spill.take(2) is None
    assert spill.take(0) is None


def test_no_folder_lists_the_files_and_their_bytes_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def remembered(folder: Path) -> int:
        made.append(nameless(folder))
        return made[-1]

    monkeypatch.setattr(spills, "nameless", remembered)
    spill = Spill(tmp_path, 1)
    spill.put(0, pl.DataFrame({"t": [CANARY] * 50}))

    assert list(tmp_path.iterdir()) == []
    raw = os.pread(made[0], 1 << 20, 0)
    assert len(raw) > 100
    assert CANARY.encode() not in raw
    assert b"ARROW" not in raw
    assert os.fstat(made[0]).st_nlink == 0
    spill.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(made[0])


def test_a_changed_byte_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(
        spills, "nameless", lambda folder: made.append(nameless(folder)) or made[-1]
    )
    spill = Spill(tmp_path, 1)
    spill.put(0, pl.DataFrame({"n": [1]}))
    byte = os.pread(made[0], 1, 9)
    os.pwrite(made[0], bytes([byte[0] ^ 1]), 9)

    with pytest.raises(InvalidTag):
        spill.take(0)
    spill.close()


def test_a_file_system_without_nameless_files_serves_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refusing(path: object, flags: int, *rest: object) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "Operation not supported")
        return opened(path, flags, *rest)

    monkeypatch.setattr(os, "open", refusing)
    file = nameless(tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert os.write(file, b"x") == 1
    os.close(file)
