"""What to type instead: hints in the asker's own language, about her own tables.

A refusal that only says no is half a refusal.  The particular hint stands where
the question is refused; here are the ones that many refusals share, and the
patterns, which name a table and a column of the catalog where the text at hand
names one.  It knows neither parser.
"""

from __future__ import annotations

import ast
import re
from fractions import Fraction

from privlab.terms.catalog import Catalog, Column, Kind, Table

ON_THE_FRAME = "compute on the answer's frame: that is free"
JOIN_UNIT_SQL = "join on the privacy unit: a JOIN b ON a.patient_id = b.patient_id"
SOURCES = "FROM takes a table, a SELECT in parentheses, or a public frame, and JOINs of them"
SUBQUERY = (
    "of a number about all people: answer that first, then use the number as a parameter; "
    "of rows of the same person: JOIN, or IN (SELECT patient_id FROM ...)"
)
ACROSS = "a subquery that aggregates over people would be an answer of its own"
PER_UNIT_SQL = (
    "GROUP BY the privacy unit there, as in GROUP BY patient_id; "
    "or answer it first, then use the number as a parameter"
)
PER_UNIT_POLARS = (
    'group_by the privacy unit there, as in group_by("patient_id"); '
    "or answer it first, then use the number as a parameter"
)
SIDE = "filter, select, with_columns, rename, join, and group_by the privacy unit with agg"
NO_FULL_POLARS = 'how="left" from the private side, or pl.concat of both tables'
NO_FULL = "LEFT JOIN from the private side, or UNION ALL of both tables"

SQL_LANGUAGE = (
    "the language has COUNT, SUM, AVG, MEDIAN, QUANTILE, MIN, MAX, STDDEV, VARIANCE, CORR, each with FILTER; CASE, COALESCE, NULLIF, GREATEST, LEAST; "
    "+ - * / DIV % and the usual functions of numbers; BETWEEN, IN, LIKE, IS NULL, AND, OR, NOT; "
    "LOWER, UPPER, SUBSTRING, TRIM, REPLACE, ||; EXTRACT, DATE_TRUNC, DATEDIFF, INTERVAL; CAST"
)
POLARS_LANGUAGE = (
    "the language has len, count, n_unique, sum, mean, median, quantile, min, max, std, var, corr; when, coalesce, "
    "fill_null, clip, cut; + - * / // % and the usual functions of numbers; is_between, is_in, "
    "is_null, &, |, ~; the methods of str and dt that look at one row; cast"
)

LISTED = 6
"""Columns that a hint names."""

_QUANTILES = {"approxquantiles", "approxpercentile", "percentileapprox", "percentile", "quantiles"}
_SPREADS = {"stdevp", "varp", "mad", "skew", "kurtosis", "kurtosispop", "cv"}
_COLLECTED = {
    *(
        "arrayagg",
        "arrayconcatagg",
        "arrayuniqueagg",
        "groupconcat",
        "stringagg",
        "listagg",
        "list",
    ),
    *("jsonarrayagg", "jsonobjectagg", "anyvalue", "implode", "explode", "tolist", "sample"),
    *("first", "last", "firstvalue", "lastvalue", "nthvalue", "argmax", "argmin", "item", "gather"),
    *("unique", "values", "all", "struct", "mapbatches", "mapelements"),
}
_MODES = {"mode", "topk", "approxtopk", "valuecounts"}
_TEXTS_OF_TIMES = {
    "strftime",
    "to_char",
    "tochar",
    "date_format",
    "dateformat",
    "format_date",
    "timetostr",
    "yearweek",
}
_PATTERNS = {
    "rlike",
    "regexplike",
    "regexp_like",
    "regexp_matches",
    "regexp_full_match",
    "regexpextract",
    "extract",
    "count_matches",
}
_ORDERED = {
    "lag",
    "lead",
    "shift",
    "diff",
    "over",
    "rank",
    "cum_sum",
    "rolling_mean",
}
_NOW = {
    *("currentdate", "currentdatetime", "currenttime", "currenttimestamp", "now", "today"),
    *("getdate", "sysdate", "localtimestamp", "localtime"),
}


def missing(word: str, *, sql: bool) -> str:
    """The hint for a function or a method that the language does not have.

    word: its name, in any case; an empty hint for one that nobody would expect.
    """
    name = word.lower()
    if name.replace("_", "") in _QUANTILES:
        return "QUANTILE(x, 0.9)" if sql else ".quantile(0.9)"
    if name in _SPREADS:
        return "STDDEV(x), VAR_SAMP(x), VAR_POP(x)" if sql else ".std(), .var(), .var(ddof=0)"
    if name.replace("_", "") in _COLLECTED:
        usual = "COUNT, AVG, MEDIAN and QUANTILE" if sql else "len, mean, median and quantile"
        return f"it would show the values of single rows; {usual} say what they come to"
    if name.replace("_", "") in _MODES:
        if sql:
            return "GROUP BY x, with COUNT(*) AS n, ORDER BY n DESC LIMIT 1"
        return '.group_by("x").agg(n=pl.len()).sort("n", descending=True).head(1)'
    if name in _PATTERNS:
        return "x LIKE 'a%', with % and _" if sql else '.str.contains("a", literal=True)'
    if name in _TEXTS_OF_TIMES:
        return "DATE_TRUNC('month', x), or YEAR(x), MONTH(x)" if sql else '.dt.truncate("1mo")'
    if name in _ORDERED:
        return "an expression looks at one row; rows have no order here"
    if name in _NOW:
        return (
            "an answer does not depend on the day it is asked; write DATE '2024-06-30', or the parameter :today, "
            "with today = date.today() in a cell before it"
            if sql
            else "an answer does not depend on the day it is asked; write date(2024, 6, 30), or "
            "the parameter today, with today = date.today() in a cell before it"
        )
    return SQL_LANGUAGE if sql else POLARS_LANGUAGE


def join_unit(unit: str, other: str, *, sql: bool) -> str:
    """How to join on the privacy unit."""
    if sql:
        return f"join on the privacy unit: JOIN {other} USING ({unit})"
    return f'join on the privacy unit: .join({other}, on="{unit}")'


def at_hand(text: str, catalog: Catalog) -> Table | None:
    """The first table that ``text`` names as a word of its own."""
    words = {word: at for at, word in reversed(list(enumerate(re.findall(r"\w+", text))))}
    named = [table for table in catalog.tables if table.name in words]
    return min(named, key=lambda table: words[table.name], default=None)


def key_of(table: Table | None) -> str:
    """A column of ``table`` that may form groups; where none is known, clearly a pattern."""
    for column in () if table is None else table.columns:
        if column.keys is not None and column.kind is not Kind.BOOL and not column.withheld:
            return column.name
    return "<column>"


def number_of(table: Table | None) -> str:
    """A column of ``table`` that is a number."""
    for column in () if table is None else table.columns:
        if column.kind.is_number and column.low is not None and not column.withheld:
            return column.name
    return "<column>"


def numbers_of(table: Table | None) -> str:
    """The columns of ``table`` that are numbers, in words; empty where there are none."""
    unit = None if table is None else table.unit
    named = [
        column.name
        for column in (() if table is None else table.columns)
        if column.kind.is_number and not column.withheld and column.name != unit
    ]
    return ", ".join(named[:LISTED] + ["..."] * (len(named) > LISTED))


def listed(column: Column) -> str:
    """The keys that the contract states, the first few; empty where it states none."""
    keys = [str(key) for key in column.keys or ()]
    more = f" and {len(keys) - LISTED:,} more" if len(keys) > LISTED else ""
    return f"{column.name} is one of {', '.join(keys[:LISTED])}{more}" if keys else ""


def equal_steps(column: Column | None, *, sql: bool) -> str:
    """A number with a range in some twenty steps, which can form groups; empty without a range."""
    if column is None or not column.kind.is_number:
        return ""
    if not isinstance(column.low, Fraction | int) or not isinstance(column.high, Fraction | int):
        return ""
    width = max(1, int(column.high - column.low) // 20)
    step = int(str(width)[0] + "0" * (len(str(width)) - 1))
    if sql:
        return f"FLOOR({column.name} / {step}) * {step}"
    return f'(pl.col("{column.name}") / {step}).floor() * {step}'


def aggregated(words: str, column: Column | None, *, sql: bool) -> str:
    """What to do with a value of single rows; a decimal forms groups in steps alone."""
    group = "GROUP BY" if sql else "group by"
    decimal = column is not None and column.kind is Kind.FLOAT
    return f"{group} {(decimal and equal_steps(column, sql=sql)) or words}, or aggregate it"


def chained(words: str) -> str:
    """A Polars expression as it stands before a method: in parentheses where it needs them."""
    try:
        body = ast.parse(words.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return words
    firm = isinstance(body, ast.Call | ast.Attribute | ast.Name | ast.Subscript)
    return words if firm else f"({words})"


def example(table: Table | None, *, sql: bool) -> str:
    """A whole question of ``table``; where none is known, clearly a pattern."""
    name, key = ("<table>", "<column>") if table is None else (table.name, key_of(table))
    if sql:
        return f"SELECT COUNT(*) FROM {name}"  # noqa: S608 a text to show
    if key == "<column>" and table is not None:
        return f"{name}.select(n=pl.len())"
    return f'{name}.group_by("{key}").agg(n=pl.len())'


def fallback(code: str, table: Table | None, *, sql: bool) -> str:
    """The hint of a refusal that has none of its own."""
    describe = f"%private describe {'<table>' if table is None else table.name}"
    match code:
        case "PL101" | "PL105":
            return f"a question looks like this: {example(table, sql=sql)}"
        case "PL102":
            return "%private tables lists what there is"
        case "PL104":
            return f"{describe} lists the columns"
        case "PL107":
            return f"{describe} says which columns can form groups"
        case "PL110":
            return 'give it a value before the cell, or with params={"name": 65}'
        case "PL111":
            numbers = numbers_of(table)
            told = f"the numbers of {table.name} are {numbers}; " if table and numbers else ""
            return f"{told}{describe} shows each column's type"
        case "PL113":
            return "group by fewer or coarser keys, or narrow them in " + (
                "WHERE" if sql else "filter"
            )
        case _:
            return SQL_LANGUAGE if sql else POLARS_LANGUAGE
