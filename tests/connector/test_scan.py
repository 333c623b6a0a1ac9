"""Reading a source: total in its values, strict in its schema, silent about both."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.connector.contract import parse
from privlab.connector.scan import casts, outside
from privlab.errors import BadContract
from privlab.terms.catalog import Kind


def read(series: pl.Series, kind: str, null_values: str = "[]") -> list[Any]:
    """The column as its contract's kind."""
    contract = parse(
        "[table]\nname = 'v'\ndataset = 'd'\nunit = 'u'\nrows_per_unit = 1\nrow_cap = 10\n"
        f"null_values = {null_values}\n[columns.u]\ntype = 'int'\n[columns.x]\ntype = '{kind}'\n"
    )
    frame = pl.DataFrame({"u": pl.repeat(1, series.len(), eager=True), "x": series}).lazy()
    return (
        frame.select(casts(frame.collect_schema(), contract)["x"].alias("x"))
        .collect()["x"]
        .to_list()
    )


NOON = datetime(2024, 2, 29, 12, 30)

TEXTS: list[tuple[str, list[str], list[Any]]] = [
    ("int", ["5", " -7 ", "5.0", "1e3", "5.5", "x", "", "9223372036854775808"],
     [5, -7, 5, None, None, None, None, None]),
    ("float", ["1.5", " 2 ", "-0.0", "nan", "inf", "1e400", "x"],
     [1.5, 2.0, 0.0, None, None, None, None]),
    ("bool", ["true", "FALSE", "1", "0", "yes", ""], [True, False, True, False, None, None]),
    ("date", ["2024-02-29", "2023-02-29", "29.02.2024", "0000-01-01", "12024-01-01"],
     [date(2024, 2, 29), None, None, None, None]),
    ("datetime",
     ["2024-02-29T12:30:00", "2024-02-29 12:30", "2024-02-29T12:30:00Z", "2024-02-29T14:30:00+02:00",
      "2024-02-29T12:30:00.000000", "2024-02-29", "noon"],
     [NOON, NOON, NOON, NOON, NOON, datetime(2024, 2, 29), None]),
    ("text", [" a ", "", "é"], [" a ", "", "é"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given_texts", "expected"), TEXTS, ids=[t[0] for t in TEXTS])
def test_texts_are_read_as_their_kind_or_are_null(
    kind: str, given_texts: list[str], expected: list[Any]
) -> None:
    found = read(pl.Series(given_texts, dtype=pl.String), kind)

    assert found == expected
    assert [type(value) for value in found] == [type(value) for value in expected]


VALUES: list[tuple[pl.Series, str, list[Any]]] = [
    (pl.Series([1, 2**63], dtype=pl.UInt64), "int", [1, None]),
    (pl.Series([1.0, 1.5, float("nan"), 1e300]), "int", [1, None, None, None]),
    (pl.Series([1, 2]), "float", [1.0, 2.0]),
    (pl.Series([float("nan"), float("inf"), -0.0]), "float", [None, None, 0.0]),
    (pl.Series([0, 1, 2]), "bool", [False, True, None]),
    (pl.Series([True, False]), "int", [1, 0]),
    (pl.Series([7]), "text", ["7"]),
    (pl.Series(["a", "b"], dtype=pl.Categorical), "text", ["a", "b"]),
    (pl.Series(["a"], dtype=pl.Enum(["a"])), "text", ["a"]),
    (pl.Series(["1.50"]).cast(pl.Decimal(10, 2)), "float", [1.5]),
    (pl.Series([date(2024, 2, 29)]), "datetime", [datetime(2024, 2, 29)]),
    (pl.Series([NOON]), "date", [date(2024, 2, 29)]),
    (pl.Series([NOON.replace(tzinfo=UTC)]).dt.convert_time_zone("Europe/Berlin"), "datetime", [NOON]),
    (pl.Series([None, None]), "int", [None, None]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("series", "kind", "expected"), VALUES, ids=[f"{s.dtype}-{k}" for s, k, _ in VALUES]
)
def test_values_are_read_as_their_kind_or_are_null(
    series: pl.Series, kind: str, expected: list[Any]
) -> None:
    assert read(series, kind) == expected


@given(st.lists(st.text(max_size=8), max_size=8), st.sampled_from(list(Kind)))
def test_no_text_makes_reading_fail(texts: list[str], kind: Kind) -> None:
    read(pl.Series(texts, dtype=pl.String), kind.value)


@given(st.lists(st.floats(), max_size=8), st.sampled_from(["int", "float"]))
def test_no_number_makes_reading_fail(values: list[float], kind: str) -> None:
    read(pl.Series(values, dtype=pl.Float64), kind)


def test_the_texts_that_mean_null_are_null() -> None:
    found = read(pl.Series(["a", "NA", "", None]), "text", '["NA", ""]')

    assert found == ["a", None, None, None]


def test_every_misfit_of_the_schema_is_listed_at_once() -> None:
    contract = parse(
        "[table]\nname = 'v'\ndataset = 'd'\nunit = 'patient'\nrows_per_unit = 1\nrow_cap = 10\n"
        "[columns.patient]\ntype = 'int'\n[columns.on]\ntype = 'date'\n[columns.list]\ntype = 'text'\n"
    )
    schema = pl.Schema({"patients": pl.Int64, "on": pl.Int64, "list": pl.List(pl.Int64)})

    with pytest.raises(BadContract) as caught:
        casts(schema, contract)

    assert caught.value.code == "PL151"
    assert list(caught.value.facts.values()) == [
        "the file has no column 'patient'; the file has 'patients'",
        "'on' is of type Int64 in the file, which cannot be read as \"date\"",
        "'list' is of type List in the file, which cannot be read as \"text\"",
    ]


def test_what_is_outside_is_told_from_what_is_inside() -> None:
    contract = parse(
        "[table]\nname = 'v'\ndataset = 'd'\nunit = 'u'\nrows_per_unit = 1\nrow_cap = 10\n"
        "[columns.u]\ntype = 'int'\n[columns.n]\ntype = 'int'\nrange = [0, 5]\n"
        "[columns.k]\ntype = 'text'\nkeys = ['a']\n[columns.b]\ntype = 'bool'\n"
        "[columns.d]\ntype = 'date'\nrange = [2024-01-01, 2024-01-31]\n"
        "[columns.t]\ntype = 'datetime'\nrange = [2024-01-01, 2024-01-31]\n"
    )
    frame = pl.DataFrame(
        {
            "n": [0, 5, 6, None],
            "k": ["a", "b", "a", None],
            "d": [date(2024, 1, 31), date(2024, 2, 1), date(2023, 12, 31), None],
            "t": [datetime(2024, 1, 31, 23), datetime(2024, 2, 1), datetime(2024, 1, 1), None],
        }
    )
    tests = {c.name: outside(c) for c in contract.stated.columns}

    assert tests["u"] is None
    assert tests["b"] is None
    found = frame.select(**{name: test for name, test in tests.items() if test is not None})
    assert found.to_dict(as_series=False) == {
        "n": [False, False, True, None],
        "k": [False, True, False, None],
        "d": [False, True, True, None],
        "t": [False, True, False, None],
    }


def test_a_field_of_a_struct_is_a_column_by_its_path() -> None:
    contract = parse(
        "[table]\nname = 'v'\ndataset = 'd'\nunit = 'who.id'\nrows_per_unit = 1\nrow_cap = 9\n"
        "[columns.'who.id']\ntype = 'int'\n[columns.'who.at.city']\ntype = 'text'\n"
        "[columns.'who.name']\ntype = 'text'\n"
    )
    frame = pl.DataFrame(
        {
            "who": [{"id": 1, "at": {"city": "x"}, "name": "a"}, {"id": None, "at": None}, None],
            "who.name": ["own", "own", None],
        }
    )

    read = frame.select(expr.alias(name) for name, expr in casts(frame.schema, contract).items())

    assert read.rows() == [(1, "x", "own"), (None, None, "own"), (None, None, None)]


def test_extremes_of_their_types_are_null_and_make_nothing_fail() -> None:
    """Each of these made Polars overflow or panic, for some values and not for others."""
    days = pl.Series([2**31 - 1, -(2**31), 0], dtype=pl.Int32).cast(pl.Date)

    assert read(days, "datetime") == [None, None, datetime(1970, 1, 1)]
    assert read(days, "date") == [None, None, date(1970, 1, 1)]
    for scale in (0, 2, 38):
        digits = "9" * (38 - scale) + "." + "9" * scale
        ends = pl.Series([Decimal(digits), Decimal(f"-{digits}")], dtype=pl.Decimal(38, scale))
        assert read(ends, "int") == [None, None]
    whole = [Decimal(2**63 - 1), Decimal(2**63), Decimal(-(2**63)), Decimal("0.5")]
    assert read(pl.Series(whole, dtype=pl.Decimal(38, 2)), "int") == [
        2**63 - 1, None, -(2**63), None
    ]  # fmt: skip


def test_there_is_one_zero() -> None:
    found = read(pl.Series([-0.0, 0.0, -0.0]), "float")

    assert [math.copysign(1, value) for value in found] == [1, 1, 1]
