"""The table of an answer as one JSON text, the one that is hashed and signed.

Estimates are decimal texts.  The exact value is a fraction with up to dozens of
digits; it is rounded to two decimals more than are worth showing, and its
half-width grows by what that rounding moved and is then rounded up, so that a
written interval is never narrower than the computed one.
"""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from fractions import Fraction

from privlab.terms.catalog import Scalar
from privlab.terms.release import ResultTable

EXTRA_DECIMALS = 2
"""Decimals written beyond those worth showing."""

KEY_DECIMALS = 17
"""Decimals of a group key that no finite decimal equals."""


def result_json(table: ResultTable, *, title: str, caption: str) -> str:
    """The answer as compact JSON, members in a fixed order.

    title: the analyst's name for it, or "".  caption: what was counted, in words.
    """
    rows: list[list[str | None]] = []
    half_widths: list[list[str | None]] = []
    for values, widths in zip(table.rows, table.half_widths, strict=True):
        cells = [
            _key(value) if column.label == "key" else _estimate(value, column.decimals)
            for column, value in zip(table.columns, values, strict=True)
        ]
        rows.append(cells)
        half_widths.append(
            [
                None if width is None else _half_width(width, value, text, column.decimals)
                for column, value, text, width in zip(
                    table.columns, values, cells, widths, strict=True
                )
            ]
        )
    return json.dumps(
        {
            "title": title,
            "caption": caption,
            "confidence": decimal(table.confidence),
            "columns": [
                {
                    "name": column.name,
                    "label": column.label,
                    "kind": str(column.kind),
                    "decimals": column.decimals,
                    "unit_word": column.unit_word,
                }
                for column in table.columns
            ],
            "rows": rows,
            "half_widths": half_widths,
        },
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )


def decimal(value: Fraction, decimals: int = KEY_DECIMALS) -> str:
    """``value`` rounded half to even, without trailing zeros and without "-0"."""
    return _digits(round(value * 10**decimals), decimals)


def exact(value: Fraction) -> str:
    """``value`` as a decimal that equals it.

    :raises ValueError: finitely many decimals do not.
    """
    places = value.denominator.bit_length()
    scaled = value * 10**places
    if scaled.denominator != 1:
        raise ValueError("this number is no finite decimal")
    return _digits(scaled.numerator, places)


def _digits(scaled: int, decimals: int) -> str:
    whole, part = divmod(abs(scaled), 10**decimals)
    text = f"{whole}.{part:0{decimals}d}".rstrip("0").rstrip(".") if decimals else str(whole)
    return f"-{text}" if scaled < 0 else text


def _estimate(value: Scalar | None, decimals: int) -> str | None:
    if value is None or isinstance(value, date):
        return _key(value)
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise TypeError("an estimate is a number")
    return decimal(Fraction(value), decimals + EXTRA_DECIMALS)


def _half_width(width: Fraction, value: Scalar | None, text: str | None, decimals: int) -> str:
    moved = Fraction(0)
    if isinstance(value, Fraction) and text is not None:
        moved = abs(value - Fraction(text))
    places = decimals + EXTRA_DECIMALS
    return _digits(math.ceil((width + moved) * 10**places), places)


def _key(value: Scalar | None) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int() | str():
            return str(value)
        case Fraction():
            return decimal(value)
        case datetime() | date():
            return value.isoformat()
