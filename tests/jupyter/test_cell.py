"""What a cell mentions: its language, its name, and the values it needs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.errors import BadQuery
from privlab.jupyter import cell

NOON = datetime.fromisoformat("2023-01-02T12:00")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "\n  -- why\n/* not\n yet */ with x as (select 1) select 1",
        "# a note\nFROM visits",
        "(SELECT 1)",
    ],
)
def test_sql_is_known_by_its_first_token(text):
    assert cell.is_sql(text)


@pytest.mark.parametrize("text", ["", "visits.head()", "selection.agg()", "-- SELECT", "1"])
def test_everything_else_is_polars_syntax(text):
    assert not cell.is_sql(text)


def test_an_assignment_names_the_release():
    assert cell.split_assignment("\nby_ward << SELECT 1") == ("by_ward", "\nSELECT 1")
    assert cell.split_assignment("SELECT 1 << 2") == ("", "SELECT 1 << 2")


def test_only_mentioned_names_are_sent():
    names = {"low": 3, "secret": "s", "wards": ["a"]}
    sql = "SELECT COUNT(*) AS n FROM visits WHERE age >= :low AND ward IN :wards"
    assert cell.parameters(sql, names) == {"low": 3, "wards": ["a"]}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ':low' AS x",
        'SELECT ":low" AS x',
        "SELECT 1 -- :low",
        "SELECT 1 /* :low */",
        "SELECT 'it''s :low' AS x",
        "SELECT age::low FROM visits",
    ],
)
def test_what_looks_like_a_parameter_and_is_none_is_not_sent(text):
    assert cell.parameters(text, {"low": 3}) == {}


def test_a_parameter_without_a_value_is_pointed_at():
    with pytest.raises(BadQuery) as refused:
        cell.parameters("SELECT 1\nWHERE age > :low", {})
    assert refused.value.code == "PL110"
    assert refused.value.caret.lines() == ["WHERE age > :low", "            ^^^^"]


@pytest.mark.parametrize("value", [{"a": 1}, pl.DataFrame({"a": [1]}), len, b"x", object()])
def test_a_value_that_cannot_be_sent_is_refused_by_its_type(value):
    with pytest.raises(BadQuery) as refused:
        cell.parameters("SELECT :x", {"x": value})
    assert refused.value.code == "PL110"
    assert type(value).__name__ in refused.value.what


def test_free_names_of_polars_text_are_sent_and_tables_are_not():
    names = {"low": 3, "visits": pl.DataFrame(), "pl": pl, "n": 9, "wards": ("a", "b")}
    text = 'visits.filter((pl.col("age") > low) & pl.col("ward").is_in(wards)).select(n=pl.len())'
    assert cell.parameters(text, names) == {"low": 3, "wards": ["a", "b"]}


def test_polars_text_over_several_lines_is_read_too():
    text = "visits\n  .filter(pl.col('age') > low)\n  .select(n=pl.len())"
    assert cell.parameters(text, {"low": 3}) == {"low": 3}


@pytest.mark.parametrize("text", ["visits.(", "\x00", "(" * 500])
def test_text_that_cannot_be_parsed_sends_nothing(text):
    assert cell.parameters(text, {"visits": 1}) == {}


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (np.int64(3), 3),
        (np.array([1, 2]), [1, 2]),
        (pl.Series([1, None]), [1, None]),
        (pd.Series(["a", "b"]), ["a", "b"]),
        (range(3), [0, 1, 2]),
        (Decimal("1.5"), Decimal("1.5")),
        (None, None),
        (date(2023, 1, 2), date(2023, 1, 2)),
        (np.array(["2023-01-02"], "datetime64[D]"), [date(2023, 1, 2)]),
        (np.array(["2023-01-02T12:00"], "datetime64[ns]"), [NOON]),
        (np.datetime64("2023-01-02T12:00", "ns"), NOON),
    ],
)
def test_values_are_unwrapped_to_what_python_has(value, sent):
    assert cell.parameters("SELECT :x", {"x": value}) == {"x": sent}


@given(st.text())
def test_any_text_is_read_without_being_run(text):
    cell.is_sql(text)
    cell.split_assignment(text)
    if ":" not in text or not cell.is_sql(text):
        assert set(cell.parameters(text, {"a": 1, "pl": pl})) <= {"a"}
