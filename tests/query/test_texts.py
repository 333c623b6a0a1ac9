"""What operations on texts mean; that Polars agrees is tested with the engine."""

from __future__ import annotations

import re
import time
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.query import texts


@pytest.mark.parametrize(
    ("text", "offset", "length", "found"),
    [
        ("abc", 0, 2, "ab"),
        ("abc", 1, None, "bc"),
        ("abc", -2, 1, "b"),
        ("abc", -5, 3, "a"),
        ("abc", 5, 2, ""),
        ("", -1, None, ""),
        ("日本語", 1, 1, "本"),
    ],
)
def test_cuts_count_characters(text: str, offset: int, length: int | None, found: str) -> None:
    assert texts.cut(text, offset, length) == found


@pytest.mark.parametrize(
    ("text", "whole", "decimal"),
    [
        ("5", 5, 5.0),
        ("+5", 5, 5.0),
        ("-07", -7, -7.0),
        (" 5", None, None),
        ("5 ", None, None),
        ("5\n", None, None),
        ("", None, None),
        ("1_0", None, None),
        ("٣", None, None),
        (".5", None, 0.5),
        ("5.", None, 5.0),
        ("1e5", None, 100000.0),
        ("1e999", None, None),
        ("nan", None, None),
        ("9223372036854775807", 2**63 - 1, float(2**63)),
        ("9223372036854775808", None, float(2**63)),
        ("0" * 400, 0, 0.0),
        ("0" * 401, None, None),
    ],
)
def test_numbers_are_read_by_a_small_grammar(
    text: str, whole: int | None, decimal: float | None
) -> None:
    assert texts.int_of(text) == whole
    assert texts.float_of(text) == decimal


def test_a_decimal_is_read_exactly_where_it_can_be() -> None:
    assert texts.exact_of("0.1") == Fraction(1, 10)
    assert texts.exact_of("1e999") is None


def test_dates_have_four_two_and_two_digits() -> None:
    assert texts.date_of("2024-02-29") == date(2024, 2, 29)
    for text in ("2023-02-29", "0000-01-01", "2024-1-1", "2024-01-01 ", "20240101", "2024-01-01\n"):
        assert texts.date_of(text) is None


@pytest.mark.parametrize(
    ("text", "escape", "form"),
    [
        ("a%%b", None, "a%b"),
        ("a%_%", None, "a_%"),
        ("50!%%", "!", "50\\%%"),
        ("a\\b", None, "a\\\\b"),
        ("a!", "!", None),
    ],
)
def test_patterns_have_one_form(text: str, escape: str | None, form: str | None) -> None:
    assert texts.pattern(text, escape) == form


words = st.text("ab%_\\", max_size=8)


@given(text=words, form=words)
def test_patterns_match_as_their_regular_expression(text: str, form: str) -> None:
    found = texts.pattern(form, None)
    assert found is not None
    parts = {"%": ".*", "_": "."}
    regex = "".join(parts.get(char, re.escape(char)) for char in form)
    assert texts.like(text, found) is bool(re.fullmatch(regex, text, re.DOTALL))


@given(text=words)
def test_a_literal_matches_itself_alone(text: str) -> None:
    form = texts.literal(text)
    assert texts.like(text, form)
    assert not texts.like(text + "c", form)


def test_a_hostile_pattern_takes_no_time() -> None:
    begin = time.process_time()
    assert not texts.like("a" * 1_000, "%a" * 500 + "b")
    assert time.process_time() - begin < 2
