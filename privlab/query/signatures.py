"""What each operation takes: kinds of values, then constants.

Operations whose arguments must agree with each other (comparisons, choices) are
not here; ``passes/check_types.py`` aligns them.
"""

from __future__ import annotations

from dataclasses import dataclass

from privlab.query.histogram import MOST_TIMES
from privlab.query.kinds import (
    CLOCK_PARTS,
    DAY_PARTS,
    DIVISIONS,
    GRAINS,
    ROUNDINGS,
    SHIFTS,
    STRIPS,
)
from privlab.query.plan import Op
from privlab.terms.catalog import Kind, Scalar

MAX_TEXT = 1_000
"""Characters of a pattern, or of a text that is looked for."""

MAX_DIGITS = 15
"""Decimal digits that a number is rounded to."""

MAX_DAYS = 4_000_000
"""Days of a shift: more than the calendar has."""


@dataclass(frozen=True, slots=True)
class Signature:
    """values: the kinds that every argument but the constants may have; words say them.

    constants: what the last arguments are: "digits", "text", "some text",
    "offset", "length", "shift", "which", or a word of the parsers, "how" and "escape".
    """

    values: frozenset[Kind]
    words: str
    constants: tuple[str, ...] = ()


_NUMBERS = Signature(frozenset({Kind.INT, Kind.FLOAT}), "numbers")
_CONDITIONS = Signature(frozenset({Kind.BOOL}), "conditions")
_TIMES = Signature(frozenset({Kind.DATE, Kind.DATETIME}), "a date or a time")
_CLOCKS = Signature(frozenset({Kind.DATETIME}), "a time with a clock")
_TEXTS = Signature(frozenset({Kind.TEXT}), "texts")


def _with(base: Signature, *constants: str) -> Signature:
    return Signature(base.values, base.words, constants)


SIGNATURES: dict[Op, Signature] = {
    **dict.fromkeys((Op.AND, Op.OR, Op.NOT), _CONDITIONS),
    **dict.fromkeys((Op.ADD, Op.SUB, Op.MUL, Op.NEG, Op.ABS, Op.SIGN), _NUMBERS),
    Op.MAGNITUDE: _with(_NUMBERS, "which"),  # it may be left out
    **dict.fromkeys((Op.SQRT, Op.LN, Op.EXP, *DIVISIONS), _NUMBERS),
    **dict.fromkeys(ROUNDINGS, _with(_NUMBERS, "digits")),
    **dict.fromkeys(DAY_PARTS | GRAINS, _TIMES),
    **dict.fromkeys(CLOCK_PARTS | {Op.TO_HOUR}, _CLOCKS),
    **dict.fromkeys(SHIFTS, _with(_TIMES, "shift")),
    Op.DAYS: _TIMES,
    Op.ELAPSED: _TIMES,
    **dict.fromkeys((Op.LOWER, Op.UPPER, Op.LENGTH, Op.CONCAT), _TEXTS),
    **dict.fromkeys(STRIPS, _with(_TEXTS, "text")),
    Op.SLICE: _with(_TEXTS, "offset", "length"),
    Op.REPLACE: _with(_TEXTS, "some text", "text"),
    Op.LIKE: _with(_TEXTS, "text", "how", "escape"),
}


def trouble(what: str, value: Scalar | None) -> str:
    """Why a constant cannot stand there; "" when it can."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    match what:
        case "digits" if not whole or abs(int(value or 0)) > MAX_DIGITS:  # type: ignore[arg-type]
            return f"digits are a constant from -{MAX_DIGITS} to {MAX_DIGITS}"
        case "shift" if not whole or abs(int(value or 0)) > MAX_DAYS:  # type: ignore[arg-type]
            return "a date is moved by a constant number of days or months"
        case "offset" if not whole:
            return "a place in a text is a constant whole number"
        case "length" if value is not None and (not whole or int(value) < 0):  # type: ignore[arg-type]
            return "a length is a constant whole number, 0 or more"
        case "which" if not whole or not 2 <= int(value or 0) <= MOST_TIMES:  # type: ignore[arg-type]
            return f"a measurement that is made anew has a number from 2 to {MOST_TIMES}"
        case "text" | "some text" if not isinstance(value, str) or len(value) > MAX_TEXT:
            return f"this is a constant text of at most {MAX_TEXT:,} characters"
        case "some text" if not value:
            return "an empty text is everywhere"
    return ""
