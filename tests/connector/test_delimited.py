"""A CSV in blocks is the CSV: no record is cut, whatever it quotes."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privlab.connector import delimited
from privlab.connector.delimited import Delimited, last_record_end

fields = st.text(st.sampled_from('ab",\n\r é'), max_size=8)


def read(path: Path, block: int, separator: str = ",") -> pl.DataFrame:
    source = Delimited(path, separator, block)
    return pl.concat([piece() for piece in source.reads([pl.all()])])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(fields, fields), min_size=1, max_size=30), block=st.integers(1, 60))
def test_blocks_of_any_size_give_the_same_rows(
    tmp_path: Path, rows: list[tuple[str, str]], block: int
) -> None:
    path = tmp_path / "v.csv"
    pl.DataFrame(rows, {"one": pl.String, "two": pl.String}, orient="row").write_csv(
        path, quote_style="always"
    )

    assert read(path, block).equals(pl.read_csv(path, infer_schema=False))


@pytest.mark.parametrize(
    ("block", "end"),
    [
        (b"", 0),
        (b"a,b", 0),
        (b"a\nb", 2),
        (b"a\nb\n", 4),
        (b'a\n"b\n', 2),
        (b'a\n"b\nc"\n', 8),
        (b'"a\nb', 0),
        (b'a\n"b""\n', 2),
    ],
)
def test_a_record_ends_at_a_line_break_outside_quotes(block: bytes, end: int) -> None:
    assert last_record_end(block) == end


def test_a_compressed_file_and_tabs_are_read(tmp_path: Path) -> None:
    path = tmp_path / "v.tsv.gz"
    path.write_bytes(gzip.compress(b"a\tb\n1\t2\n3\t4\n"))

    assert read(path, 5, "\t").rows() == [("1", "2"), ("3", "4")]


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "LONGEST", 100)
    path = tmp_path / "v.csv"
    path.write_bytes(b'a\n1\n"' + b"x\n" * 500)

    with pytest.raises(OSError, match="without an end"):
        read(path, 50)
