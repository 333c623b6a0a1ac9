"""Every way rows come in gives the same rows, in pieces, and its errors quote none of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from privlab.connector.source import open_source
from privlab.errors import BadContract


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
