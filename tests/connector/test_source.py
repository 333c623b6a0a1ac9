"""Every way rows come in gives the same rows, in pieces, and its errors quote none of them."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from privlab.connector import source as sources
from privlab.connector.contract import parse
from privlab.connector.counts import reading
from privlab.connector.protect import protect
from privlab.connector.source import Source, open_frame, open_source
from privlab.errors import BadContract

CONTRACT = """
[table]
name = "visits"
dataset = "clinic"
unit = "a"
rows_per_unit = 2
row_cap = 100
[columns.a]
type = "int"
"""
MORE = """
[columns.word]
type = "text"
[columns.price]
type = "float"
[columns.at]
type = "datetime"
"""


@pytest.mark.parametrize("name", ["v.parquet", "v.csv", "v.arrow"])
def test_a_file_is_read_by_the_format_of_its_name(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"a": [1, 2]})
    {"v.parquet": frame.write_parquet, "v.csv": frame.write_csv, "v.arrow": frame.write_ipc}[name](
        tmp_path / name
    )

    source = open_source(tmp_path / name)

    assert source.schema.names() == ["a"]


@pytest.mark.parametrize("name", ["v.parquet", "v.arrow"])
def test_an_error_of_the_reader_is_not_passed_on(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"secret" * 10)

    with pytest.raises(BadContract) as caught:
        open_source(tmp_path / name)

    assert caught.value.code == "PL151"
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def rows(source: Source) -> pl.DataFrame:
    return pl.concat([read() for read in source.reads([pl.all()])])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of a table, one of them deeper, and what a cluster leaves beside them."""
    (tmp_path / "deep").mkdir()
    pl.DataFrame({"a": [1, 2], "b": "x"}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"b": "y", "a": [3]}).write_parquet(tmp_path / "deep" / "2.parquet")
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".1.parquet.crc").write_text("x")
    return tmp_path


def test_a_folder_is_all_its_files(folder: Path) -> None:
    source = open_source(folder)

    read = pl.concat([read() for read in source.reads([pl.col("a"), pl.col("b")])])

    assert read.sort("a").rows() == [(1, "x"), (2, "x"), (3, "y")]


def test_a_pattern_is_the_files_that_match_it(folder: Path) -> None:
    assert rows(open_source(f"{folder}/**/2.*"))["a"].to_list() == [3]
    with pytest.raises(BadContract, match="there is no file"):
        open_source(f"{folder}/*.csv")


def test_a_file_whose_name_is_a_pattern_is_that_file(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "v[1].parquet")
    pl.DataFrame({"a": [2]}).write_parquet(tmp_path / "v1.parquet")

    assert rows(open_source(tmp_path / "v[1].parquet"))["a"].to_list() == [1]


def test_files_of_several_formats_or_of_none_are_refused(folder: Path) -> None:
    (folder / "3.csv").write_text("a,b\n")
    with pytest.raises(BadContract, match="CSV, Parquet"):
        open_source(folder)
    (folder / "3.csv").rename(folder / "notes.docx")
    with pytest.raises(BadContract, match=r"notes\.docx is of no format"):
        open_source(folder)


def test_a_column_of_another_type_in_a_later_file_is_refused(folder: Path) -> None:
    pl.DataFrame({"a": ["4"], "b": "z"}).write_parquet(folder / "9.parquet")

    with pytest.raises(BadContract, match=r"9\.parquet has no column 'a' of the type"):
        list(open_source(folder).reads([pl.col("a"), pl.col("b")]))


def test_large_row_groups_are_read_in_pieces_and_small_ones_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "v.parquet"
    pl.DataFrame({"a": range(100)}).write_parquet(path, row_group_size=10)
    for cells, heights in ((25, [20] * 5), (7, [7, 3] * 10), (10, [10] * 10)):
        monkeypatch.setattr(sources, "CELLS", cells)
        source = open_source(path)
        reads = [read() for read in source.reads([pl.col("a")])]
        assert [read.height for read in reads] == heights
        assert pl.concat(reads)["a"].to_list() == list(range(100))
        assert source.rows == 100


def test_a_table_without_rows_has_no_reads(tmp_path: Path) -> None:
    empty = pl.DataFrame(schema={"a": pl.Int64})
    empty.write_parquet(tmp_path / "v.parquet")
    empty.write_ipc(tmp_path / "v.arrow")

    for source in (open_source(tmp_path / "v.parquet"), open_source(tmp_path / "v.arrow")):
        assert list(source.reads([pl.col("a")])) == []
    (tmp_path / "v.csv").write_text("a\n")
    assert rows(open_source(tmp_path / "v.csv")).shape == (0, 1)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2,3\n", b"a\n\xff\n"])
def test_a_csv_that_is_none_is_refused_in_our_words(tmp_path: Path, content: bytes) -> None:
    """Also where the damage shows only when the rows are read."""
    (tmp_path / "v.csv").write_bytes(content)
    contract = parse(CONTRACT)

    with pytest.raises(BadContract) as caught:
        protect(
            tmp_path / "v.csv",
            contract,
            version=1,
            unit_key=b"u" * 32,
            order_key=b"o" * 32,
            folder=tmp_path / "t" / "1",
        )

    assert caught.value.code == "PL151"
    assert "cannot be read in the format" in str(caught.value)


FRAME = pl.DataFrame(
    {
        "a": [1, None, 3],
        "word": pl.Series(["x", None, "x"], dtype=pl.Categorical),
        "price": pl.Series([Decimal("1.10"), None, Decimal("2.00")], dtype=pl.Decimal(10, 2)),
        "at": pl.Series(["2024-07-01T12:00", None, "2024-01-01T12:00"])
        .str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us")
        .dt.replace_time_zone("Europe/Berlin"),
    }
)


@pytest.mark.parametrize(
    "frame",
    [FRAME, FRAME.to_arrow(), FRAME.to_pandas(), FRAME.to_arrow().to_reader(1)],
    ids=["polars", "arrow", "pandas", "stream"],
)
def test_a_frame_of_any_library_is_read_as_the_contract_says(frame: object) -> None:
    contract = parse(CONTRACT + MORE)
    source = open_frame(frame)

    read = pl.concat([read() for read in source.reads(reading(source.schema, contract).columns)])

    assert read.select("a", "word", "price", "at").rows() == [
        (1, "x", 1.1, datetime(2024, 7, 1, 10)),
        (None, None, None, None),
        (3, "x", 2.0, datetime(2024, 1, 1, 11)),
    ]


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(BadContract, match="collect"):
        open_frame(FRAME.lazy())
    with pytest.raises(BadContract, match="a list is no table"):
        open_frame([1, 2])
