"""What an owner is told about her file is for her eyes, and complete."""

from __future__ import annotations

from privlab.cli.protect import account
from privlab.connector.protect import Counts


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
