"""One suite over both readers: the same frames, of every type, codec and layout."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.connector import compact
from privlab.connector.arrow import decoded, rebuilt
from privlab.connector.modules import Encrypted
from privlab.connector.reader import Reader
from privlab.errors import EngineFailed
from tests.connector.encrypted import (
    AAD,
    FOOTER_KEY,
    SCHEMA,
    awkward,
    facts_of,
    keys_of,
    modules,
    opened,
    written,
)

READERS = list(Reader)
LAYOUTS: dict[str, dict[str, Any]] = {
    "one row group": {},
    "many row groups": {"row_group_size": 700},
    "many pages": {"data_page_size": 512},
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("codec", ["lz4", "zstd", "uncompressed"])
@pytest.mark.parametrize("rows", [0, 1, 3000])
def test_a_frame_is_what_was_written(rows: int, codec: str, layout: str, reader: Reader) -> None:
    frame = awkward(rows)
    got = opened(written(frame, codec=codec, **LAYOUTS[layout]), reader, keys_of(SCHEMA))
    assert got.schema == frame.schema
    assert got.equals(frame)


def test_the_layouts_are_what_they_are_called() -> None:
    frame = awkward(3000)
    pages = {name: len(modules(written(frame, **LAYOUTS[name]))) for name in LAYOUTS}
    assert pages["many row groups"] > 4 * pages["one row group"] > 0
    assert pages["many pages"] > 4 * pages["one row group"]


@pytest.mark.parametrize("name", ["ward", "note"])
def test_texts_come_from_dictionaries_and_from_plain_pages(name: str) -> None:
    """So both encodings are in the suite above."""
    file = Encrypted.open(written(awkward(3000)), AAD, FOOTER_KEY)
    first, *_ = file.chunk(0, name, keys_of(SCHEMA)[name]).pages
    assert first.is_dictionary is (name == "ward")


@pytest.mark.parametrize("reader", READERS)
def test_a_text_may_be_longer_than_a_page(reader: Reader) -> None:
    frame = pl.DataFrame({"note": ["é" * 3_000_000, None, "", "x"]})
    got = opened(written(frame, data_page_size=4096), reader, keys_of(["note"]))
    assert got.equals(frame)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("columns", [["note"], ["at", "number"], ["number", "at"], ["empty"]])
def test_only_columns_with_a_key_are_read(columns: list[str], reader: Reader) -> None:
    """In whatever order the keys come."""
    frame = awkward(500)
    got = opened(written(frame), reader, keys_of(columns))
    assert got.equals(frame.select(columns))


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
            st.none() | st.booleans(),
        ),
        max_size=60,
    ),
    st.sampled_from(["lz4", "zstd", "uncompressed"]),
    st.sampled_from([None, 7]),
)
@settings(max_examples=60, deadline=None)
def test_both_readers_give_the_same_frame(rows: Any, codec: str, group: int | None) -> None:
    names = ["number", "float", "note", "truth"]
    frame = pl.DataFrame(rows, schema={n: SCHEMA[n] for n in names}, orient="row")
    raw = written(frame, codec=codec, row_group_size=group)
    native, arrow = (opened(raw, one, keys_of(names)) for one in READERS)
    assert native.equals(arrow)
    assert arrow.equals(frame)


def test_the_rebuilt_file_holds_types_and_pages_and_nothing_else() -> None:
    """No metadata of the writer, no statistics; plain Parquet that pyarrow describes so."""
    frame = awkward(3000)
    file = Encrypted.open(written(frame, row_group_size=1000), AAD, FOOTER_KEY)
    keys = keys_of(["ward", "number"])
    del keys[""]
    described = pq.read_metadata(pa.BufferReader(rebuilt(file, keys)))
    assert described.metadata is None
    assert described.created_by == ""
    assert (described.num_rows, described.num_row_groups) == (3000, 3)
    for group in range(3):
        assert described.row_group(group).num_rows == 1000
        for at, name in enumerate(["number", "ward"]):
            column = described.row_group(group).column(at)
            assert column.path_in_schema == name
            assert column.compression == "LZ4"
            assert column.statistics is None
    assert pl.read_parquet(io.BytesIO(rebuilt(file, keys).to_pybytes())).equals(
        frame.select("number", "ward")
    )


def test_a_file_with_statistics_is_read_without_them() -> None:
    """Minima and maxima of a page are dropped with the rest."""
    frame = awkward(300)
    keys = keys_of(SCHEMA)
    out = io.BytesIO()
    columns = {name: key for name, key in keys.items() if name}
    frame.write_parquet(
        out,
        statistics="full",
        encryption=pl.ParquetEncryptionProperties(
            footer_key=keys[""], column_keys=columns, aad_prefix=AAD, store_aad_prefix=False
        ),
    )
    file = Encrypted.open(out.getvalue(), AAD, FOOTER_KEY)
    chunk = file.chunk(0, "number", keys["number"])
    assert 12 in chunk.metadata or any(
        5 in compact.inner(page.header, 5) for page in chunk.pages if not page.is_dictionary
    )
    described = pq.read_metadata(pa.BufferReader(rebuilt(file, columns)))
    assert described.row_group(0).column(0).statistics is None
    assert opened(out.getvalue(), Reader.ARROW, keys).equals(frame)


@pytest.mark.parametrize("store", [True, False])
def test_a_file_that_names_its_own_place_is_refused(store: bool) -> None:
    """The additional text must come from who reads, so a file that stores one is none of ours."""
    frame = awkward(10)
    out = io.BytesIO()
    keys = keys_of(SCHEMA)
    columns = {name: key for name, key in keys.items() if name}
    frame.write_parquet(
        out,
        encryption=pl.ParquetEncryptionProperties(
            footer_key=keys[""], column_keys=columns, aad_prefix=AAD, store_aad_prefix=store
        ),
    )
    if not store:
        assert decoded(out.getvalue(), AAD, FOOTER_KEY, columns).equals(frame)
        return
    with pytest.raises(EngineFailed):
        decoded(out.getvalue(), AAD, FOOTER_KEY, columns)


def test_a_column_without_a_key_of_its_own_is_refused() -> None:
    """A writer that is given some keys leaves the other columns plain or under the footer's."""
    out = io.BytesIO()
    keys = keys_of(["number", "note"])
    awkward(10).select("number", "note").write_parquet(
        out,
        encryption=pl.ParquetEncryptionProperties(
            footer_key=keys[""],
            column_keys={"number": keys["number"]},
            aad_prefix=AAD,
            store_aad_prefix=False,
        ),
    )
    with pytest.raises(EngineFailed):
        decoded(out.getvalue(), AAD, FOOTER_KEY, {"number": keys["number"]})


def test_a_nested_column_is_refused() -> None:
    out = io.BytesIO()
    pl.DataFrame({"l": [[1, 2], [3]]}).write_parquet(
        out,
        encryption=pl.ParquetEncryptionProperties(
            footer_key=FOOTER_KEY,
            column_keys={"l.list.element": b"\x01" * 32},
            aad_prefix=AAD,
            store_aad_prefix=False,
        ),
    )
    with pytest.raises(EngineFailed):
        decoded(out.getvalue(), AAD, FOOTER_KEY, {"l": b"\x01" * 32})


def test_a_codec_outside_the_format_is_refused() -> None:
    raw = written(awkward(100), codec="gzip")
    with pytest.raises(EngineFailed):
        opened(raw, Reader.ARROW, keys_of(["number"]), facts=facts_of(raw))
