"""Constants of a question: exact numbers, dates and times, never a float."""

from __future__ import annotations

import re
from datetime import date, datetime
from fractions import Fraction

from privlab.query.ask import Source, Span
from privlab.terms.catalog import Scalar

MAX_DIGITS = 30
"""Digits before or after the point; beyond, no column of ours has a value."""

_NUMBER = re.compile(r"([0-9_]*)(?:\.([0-9_]*))?(?:[eE]([+-]?[0-9]{1,3}))?", re.ASCII)
_INTS = {"TINYINT", "SMALLINT", "INT", "BIGINT", "INTEGER"}
_DECIMALS = {"DECIMAL", "FLOAT", "DOUBLE", "REAL"}
_STAMPS = {"TIMESTAMP", "DATETIME", "TIMESTAMPNTZ"}


def number(text: str, source: Source, span: Span) -> int | Fraction:
    """An exact number from digits, a point and an exponent; whole numbers are ints.

    :raises BadQuery: PL111 it is not a decimal number of at most 30 digits.
    """
    found = _NUMBER.fullmatch(text)
    digits = (found[1] or "") + (found[2] or "") if found else ""
    scale = int(found[3] or 0) if found else 0
    if not digits or len(digits) > MAX_DIGITS or abs(scale) > MAX_DIGITS:
        raise source.refuse(
            "PL111", f"{text[:40]} is not a decimal number of at most {MAX_DIGITS} digits", span
        )
    return whole(Fraction(text.replace("_", "")))


def whole(value: Fraction) -> int | Fraction:
    """65.0 is 65: whole numbers have one form."""
    return int(value) if value.denominator == 1 else value


def parse_date(text: str) -> date | None:
    """An ISO calendar date, or None."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_datetime(text: str) -> datetime | None:
    """An ISO date and time without a zone, or None."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is None else None


def time_literal(text: str, to: str, source: Source, span: Span) -> Scalar:
    """A literal cast to the SQL type ``to``.

    :raises BadQuery: PL111 the text does not read as that type.
    """
    value: Scalar | None = None
    if to == "DATE":
        value = parse_date(text)
    elif to in _STAMPS:
        value = parse_datetime(text)
    elif to in _INTS | _DECIMALS:
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
        value = whole(Fraction(sign * number(digits, source, span)))
        if to in _INTS and not isinstance(value, int):
            value = None
    elif to in {"TEXT", "VARCHAR", "CHAR"}:
        value = text
    else:
        raise source.refuse("PL106", f"casts to {to.lower()} are not in the language", span)
    if value is None:
        raise source.refuse("PL111", f"'{text[:40]}' is not a {to.lower()}", span)
    return value
