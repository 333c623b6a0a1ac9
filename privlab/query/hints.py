"""What to type instead: hints in the asker's own language, about her own tables.

A refusal that only says no is half a refusal.  The particular hint stands where
the question is refused; here are the ones that many refusals share, and the
patterns, which name a table and a column of the catalog where the text at hand
names one.  It knows neither parser.
"""

from __future__ import annotations

import re

from privlab.terms.catalog import Catalog, Kind, Table

ON_THE_FRAME = "compute on the answer's frame: that is free"
ONE_TABLE = "one question reads one table for now; ask once per table and combine the answers"

SQL_LANGUAGE = (
    "the language has COUNT, SUM, AVG, MEDIAN, QUANTILE, MIN, MAX, each with FILTER; CASE, COALESCE, NULLIF, GREATEST, LEAST; "
    "+ - * / DIV % and the usual functions of numbers; BETWEEN, IN, LIKE, IS NULL, AND, OR, NOT; "
    "LOWER, UPPER, SUBSTRING, TRIM, REPLACE, ||; EXTRACT, DATE_TRUNC, DATEDIFF, INTERVAL; CAST"
)
POLARS_LANGUAGE = (
    "the language has len, count, n_unique, sum, mean, median, quantile, min, max; when, coalesce, "
    "fill_null, clip, cut; + - * / // % and the usual functions of numbers; is_between, is_in, "
    "is_null, &, |, ~; the methods of str and dt that look at one row; cast"
)

_QUANTILES = {"approxquantiles", "approxpercentile", "percentileapprox", "percentile", "quantiles"}
_SPREADS = {"stddev", "stddevpop", "stddevsamp", "std", "var", "variance", "variancepop"}
_PATTERNS = {"rlike", "regexplike", "regexp_like", "regexpextract", "extract", "count_matches"}
_ORDERED = {
    "lag",
    "lead",
    "shift",
    "diff",
    "over",
    "rank",
    "cum_sum",
    "rolling_mean",
    "first",
    "last",
}
_NOW = {"currentdate", "currenttimestamp", "now", "today", "getdate"}


def missing(word: str, *, sql: bool) -> str:
    """The hint for a function or a method that the language does not have.

    word: its name, in any case; an empty hint for one that nobody would expect.
    """
    name = word.lower()
    if name.replace("_", "") in _QUANTILES:
        return "QUANTILE(x, 0.9)" if sql else ".quantile(0.9)"
    if name in _SPREADS:
        square = "AVG(x * x)" if sql else "(x * x).mean()"
        return f"ask {square} and the mean, and {ON_THE_FRAME}"
    if name in _PATTERNS:
        return "x LIKE 'a%', with % and _" if sql else '.str.contains("a", literal=True)'
    if name in _ORDERED:
        return "an expression looks at one row; rows have no order here"
    if name in _NOW:
        return "an answer does not depend on the day; pass the day as a parameter"
    return SQL_LANGUAGE if sql else POLARS_LANGUAGE


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
            return f"{describe} shows each column's type"
        case "PL113":
            return "group by fewer or coarser keys, or narrow them in " + (
                "WHERE" if sql else "filter"
            )
        case _:
            return SQL_LANGUAGE if sql else POLARS_LANGUAGE
