"""Hashes that name key values: compiled ones equal `hashlib`'s, for every kind."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

import hashlib
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector.scan import DTYPES
from privlab.engine.names import column_hashes, hashes_of, value_hash
from privlab.terms.catalog import Kind

INTS = st.integers(-(2**63), 2**63 - 1)
MOMENTS = st.datetimes() | st.datetimes().map(lambda at: at.replace(microsecond=0))
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.BOOL: st.booleans(),
    Kind.INT: INTS | st.integers(-5, 5),
    Kind.TEXT: st.text() | st.text("a\0é", min_size=115, max_size=300),
    Kind.DATE: st.dates(),
    Kind.DATETIME: MOMENTS,
}


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_a_columns_hashes_are_those_of_its_values(kind: Kind, data: st.DataObject) -> None:
    """Nulls among them, and any number around the lanes of the kernel."""
    values = data.draw(st.lists(st.none() | VALUES[kind], max_size=70))
    column = pl.Series(values, dtype=DTYPES[kind])
    assert column_hashes(column, kind).tolist() == [value_hash(one) for one in values]
    assert hashes_of(values).tolist() == [value_hash(one) for one in values]


def test_edges_of_calendars_and_numbers_are_named_as_python_names_them() -> None:
    """Years of one digit, parts of a second, the ends of int64."""
    days = [date.min, date(9, 8, 7), date(1969, 12, 31), date.max]
    moments = [
        datetime(1, 1, 1), datetime(7, 1, 2, 3, 4, 5, 6), datetime(1969, 12, 31, 23, 59, 59, 999_999),
        datetime(2024, 2, 29), datetime(2024, 2, 29, 0, 0, 0, 100_000), datetime(9999, 12, 31, 23, 59, 59, 999_999),
    ]  # fmt: skip
    numbers = [-(2**63), -1, 0, 2**63 - 1]
    for kind, values in ((Kind.DATE, days), (Kind.DATETIME, moments), (Kind.INT, numbers)):
        found = column_hashes(pl.Series(values, dtype=DTYPES[kind]), kind)
        assert found.tolist() == [value_hash(one) for one in values]


@pytest.mark.parametrize("size", [0, 1, 122, 123, 124, 127, 128, 250, 251, 252, 1000])
def test_texts_around_a_block_are_hashed_as_hashlib_does(size: int) -> None:
    """With the type before them, 123 letters fill a block of 128 bytes."""
    text = "x" * size
    digest = hashlib.blake2b(
        b"text\0" + text.encode(), digest_size=8, person=b"privlab/value/v1"
    ).digest()
    assert column_hashes(pl.Series([text, None, text]), Kind.TEXT)[2] == int.from_bytes(
        digest, "little"
    )


KNOWN_ANSWERS: list[tuple[Any, int]] = [
    (None, 0x3B8452F576AB79F6),
    (True, 0x2EEC3CB348F3C0E7),
    (-7, 0x842E175ED4982C25),
    ("north", 0x7F043F998CF5D570),
    ("", 0xBF19F99895A5C528),
    (date(2024, 2, 29), 0xB65CB5EE6D2AEEF6),
    (datetime(2024, 2, 29, 13, 0), 0xAB264E01234E8F9C),
]


@pytest.mark.parametrize(("value", "expected"), KNOWN_ANSWERS)
def test_hashes_stay_what_they_are(value: Any, expected: int) -> None:
    """A table's units would keep other groups under other names."""
    assert value_hash(value) == expected
    assert hashes_of([value]).tolist() == [expected]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [None],
        [1, Fraction(1, 2), 2],
        [2**70, 1],
        [True, 1],
        [date(2024, 1, 1), datetime(2024, 1, 1)],
    ],
)
def test_values_of_several_types_are_hashed_one_by_one(values: list[Any]) -> None:
    assert hashes_of(values).tolist() == [value_hash(one) for one in values]
    assert hashes_of(values).dtype == np.uint64


def test_values_of_different_types_have_different_hashes() -> None:
    assert len({value_hash(value) for value in ("1", 1, True, Fraction(1), None, "")}) == 6


def test_decimals_have_no_name() -> None:
    with pytest.raises(TypeError, match="no label"):
        column_hashes(pl.Series([1.5]), Kind.FLOAT)
