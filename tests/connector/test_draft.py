"""Drafts: a schema becomes a contract to fill in, and nothing else of the file shows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privlab.connector.contract import parse
from privlab.connector.draft import draft
from privlab.errors import BadContract
from privlab.terms.catalog import Kind

OPEN = {"dataset", "unit", "unit_word", "rows_per_unit", "row_cap", "purposes"}
ANSWERS = {
    'dataset = "?"': 'dataset = "hospital"',
    'unit = "?"': 'unit = "patient"',
    'unit_word = "?"': 'unit_word = "patient"',
    'rows_per_unit = "?"': "rows_per_unit = 8",
    'row_cap = "?"': "row_cap = 1000",
    'purposes = "?"': 'purposes = ["exploration"]',
}


def written(folder: Path, ending: str) -> Path:
    frame = pl.DataFrame(
        {
            "patient": [1, 2],
            "ward name": ["secret-ward", "b"],
            "stay": [1.5, 2.25],
            "urgent": [True, False],
            "on": pl.Series(["2020-01-02", "2020-01-03"]).str.to_date(),
        }
    )
    path = folder / f"Visits 2020{ending}"
    {
        ".parquet": frame.write_parquet,
        ".csv": frame.write_csv,
        ".arrow": frame.write_ipc,
    }[ending](path)
    return path


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".arrow"])
def test_a_draft_lists_what_is_open_and_passes_once_it_is_filled(
    tmp_path: Path, ending: str
) -> None:
    text = draft(written(tmp_path, ending))

    with pytest.raises(BadContract) as caught:
        parse(text)
    listed = " ".join(caught.value.facts.values())
    assert len(caught.value.facts) == len(OPEN)
    assert all(f"{name} is still open" in listed for name in OPEN)
    for question, answer in ANSWERS.items():
        assert question in text
        text = text.replace(question, answer, 1)
    table = parse(text).stated
    assert table.name == "visits_2020"
    assert table.purposes == ("exploration",)
    assert {c.name: c.kind for c in table.columns} == {
        "patient": Kind.INT,
        "ward name": Kind.TEXT,
        "stay": Kind.FLOAT,
        "urgent": Kind.BOOL,
        "on": Kind.DATE,
    }


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".arrow"])
def test_no_value_of_the_file_is_in_the_draft(tmp_path: Path, ending: str) -> None:
    text = draft(written(tmp_path, ending))

    assert "secret-ward" not in text
    assert "2.25" not in text


def test_metadata_of_the_file_proposes_nothing(tmp_path: Path) -> None:
    """Key-value metadata, field metadata and an enum's categories may hold values."""
    kinds = pa.schema(
        [
            pa.field("ward", pa.string(), metadata={"keys": "secret-field"}),
            pa.field("code", pa.dictionary(pa.int8(), pa.string())),
        ],
        metadata={"pandas": "secret-file"},
    )
    table = pa.table({"ward": ["a"], "code": pa.array(["secret-code"]).dictionary_encode()}).cast(
        pa.schema(
            [
                pa.field("ward", pa.string()),
                pa.field("code", pa.dictionary(pa.int32(), pa.string())),
            ]
        )
    )
    path = tmp_path / "v.parquet"
    pq.write_table(table.replace_schema_metadata(kinds.metadata), path)
    enum = tmp_path / "e.parquet"
    pl.DataFrame(
        {"code": ["secret-enum"]}, schema={"code": pl.Enum(["secret-enum"])}
    ).write_parquet(enum)

    text = draft(path) + draft(enum)

    assert "secret" not in text
    assert text.count('[columns.code]\ntype = "text"') == 2


def test_columns_that_cannot_be_protected_are_left_out_by_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    pl.DataFrame({"ok": [1], "nested": [[1, 2]], "privlab_x": [1], "a\nb": [1]}).write_parquet(path)

    text = draft(path)

    assert "# [columns.nested]\n# left out: a column of type List" in text
    assert text.count("its name cannot be used") == 2
    assert "\n[columns.ok]" in text


def test_a_file_that_is_not_what_its_name_says_is_refused_without_quoting_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "v.parquet"
    path.write_text("secret words")

    with pytest.raises(BadContract) as caught:
        draft(path)

    assert caught.value.code == "PL151"
    assert "secret" not in str(caught.value)


def test_an_unknown_format_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    odd = tmp_path / "v.xlsx"
    odd.write_bytes(b"")
    for path in (odd, tmp_path / "absent.csv"):
        with pytest.raises(BadContract) as caught:
            draft(path)
        assert caught.value.code == "PL151"
