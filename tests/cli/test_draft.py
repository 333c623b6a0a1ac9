"""A draft never overwrites an owner's work."""

from __future__ import annotations

import polars as pl
import pytest


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "visits.parquet"
    pl.DataFrame({"patient": [1], "ward": ["secret ward"]}).write_parquet(path)
    return path


def test_it_prints_a_contract_to_fill_in(privlab, file) -> None:
    ended = privlab("draft", file)
    assert ended.status == 0
    assert "[columns.ward]" in ended.out
    assert "secret ward" not in ended.out


def test_it_writes_a_file_and_says_what_comes_next(privlab, file, tmp_path) -> None:
    ended = privlab("draft", file, "-o", tmp_path / "c.toml")
    assert ended.status == 0
    assert "[columns.patient]" in (tmp_path / "c.toml").read_text()
    assert "privlab protect" in ended.out


def test_it_leaves_an_existing_file_alone(privlab, file, tmp_path) -> None:
    (tmp_path / "c.toml").write_text("mine")
    ended = privlab("draft", file, "-o", tmp_path / "c.toml")
    assert ended.status == 1
    assert ended.err.startswith("PL152 ")
    assert (tmp_path / "c.toml").read_text() == "mine"


def test_a_file_that_is_not_there_is_named(privlab, tmp_path) -> None:
    ended = privlab("draft", tmp_path / "none.parquet")
    assert ended.status == 1
    assert ended.err.startswith("PL151 ")
