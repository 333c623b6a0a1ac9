"""The result's text: exact decimals, and intervals that only grow."""

from __future__ import annotations

import json
from datetime import date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.release.result import decimal, result_json
from privlab.terms.catalog import Kind
from privlab.terms.release import ResultColumn, ResultTable

fractions = st.fractions(min_value=-(10**9), max_value=10**9)


def one_number(value: Fraction | int | None, width: Fraction | None, decimals: int) -> ResultTable:
    column = ResultColumn("n", "mean", Kind.FLOAT, decimals)
    return ResultTable((column,), ((value,),), ((width,),), Fraction(95))


@given(
    value=fractions, width=st.fractions(min_value=0, max_value=10**6), decimals=st.integers(0, 6)
)
def test_the_written_interval_covers_the_computed_one(
    value: Fraction, width: Fraction, decimals: int
) -> None:
    """Rounding moves the middle, so the half-width pays for it."""
    result = json.loads(result_json(one_number(value, width, decimals), title="", caption=""))
    middle, half = (Fraction(result[part][0][0]) for part in ("rows", "half_widths"))

    assert middle - half <= value - width
    assert middle + half >= value + width
    assert half - width <= 2 * Fraction(1, 10 ** (decimals + 2))


@given(value=fractions, decimals=st.integers(0, 9))
def test_a_decimal_text_is_the_nearest_one_in_one_spelling(value: Fraction, decimals: int) -> None:
    """No exponent, no trailing zero, no minus before zero."""
    text = decimal(value, decimals)

    assert Fraction(text) == round(value, decimals)
    assert text not in {"-0", ""}
    assert "e" not in text
    assert "." not in text or not text.endswith(("0", "."))


def test_every_kind_of_cell_has_its_text() -> None:
    """Keys keep their own form; null stays null; estimates are decimals."""
    keys = [
        (Kind.BOOL, True, "true"),
        (Kind.INT, 7, "7"),
        (Kind.FLOAT, Fraction(1, 4), "0.25"),
        (Kind.TEXT, "A & E", "A & E"),
        (Kind.DATE, date(2026, 2, 3), "2026-02-03"),
        (Kind.DATETIME, datetime(2026, 2, 3, 4, 5), "2026-02-03T04:05:00"),  # noqa: DTZ001
        (Kind.TEXT, None, None),
    ]
    columns = tuple(ResultColumn(f"k{i}", "key", kind) for i, (kind, _, _) in enumerate(keys))
    table = ResultTable(
        (*columns, ResultColumn("n", "units", Kind.INT, 0, "patients")),
        ((*(value for _, value, _ in keys), Fraction(-37, 3)),),
        ((*(None for _ in keys), None),),
        Fraction("99.5"),
    )

    result = json.loads(result_json(table, title="t", caption="at most 8 visits per patient"))

    assert result["rows"] == [[*(text for _, _, text in keys), "-12.33"]]
    assert result["half_widths"] == [[None] * 8]
    assert result["confidence"] == "99.5"
    assert result["columns"][-1] == {
        "name": "n",
        "label": "units",
        "kind": "int",
        "decimals": 0,
        "unit_word": "patients",
    }
    assert list(result) == ["title", "caption", "confidence", "columns", "rows", "half_widths"]


def test_an_estimate_that_is_not_a_number_is_a_bug() -> None:
    """A text under an estimate's head would be drawn as one."""
    with pytest.raises(TypeError):
        result_json(one_number(value=True, width=None, decimals=0), title="", caption="")


def test_an_estimate_of_a_date_or_a_time_keeps_its_form() -> None:
    """A median of days is a day, and has no half-width."""
    moment = datetime(2026, 2, 3, 4, 5)  # noqa: DTZ001
    columns = (ResultColumn("a", "median", Kind.DATE), ResultColumn("b", "max", Kind.DATETIME))
    table = ResultTable(columns, ((date(2026, 2, 3), moment),), ((None, None),), Fraction(95))

    result = json.loads(result_json(table, title="", caption=""))

    assert result["rows"] == [["2026-02-03", "2026-02-03T04:05:00"]]
    assert result["half_widths"] == [[None, None]]
