"""Constants are exact."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.errors import BadQuery
from privlab.query.ask import Source, Span, Surface
from privlab.query.literals import number, parse_datetime, time_literal
from privlab.terms.catalog import Scalar

SOURCE, SPAN = Source("x", Surface.SQL), Span(0, 1)


@given(value=st.decimals(-0, 10**9, allow_nan=False, places=6))
def test_decimals_are_read_exactly(value: object) -> None:
    text = str(value).lstrip("-")
    assert Fraction(number(text, SOURCE, SPAN)) == Fraction(text)


def test_a_tenth_is_a_tenth() -> None:
    assert number("0.1", SOURCE, SPAN) == Fraction(1, 10)
    assert number("1_000.50", SOURCE, SPAN) == Fraction(2001, 2)
    assert number("6.5e1", SOURCE, SPAN) == 65
    assert isinstance(number("65.0", SOURCE, SPAN), int)


@pytest.mark.parametrize("text", ["", ".", "1e999999999", "1" * 31, "1e31", "0x10", "1j", "١"])
def test_what_is_no_short_decimal_is_refused(text: str) -> None:
    with pytest.raises(BadQuery) as caught:
        number(text, SOURCE, SPAN)
    assert caught.value.code == "PL111"


@pytest.mark.parametrize(
    ("text", "to", "value"),
    [
        ("2024-01-31", "DATE", date(2024, 1, 31)),
        ("2024-01-31 10:30:00", "TIMESTAMP", datetime(2024, 1, 31, 10, 30)),  # noqa: DTZ001
        ("-3", "INT", -3),
        ("2.50", "DECIMAL", Fraction(5, 2)),
        ("a", "TEXT", "a"),
    ],
)
def test_literals_are_cast(text: str, to: str, value: Scalar) -> None:
    assert time_literal(text, to, SOURCE, SPAN) == value


@pytest.mark.parametrize(
    ("text", "to", "code"),
    [("2023-02-29", "DATE", "PL111"), ("2.5", "INT", "PL111"), ("x", "UUID", "PL106")],
)
def test_a_cast_that_fails_is_refused(text: str, to: str, code: str) -> None:
    with pytest.raises(BadQuery) as caught:
        time_literal(text, to, SOURCE, SPAN)
    assert caught.value.code == code


def test_times_have_no_zone() -> None:
    assert parse_datetime("2024-01-31T10:00:00+01:00") is None
