"""Checking counts per rule, writes nothing, and warns of fitting the contract to the counts."""

from __future__ import annotations

from pathlib import Path

import polars as pl

CONTRACT = """\
[table]
name = "visits"
dataset = "clinic"
unit = "patient"
rows_per_unit = 2
row_cap = 100
[columns.patient]
type = "int"
[columns.age]
type = "int"
range = [0, 110]
nullable = false
"""


def test_what_does_not_fit_is_counted_with_a_warning(privlab, tmp_path: Path) -> None:
    (tmp_path / "visits.toml").write_text(CONTRACT)
    (tmp_path / "visits.csv").write_text("patient,age\n1,30\n,40\n2,Quillfeather\n3,999\n4,\n")

    ended = privlab("check", tmp_path / "visits.csv", "--contract", tmp_path / "visits.toml")

    assert ended.status == 0
    lines = ended.out.splitlines()
    assert lines[:5] == [
        "read 5 rows, kept 4",
        "1 rows name no unit",
        "age: 1 values could not be read as the stated type and are null",
        "age: 1 values are outside the stated range or keys",
        "age: 2 values are null where the contract says never",
    ]
    assert "do not fit ranges" in lines[5]
    assert "Quillfeather" not in ended.out + ended.err
    assert "999" not in ended.out + ended.err
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("visits")) == [
        "visits.csv",
        "visits.toml",
    ]


def test_rows_that_fit_are_told_in_two_lines(privlab, tmp_path: Path) -> None:
    (tmp_path / "visits.toml").write_text(CONTRACT)
    pl.DataFrame({"patient": [1, 2], "age": [3, 4]}).write_parquet(tmp_path / "v.parquet")

    ended = privlab("check", tmp_path / "v.parquet", "--contract", tmp_path / "visits.toml")

    assert ended.out.splitlines() == ["read 2 rows, kept 2", "everything fits"]


def test_what_protect_would_refuse_is_refused(privlab, tmp_path: Path) -> None:
    (tmp_path / "visits.toml").write_text(CONTRACT.replace("row_cap = 100", "row_cap = 1"))
    pl.DataFrame({"patient": [1, 2], "age": [3, 4]}).write_parquet(tmp_path / "v.parquet")

    ended = privlab("check", tmp_path / "v.parquet", "--contract", tmp_path / "visits.toml")

    assert ended.status == 1
    assert ended.err.startswith("PL151 the source has 2 rows, above row_cap = 1")


def test_what_the_contract_drops_and_coarsens_is_told_and_is_no_misfit(
    privlab, tmp_path: Path
) -> None:
    text = CONTRACT + "coarsen = 10\n[columns.ssn]\ndrop = true\n"
    (tmp_path / "visits.toml").write_text(text)
    frame = pl.DataFrame({"patient": [1, 2], "age": [30, 41], "ssn": ["a", "b"]})
    frame.write_parquet(tmp_path / "v.parquet")

    ended = privlab("check", tmp_path / "v.parquet", "--contract", tmp_path / "visits.toml")

    assert ended.out.splitlines() == [
        "read 2 rows, kept 2",
        "age: 1 values became coarser",
        "ssn: dropped, never read",
        "everything fits",
    ]
