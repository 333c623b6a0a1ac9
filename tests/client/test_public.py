"""Frames as public tables: what can be sent, how it arrives, and what is refused."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from privlab.client.public import public_table, public_tables
from privlab.curator.public import digest, public_facts, public_rows
from privlab.errors import BadQuery
from privlab.jupyter.cell import frames
from privlab.query.relations import PublicRows
from privlab.terms.catalog import Kind
from privlab.wire.messages import PublicColumn, PublicTable

DATA = {
    "ward": ["A", "B", None],
    "beds": [10, None, 5],
    "open": [True, False, None],
    "since": [date(2023, 1, 1), None, date(2024, 2, 29)],
}
ROWS = PublicRows(
    (("ward", Kind.TEXT), ("beds", Kind.INT), ("open", Kind.BOOL), ("since", Kind.DATE)),
    (
        ("A", 10, True, date(2023, 1, 1)),
        ("B", None, False, None),
        (None, 5, None, date(2024, 2, 29)),
    ),
)


@pytest.mark.parametrize("frame", [DATA, pl.DataFrame(DATA), pa.table(DATA)])
def test_a_frame_arrives_as_it_was(frame: object) -> None:
    assert public_rows(public_tables({"wards": frame})) == {"wards": ROWS}


def test_what_pandas_made_of_a_null_is_a_null_again() -> None:
    frame = pd.DataFrame({"ward": ["A", None], "beds": [10, None], "rate": [0.5, float("nan")]})
    found = public_rows(public_tables({"w": frame}))["w"]
    assert found.columns == (("ward", Kind.TEXT), ("beds", Kind.INT), ("rate", Kind.FLOAT))
    assert found.rows == (("A", 10, Fraction(1, 2)), (None, None, None))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({}, "0 columns"),
        ({str(at): [1] for at in range(65)}, "65 columns"),
        ({"a": [1, 2], "b": [1]}, "different lengths"),
        ({"a": list(range(10_001))}, "10,001 rows"),
        ({"a": ["x" * 3_000] * 400}, "bytes"),
        ({"a": [1, "x"]}, "mixes int and text"),
        ({"a": 3}, "no list"),
        ([1, 2], "no table"),
        ({1: [1], "1": [2]}, "two columns"),
    ],
)
def test_what_is_no_small_table_is_refused(frame: object, words: str) -> None:
    with pytest.raises(BadQuery, match=words) as caught:
        public_table("wards", frame)
    assert caught.value.code == "PL114"
    assert caught.value.hint


def test_a_name_is_a_name() -> None:
    with pytest.raises(BadQuery, match="name of a table"):
        public_tables({"my wards": DATA})


@pytest.mark.parametrize(
    "columns",
    [
        [("a", "int", ("x",))],
        [("a", "int", ("9223372036854775808",))],
        [("a", "int", ("1",)), ("a", "int", ("2",))],
        [("a", "int", ("1",)), ("b", "int", ())],
        [("a", "date", ("2024-02-30",))],
        [("a", "text", ("x" * 3_000,) * 400)],
    ],
)
def test_the_curator_takes_no_clients_word(columns: list[tuple[str, str, tuple[str]]]) -> None:
    table = PublicTable(
        columns=tuple(PublicColumn(name=n, kind=k, text=t) for n, k, t in columns)  # type: ignore[arg-type]
    )
    with pytest.raises(BadQuery) as caught:
        public_rows({"wards": table})
    assert caught.value.code == "PL114"


def test_a_release_says_what_was_brought() -> None:
    """Its digest moves with every value, name and kind, and with nothing else."""
    (fact,) = public_facts(public_tables({"wards": DATA}))
    assert (fact.name, fact.rows, fact.columns) == ("wards", 3, tuple(DATA))
    assert fact.digest == digest(public_table("other", DATA))
    for other in (
        {**DATA, "beds": [10, None, 6]},
        {**DATA, "beds": [10.5, None, 5.0]},
        {("Ward" if name == "ward" else name): values for name, values in DATA.items()},
    ):
        assert digest(public_table("wards", other)) != fact.digest


def test_the_magic_names_frames_of_the_notebook() -> None:
    notebook = {"df": 1, "wards": 2}
    assert frames(["a=df", "wards"], notebook) == {"a": 1, "wards": 2}
    for given in (["a=nothing"], ["wards", "wards=df"]):
        with pytest.raises(BadQuery) as caught:
            frames(given, notebook)
        assert caught.value.code == "PL114"
