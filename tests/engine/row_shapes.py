"""Random well-typed expressions over every operation, and rows with awkward values."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import polars as pl
from hypothesis import strategies as st

from privlab.connector.scan import DTYPES
from privlab.query import texts
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind

Exprs = st.SearchStrategy[Expr]

INTS = (
    st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1])
)
FLOATS = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-100, 100)
    | st.sampled_from([0.5, 1.5, 2.5, -0.5, 0.0, 0.1, 0.49999999999999994, 2.0**53, 2.0**63, 1e308])
    | st.sampled_from([float("nan"), float("inf"), float("-inf"), 5e-324, 709.9])
)
ALPHABET = "abAB%_\\ \n\téÉßΣσςİ日0159.-+e'" + "\u0301\u2028"
WORDS = st.text(ALPHABET, max_size=6) | st.text(max_size=4)
WRITTEN = st.sampled_from(
    [
        "",
        "5",
        "+5",
        "-07",
        " 5",
        "5 ",
        "1e5",
        ".5",
        "5.",
        "1E-5",
        "1e999",
        "nan",
        "inf",
        "٣",
        "9223372036854775807",
        "9223372036854775808",
        "0" * 50 + "7",
        "1_0",
        "0x1",
        "-",
        "1e",
        ".",
        "2024-02-29",
        "2023-02-29",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31",
        "2024-1-1",
        "5\n",
        "9" * 401,
        "2024-02-29\n",
    ]
)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31)) | st.sampled_from(
    [date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29), date(2023, 1, 31), date(2020, 12, 31)]
)
CLOCKS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))

COLUMNS: dict[str, tuple[Kind, st.SearchStrategy[Any]]] = {
    "b": (Kind.BOOL, st.booleans()),
    "k": (Kind.BOOL, st.booleans()),
    "i": (Kind.INT, INTS),
    "j": (Kind.INT, INTS),
    "f": (Kind.FLOAT, FLOATS),
    "g": (Kind.FLOAT, FLOATS),
    "t": (Kind.TEXT, WORDS | WRITTEN),
    "u": (Kind.TEXT, WORDS),
    "d": (Kind.DATE, DAYS),
    "e": (Kind.DATE, DAYS),
    "c": (Kind.DATETIME, CLOCKS),
    "h": (Kind.DATETIME, CLOCKS),
}
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, values) in COLUMNS.items()}),
    min_size=1,
    max_size=5,
)


def table(found: Sequence[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(found, schema={name: DTYPES[kind] for name, (kind, _) in COLUMNS.items()})


def refs(*names: str) -> Exprs:
    return st.sampled_from([Ref(name, COLUMNS[name][0]) for name in names])


def constants(values: st.SearchStrategy[Any]) -> Exprs:
    return values.map(Literal)


def plain(value: Fraction) -> Fraction | int:
    return int(value) if value.denominator == 1 else value


WHOLE = constants(st.integers(-12, 12) | INTS)
EXACT = constants((st.fractions(-50, 50, max_denominator=20)).map(plain)) | WHOLE
NULL: Exprs = st.just(Literal(None))


def calls(ops: Sequence[Op], *args: Exprs) -> Exprs:
    return st.builds(lambda op, parts: Call(op, parts), st.sampled_from(ops), st.tuples(*args))


def chains(ops: Sequence[Op], arg: Exprs) -> Exprs:
    return st.builds(
        lambda op, parts: Call(op, tuple(parts)),
        st.sampled_from(ops),
        st.lists(arg, min_size=2, max_size=3),
    )


def cases(condition: Exprs, value: Exprs) -> Exprs:
    return st.builds(
        lambda pairs, last: Call(Op.CASE, (*(one for pair in pairs for one in pair), last)),
        st.lists(st.tuples(condition, value), min_size=1, max_size=3),
        value | NULL,
    )


def clipped(value: Expr, one: Any, two: Any, sides: int) -> Expr:
    low, high = min(one, two), max(one, two)
    ends = (low if sides != 1 else None, high if sides != 2 else None)
    return Call(Op.CLIP, (value, *map(Literal, ends)))


numbers: Exprs = st.deferred(lambda: _numbers)
words: Exprs = st.deferred(lambda: _words)
conditions: Exprs = st.deferred(lambda: _conditions)
days: Exprs = st.deferred(lambda: _days)
clocks: Exprs = st.deferred(lambda: _clocks)

PARTS = [Op.YEAR, Op.QUARTER, Op.MONTH, Op.WEEK_NUMBER, Op.WEEKDAY, Op.DAY, Op.ORDINAL_DAY]
GRAINS = [Op.TO_YEAR, Op.TO_QUARTER, Op.TO_MONTH, Op.WEEK, Op.TO_DATE]
DIGITS = constants(st.integers(-3, 3))
SHIFT = constants(st.integers(-40, 40) | st.sampled_from([10**7, -(10**7), 4_000_000]))
KNOWN = constants(WORDS)
FORMS = WORDS.map(lambda text: Literal(texts.pattern(text, None)))

_numbers = (
    refs("i", "j", "f", "g")
    | calls(PARTS, refs("d", "c"))
    | calls([Op.HOUR, Op.MINUTE, Op.SECOND], refs("c"))
    | calls([Op.DAYS], days, days)
    | calls([Op.ELAPSED], clocks, clocks)
    | calls([Op.LENGTH, Op.PARSE_INT, Op.PARSE_FLOAT], words)
    | chains([Op.ADD, Op.MUL, Op.GREATEST, Op.LEAST, Op.MAX_OF, Op.MIN_OF], numbers | EXACT)
    | chains([Op.COALESCE], numbers | EXACT)
    | calls([Op.SUB], numbers, numbers | EXACT)
    | calls([Op.DIVIDE, Op.FLOOR_DIV, Op.TRUNC_DIV, Op.MOD, Op.REMAINDER], numbers, numbers | EXACT)
    | calls([Op.NEG, Op.ABS, Op.SIGN, Op.MAGNITUDE, Op.SQRT, Op.LN, Op.EXP], numbers)
    | calls([Op.ROUND, Op.ROUND_EVEN], numbers, DIGITS)
    | st.builds(clipped, numbers, st.integers(-9, 9), st.fractions(-9, 9), st.integers(0, 2))
    | cases(conditions, numbers | EXACT)
)
_words = (
    refs("t", "u")
    | calls([Op.LOWER, Op.UPPER], words)
    | calls(
        [Op.SLICE], words, constants(st.integers(-6, 6)), constants(st.none() | st.integers(0, 4))
    )
    | calls(
        [Op.STRIP, Op.STRIP_START, Op.STRIP_END],
        words,
        constants(st.sampled_from([" ", texts.SPACES, "ab", "é\u0301"])),
    )
    | chains([Op.CONCAT], words | KNOWN)
    | calls([Op.REPLACE], words, constants(st.text(ALPHABET, min_size=1, max_size=2)), KNOWN)
    | calls([Op.TO_TEXT], refs("i", "b", "d"))
    | chains([Op.COALESCE], words | KNOWN)
    | cases(conditions, words | KNOWN)
)
_days = (
    refs("d", "e")
    | calls(GRAINS, refs("d", "c"))
    | calls([Op.ADD_DAYS, Op.ADD_MONTHS], days, SHIFT)
    | calls([Op.PARSE_DATE], words)
    | chains([Op.GREATEST, Op.LEAST, Op.MAX_OF, Op.MIN_OF, Op.COALESCE], days | constants(DAYS))
    | cases(conditions, days | constants(DAYS))
)
_clocks = (
    refs("c", "h")
    | calls([Op.TO_HOUR], clocks)
    | calls([Op.ADD_DAYS, Op.ADD_MONTHS], clocks, SHIFT)
    | chains([Op.GREATEST, Op.MIN_OF, Op.COALESCE], clocks)
)
COMPARE = [Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE]
_conditions = (
    refs("b", "k")
    | calls(COMPARE, numbers, numbers | EXACT)
    | calls(COMPARE, days, days | constants(DAYS))
    | calls(COMPARE, clocks, clocks | constants(CLOCKS))
    | calls([Op.EQ, Op.NE], words, words | KNOWN)
    | calls([Op.EQ, Op.NE], conditions, conditions)
    | calls([Op.IS_NULL], numbers | words | days | clocks)
    | calls([Op.LIKE], words, FORMS)
    | st.builds(
        lambda value, listed: Call(Op.IS_IN, (value, *listed)),
        numbers,
        st.lists(EXACT, min_size=1, max_size=3),
    )
    | chains([Op.AND, Op.OR, Op.COALESCE], conditions)
    | calls([Op.NOT], conditions)
    | cases(conditions, conditions)
)
anything: Exprs = numbers | words | days | clocks | conditions
