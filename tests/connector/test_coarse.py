"""What is stored is coarser already: read back from the parts, and equal to the plain meaning."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

import math
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from privlab.connector.coarse import coarse
from privlab.connector.contract import parse
from privlab.connector.counts import Counter, reading
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.scan import DTYPES
from privlab.connector.source import open_frame
from privlab.terms.catalog import Kind, Scalar
from privlab.terms.treatment import (
    CLOCK_GRAINS,
    DAY_GRAINS,
    Coarsening,
    Redaction,
    Treatment,
    treated,
)
from tests.connector.conftest import SECRET
from tests.connector.test_protect import written

_INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
_STEPS = st.fractions(min_value=Fraction(1, 1000), max_value=10_000, max_denominator=1000)
_MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999))
_TEXTS = st.text(max_size=12)


def stored(values: list[Scalar | None], kind: Kind, treatment: Treatment) -> list[object]:
    column = pl.Series("x", values, dtype=DTYPES[kind])
    frame = pl.DataFrame({"x": column, "n": range(len(values))})
    return frame.select(coarse(pl.col("x"), kind, treatment).alias("y"), "n")["y"].to_list()


@given(values=st.lists(_INT64 | st.none(), max_size=8), step=st.integers(1, 1 << 50))
@example(values=[-(1 << 63), (1 << 63) - 1], step=7)
def test_whole_numbers_go_down_to_a_multiple_or_have_no_place(
    values: list[int | None], step: int
) -> None:
    how = Coarsening(step=Fraction(step))

    for value, got in zip(values, stored(list(values), Kind.INT, how), strict=True):
        wanted = treated(value, how)
        assert got == wanted or (got is None and isinstance(wanted, int) and value is not None
                                 and value < step - (1 << 63))  # fmt: skip


@given(multiples=st.lists(st.integers(-10_000_000, 10_000_000), max_size=8), step=_STEPS)
def test_a_float_that_is_a_multiple_stays_itself(multiples: list[int], step: Fraction) -> None:
    """Of the decimal step, though neither is a float's: 0.29 in steps of 0.01 is 0.29."""
    values: list[object] = [float(k * step) for k in multiples]

    assert stored(values, Kind.FLOAT, Coarsening(step=step)) == values  # type: ignore[arg-type]


@given(values=st.lists(st.floats(-1e9, 1e9), max_size=8), step=_STEPS)
def test_a_float_goes_down_to_the_multiple_before_it(values: list[float], step: Fraction) -> None:
    for value, got in zip(values, stored(list(values), Kind.FLOAT, Coarsening(step=step)), strict=True):  # type: ignore[arg-type]  # fmt: skip
        exact = Fraction(value) // step
        assert got in (float(exact * step), float((exact + 1) * step))
        assert isinstance(got, float)
        assert got <= value
        assert math.copysign(1, got) > 0 or got < 0, "no negative zero is stored"


def test_a_float_without_a_place_among_floats_is_null() -> None:
    how = Coarsening(step=Fraction(1, 1000))

    assert stored([1.7e308, -1.7e308], Kind.FLOAT, how) == [None, None]  # type: ignore[list-item]


@given(values=st.lists(_MOMENTS | st.none(), max_size=8))
def test_times_go_back_as_the_calendar_says(values: list[datetime | None]) -> None:
    for grain in (*CLOCK_GRAINS, *DAY_GRAINS):
        how = Coarsening(grain=grain)
        assert stored(list(values), Kind.DATETIME, how) == [treated(v, how) for v in values]
    days = [None if v is None else v.date() for v in values]
    for grain in DAY_GRAINS:
        how = Coarsening(grain=grain)
        assert stored(list(days), Kind.DATE, how) == [treated(v, how) for v in days]


@given(values=st.lists(_TEXTS | st.none(), max_size=8), most=st.integers(1, 5))
def test_texts_are_cut_masked_and_replaced_alike(values: list[str | None], most: int) -> None:
    for how in (
        Coarsening(prefix=most),
        Redaction(mask=True),
        Redaction(text="gone"),
        Redaction(),
    ):
        assert stored(list(values), Kind.TEXT, how) == [treated(v, how) for v in values]


CONTRACT = """\
[table]
name = "visits"
dataset = "clinic"
unit = "patient"
rows_per_unit = 4
row_cap = 1_000

[columns.patient]
type = "int"

[columns.born]
type = "date"
range = [1900-01-01, 2025-12-31]
coarsen = "year"

[columns.age]
type = "int"
range = [0, 110]
coarsen = 5

[columns.postcode]
type = "text"
keys = ["10", "80"]
coarsen = "prefix:2"

[columns.phone]
type = "text"
redact = "mask"

[columns.note]
type = "text"
redact = "text:removed"

[columns.score]
type = "float"
redact = "null"

[columns.ssn]
drop = true
"""


def people() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "patient": [1, 2, 3, 4],
            "born": [date(1987, 6, 5), date(2001, 1, 1), date(1890, 3, 4), None],
            "age": [37, 40, 200, None],
            "postcode": ["1020-345", "80", "9999", None],
            "phone": ["+49 30 901820", SECRET, "", None],
            "note": [SECRET, "b", "", None],
            "score": [1.5, float("nan"), None, 2.0],
            "ssn": [SECRET] * 4,
        }
    )


STORED = {
    "born": [date(1987, 1, 1), date(2001, 1, 1), date(1890, 1, 1), None],
    "age": [35, 40, 200, None],
    "postcode": ["10", "80", "99", None],
    "phone": ["+00 00 000000", "xxxxxxxxx-xxxxxxxxxxxx", "", None],
    "note": ["removed", "removed", "removed", None],
    "score": [None, None, None, None],
}


def test_the_parts_hold_what_is_left_and_nothing_else(tmp_path: Path) -> None:
    done, back = written(tmp_path, people(), parse(CONTRACT))

    wanted = pl.DataFrame(STORED, schema_overrides={"score": pl.Float64})
    assert set(back.columns) == {*UNIT_COLUMNS, *STORED}
    assert sorted(map(repr, back.select(*STORED).rows())) == sorted(map(repr, wanted.rows()))
    assert set(done.keys.columns) >= set(STORED), "a key of its own each"
    assert "ssn" not in done.keys.columns


def test_the_owner_is_told_how_many_values_were_treated() -> None:
    contract = parse(CONTRACT)
    source = open_frame(people())
    how = reading(source.schema, contract)
    counter = Counter(contract, how)
    for read in source.reads(how.columns):
        counter.add(read())

    counts = counter.accepted()

    assert counts.coarsened == {"born": 2, "age": 1, "postcode": 2}
    assert counts.redacted == {"phone": 3, "note": 3, "score": 2}
    assert counts.dropped == ("ssn",)
    assert counts.unreadable == {"score": 1}, "a NaN is no value"
    assert counts.outside == {"born": 1, "age": 1, "postcode": 1}


def test_a_dropped_column_is_not_even_read() -> None:
    contract = parse(CONTRACT)
    how = reading(people().schema, contract)

    asked = {name for column in how.columns for name in column.meta.root_names()}

    assert asked == set(people().columns) - {"ssn"}
    reading(people().drop("ssn").schema, contract)
