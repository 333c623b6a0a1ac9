"""Look a name up in the table."""

from __future__ import annotations

import difflib
import re

from privlab.errors import PolicyDenied
from privlab.query.ask import Name, Source
from privlab.terms.catalog import Column, Table

_PART_BEFORE = re.compile(
    r"(?:\b(?:YEAR|QUARTER|MONTH|MONTHNAME|WEEK|DAY|DAYNAME|DAYOFMONTH|DAYOFWEEK|DAYOFYEAR|WEEKDAY"
    r"|WEEKOFYEAR|LAST_DAY|HOUR|MINUTE|SECOND)\s*\(\s*|\bEXTRACT\s*\(\s*\w+\s+FROM\s+"
    r"|\bDATE_TRUNC\s*\(\s*'\w+'\s*,\s*)(?:\w+\.)?\Z",
    re.IGNORECASE,
)
_PART_BEHIND = re.compile(r"""['")\s]*\.dt\.""")
_NEAR = 80
"""Characters beside a name in which it shows that a part of a date is asked for."""


def find_column(name: Name, table: Table, source: Source) -> Column:
    """The column ``name`` stands for.

    :raises BadQuery: PL104, no such column; the nearest one is in the hint.
    :raises PolicyDenied: PL201, the column is withheld, or is the privacy unit,
        which nothing but the count of units may use.
    """
    if name.hidden:
        what = f"{name.name} is not one of the columns that are selected before"
        raise source.refuse("PL104", what, name.span, f"select {name.name} there too")
    if name.name == table.unit:
        raise PolicyDenied(
            f"{name.name} is the privacy unit of {table.name}: it is counted, joined on, "
            "or grouped by before other aggregates",
            code="PL201",
            hint=_of_units(table, source),
            caret=source.caret(name.span),
        )
    column = table.column(name.name)
    if column is None:
        known = [one.name for one in table.columns if not one.withheld]
        times = [one.name for one in table.columns if one.kind.is_time and not one.withheld]
        if times and _of_a_time(name, source):
            known = times
        near = difflib.get_close_matches(name.name, known, 1, cutoff=0.0 if known is times else 0.5)
        hint = _text_meant(name, table, source) or _elsewhere(name, table, source)
        if not hint:
            hint = f"did you mean {near[0]}?" if near else f"its columns are {', '.join(known)}"
        raise source.refuse("PL104", f"{table.name} has no column {name.name}", name.span, hint)
    if column.withheld:
        raise PolicyDenied(
            f"the column {column.name} of {table.name} is withheld",
            code="PL201",
            hint=f"ask the owner of {table.dataset}",
            caret=source.caret(name.span),
        )
    return column


def _of_a_time(name: Name, source: Source) -> bool:
    """Whether the text asks for a part of a date, so that only a date or a time can be meant."""
    start, end = name.span.start, name.span.end
    if source.sql:
        return _PART_BEFORE.search(source.text, max(0, start - _NEAR), start) is not None
    return _PART_BEHIND.match(source.text, end, end + _NEAR) is not None


def _of_units(table: Table, source: Source) -> str:
    """To count units, and to ask about one number of each."""
    unit = table.unit
    if not source.sql:
        count = f'pl.col("{unit}").n_unique()'
        each = f'group_by("{unit}").agg(n=pl.len()).select(m=pl.col("n").mean())'
        return f"{count}; of each {table.unit_word}: {each}"
    count = f"COUNT(DISTINCT {unit})"
    if not table.name.isidentifier():
        return count
    rows = f"SELECT {unit}, COUNT(*) AS n FROM {table.name} GROUP BY {unit}"  # noqa: S608 to show
    return f"{count}; of each {table.unit_word}: SELECT AVG(n) AS m FROM ({rows}) t"  # noqa: S608


def _text_meant(name: Name, table: Table, source: Source) -> str:
    """SQL's other quotes: a key of the contract that was written as a name."""
    if not source.sql:
        return ""
    for column in table.columns:
        for key in () if column.keys is None or column.withheld else column.keys:
            if isinstance(key, str) and key.casefold() == name.name.casefold():
                quoted = key.replace("'", "''")
                return f"a text stands between single quotes: '{quoted}'"
    return ""


def _elsewhere(name: Name, table: Table, source: Source) -> str:
    """Another table about the same units that has this column."""
    for other in source.catalog.tables:
        column = other.column(name.name)
        if column is None or column.withheld or other.name in table.name.split():
            continue
        if (other.dataset, other.unit) == (table.dataset, table.unit):
            join = (
                f"JOIN {other.name} USING ({other.unit})"
                if source.sql
                else f'.join({other.name}, on="{other.unit}")'
            )
            return f"{other.name} has it: {join}"
    return ""
