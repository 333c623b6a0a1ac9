"""What the operations on texts mean, one text at a time.

Characters are Unicode code points, as Polars and Python count them.  Upper and
lower case are those of Unicode 17, as in the engine; what an older Python does
not know yet is listed here.  Texts are read as numbers and dates by small
grammars of our own, the same everywhere: no spaces, no separators, ASCII digits.
"""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from functools import lru_cache

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""White space of Unicode: what Polars strips when it is not told what."""

INT = r"[+-]?[0-9]+"
FLOAT = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
DATE = r"(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-[0-9]{2}-[0-9]{2}"
"""The grammars, for Python and for the engine alike."""

MAX_NUMBER = 400
"""Characters of a text that is read as a number."""

ESCAPE = "\\"
MANY, ONE = "%", "_"

_PAIRS = (
    *((0x1C89, 0x1C8A), (0xA7CB, 0x0264), (0xA7CC, 0xA7CD), (0xA7CE, 0xA7CF), (0xA7D2, 0xA7D3)),
    *((0xA7D4, 0xA7D5), (0xA7DA, 0xA7DB), (0xA7DC, 0x019B)),
    *((0x10D50 + n, 0x10D70 + n) for n in range(0x16)),
    *((0x16EA0 + n, 0x16EBB + n) for n in range(0x19)),
)
"""Capitals and small letters of Unicode 16 and 17."""

_DOWN = dict(_PAIRS)
_UP = {small: capital for capital, small in _PAIRS}


def lower(text: str) -> str:
    """Small letters, by the full mapping of Unicode: ``ΑΣ`` is ``ας``."""
    return text.translate(_DOWN).lower()


def upper(text: str) -> str:
    """Capitals, by the full mapping of Unicode: ``ß`` is ``SS``."""
    return text.upper().translate(_UP)


def cut(text: str, offset: int, length: int | None) -> str:
    """``length`` characters from ``offset`` on; a negative offset counts from the end.

    What lies before the first character counts, as in Polars: of "abc", five
    from the end and three long is "a".
    """
    start = offset if offset >= 0 else len(text) + offset
    end = len(text) if length is None else start + length
    return text[max(start, 0) : max(end, 0)]


def int_of(text: str) -> int | None:
    """A whole number of int64 in decimal digits, else None."""
    if len(text) > MAX_NUMBER or re.fullmatch(INT, text, re.ASCII) is None:
        return None
    digits = text.lstrip("+-").lstrip("0") or "0"
    if len(digits) > 19:
        return None
    value = -int(digits) if text.startswith("-") else int(digits)
    return value if -(1 << 63) <= value < 1 << 63 else None


def float_of(text: str) -> float | None:
    """The nearest float64 of a decimal number; None when there is none or it is infinite."""
    if len(text) > MAX_NUMBER or re.fullmatch(FLOAT, text, re.ASCII) is None:
        return None
    value = float(text)
    return value + 0.0 if abs(value) < float("inf") else None


def exact_of(text: str) -> Fraction | None:
    """A decimal number exactly, where it has a float64."""
    return None if float_of(text) is None else Fraction(text)


def date_of(text: str) -> date | None:
    """A date of the years 1 to 9999 written ``YYYY-MM-DD``, else None."""
    if re.fullmatch(DATE, text, re.ASCII) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# --- patterns ----------------------------------------------------------------


def pattern(text: str, escape: str | None) -> str | None:
    """A LIKE pattern in the form all its equals share; None when it ends in its escape.

    Before        escape     After
    ------        ------     -----
    a%%b          none       a%b
    a%_%          none       a_%
    50!%          !          50\\%
    """
    parts: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == escape:
            at += 1
            if at == len(text):
                return None
            parts.append(literal(text[at]))
        else:
            parts.append(char if char in (MANY, ONE) else literal(char))
        at += 1
    return "".join(_ordered(parts))


def _ordered(parts: list[str]) -> list[str]:
    """In each run of wildcards the single ones first, and one ``%`` at most."""
    done: list[str] = []
    ones, many = 0, False
    for part in [*parts, ""]:
        if part == ONE:
            ones += 1
        elif part == MANY:
            many = True
        else:
            done += [ONE] * ones + [MANY] * many + [part]
            ones, many = 0, False
    return done


def literal(text: str) -> str:
    """A text as a pattern that only it matches."""
    return "".join(ESCAPE + char if char in (MANY, ONE, ESCAPE) else char for char in text)


def tokens(form: str) -> list[tuple[bool, str]]:
    """Characters and wildcards of a pattern in its form: (is a wildcard, character)."""
    found: list[tuple[bool, str]] = []
    escaped = False
    for char in form:
        if escaped or char not in (MANY, ONE, ESCAPE):
            found.append((False, char))
            escaped = False
        elif char == ESCAPE:
            escaped = True
        else:
            found.append((True, char))
    return found


def like(text: str, form: str) -> bool:
    """Whether a text matches a pattern in its form; in time |text| * |form| at most."""
    return _matcher(form).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _matcher(form: str) -> re.Pattern[str]:
    """A pattern as a regular expression that never goes back over what it has placed.

    What stands between two ``%`` is placed as early as it can be: if any place
    for it leads to a match, the first one does.
    """
    parts = [""]
    for wild, char in tokens(form):
        if wild and char == MANY:
            parts.append("")
        else:
            parts[-1] += "." if wild else re.escape(char)
    first, *rest = parts
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    placed = "".join(f"(?>.*?{part})" for part in middle)
    return re.compile(f"{first}{placed}.*{last}", re.DOTALL)
