"""Notebook values travel by value and by type, and nothing else travels."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.client.parameters import parameter
from privlab.curator.asks import values
from privlab.errors import BadQuery


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, "bool", "true"),
        (7, "int", "7"),
        (2.5, "float", "2.5"),
        (1e-7, "float", "0.0000001"),
        (Decimal("1.10"), "float", "1.10"),
        ("O'Hara; DROP TABLE", "text", "O'Hara; DROP TABLE"),
        (date(2023, 5, 1), "date", "2023-05-01"),
        (datetime(2023, 5, 1, 12), "datetime", "2023-05-01T12:00:00"),  # noqa: DTZ001
        (None, "null", ""),
        (np.int64(9), "int", "9"),
        (np.float64(0.5), "float", "0.5"),
    ],
)
def test_a_scalar_keeps_its_type(value: object, kind: str, text: str) -> None:
    sent = parameter("p", value)

    assert (sent.kind, sent.text, sent.is_list) == (kind, (text,), False)


@pytest.mark.parametrize("value", [["a", "b"], ("a", "b"), pl.Series(["a", "b"])])
def test_lists_and_series_are_lists(value: object) -> None:
    assert parameter("p", value).text == ("a", "b")


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        object(),
        [1, "a"],
        list(range(10_001)),
        datetime(2023, 5, 1, tzinfo=UTC),
        Decimal("NaN"),
    ],
)
def test_a_value_without_meaning_is_refused(value: object) -> None:
    with pytest.raises(BadQuery) as refusal:
        parameter("p", value)

    assert refusal.value.code == "PL110"


@given(
    st.one_of(
        st.booleans(),
        st.integers(),
        st.text(max_size=50),
        st.dates(),
        st.datetimes(),
        st.lists(st.integers(), max_size=5),
    )
)
def test_the_curator_reads_back_what_the_notebook_held(value: object) -> None:
    read = values({"p": parameter("p", value)})["p"]

    assert read == (tuple(value) if isinstance(value, list) else value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_arrives_as_the_decimal_it_prints(value: float) -> None:
    assert values({"p": parameter("p", value)})["p"] == Fraction(repr(value))


@pytest.mark.parametrize("unit", ["D", "s", "us", "ns"])
def test_a_numpy_time_is_a_time_whatever_its_unit(unit: str) -> None:
    sent = parameter("p", np.datetime64("2023-05-01", unit))

    assert sent.kind in ("date", "datetime")
    assert sent.text[0].startswith("2023-05-01")


def test_a_pandas_time_is_a_time() -> None:
    pandas = pytest.importorskip("pandas")

    assert parameter("p", pandas.Timestamp("2023-05-01 12:00")).text == ("2023-05-01T12:00:00",)


@pytest.mark.parametrize("value", [{"a": 1}, b"bytes"])
def test_what_can_be_iterated_is_not_always_a_list(value: object) -> None:
    with pytest.raises(BadQuery):
        parameter("p", value)
