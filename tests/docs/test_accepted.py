"""What the parsers accept stands on the language's page: whoever adds a function writes it there.

The names that are tried are all that sqlglot knows, and all methods of Polars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pytest
from sqlglot import exp, parser

from privlab.errors import PrivlabError
from privlab.query.compile import compile_question
from tests.query.conftest import CATALOG

PAGE = (Path(__file__).parents[2] / "docs/language.md").read_text("utf-8")
MENTIONED = set(re.findall(r"\w+", PAGE))
INNER = {
    *("DATE_TO_DATE_STR", "TIME_TO_TIME_STR", "TS_OR_DS_TO_DATE", "TS_OR_DS_TO_DATE_STR"),
    *("DAYOFWEEK_ISO", "DAY_OF_WEEK_ISO"),
}
"""Names by which sqlglot calls its own nodes; nobody types them."""

SQL_VALUES = (
    *("age", "cost", "note", "admitted", "seen", "urgent", "ward, 'a'", "ward, sex"),
    *("age, 2", "age, weight", "note, 2", "note, 2, 3", "note, 'a', 'b'", "'-', ward, sex"),
    *("'month', admitted", "admitted, 'month'", "admitted, 3", "seen, admitted"),
    *("day, admitted, seen", "day, 3, admitted", "cost, 0, 100, 4", "urgent, 1, 0", "age, 0.5"),
)
POLARS_VALUES = (
    *("", "2", "'a'", "'a', 'b'", "0, 60", "[1, 2]", "['A']", "pl.Int64", "'1mo'", "True"),
    *("'ward'", "pl.col('weight')", "'a', 'b', literal=True", "'a', literal=True", "'min'"),
    *("strict=False", "'%Y-%m-%d'", "0.9", "1, 3", "days=3", "'age', 'weight'", "'ward', 'sex'"),
    *("pl.col('age') > 3", "{'age': 'a'}", "n=pl.len()", "a=pl.col('age')", "'n'"),
)
COLUMNS = ("age", "note", "admitted", "seen", "urgent")


def accepted(texts: Iterable[str]) -> str | None:
    """The first text that is a question; every other is refused, and none fails otherwise."""
    for text in texts:
        try:
            compile_question(text, {}, CATALOG)
        except PrivlabError:
            continue
        return text
    return None


def sql(name: str) -> Iterator[str]:
    for values in SQL_VALUES:
        yield f"SELECT COUNT({name}({values})) AS n FROM visits"
        yield f"SELECT {name}({values}) AS n FROM visits"


def method(name: str) -> Iterator[str]:
    for values in POLARS_VALUES:
        for column in COLUMNS:
            yield f"visits.select(n=(pl.col('{column}').{name}({values})).count())"
        yield f"visits.select(n=pl.col('age').{name}({values}))"
        after = f"k=pl.col('n').{name}({values})"
        yield f"visits.group_by('ward').agg(n=pl.len()).with_columns({after})"


def function(name: str) -> Iterator[str]:
    for values in POLARS_VALUES:
        call = f"pl.{name}({values})"
        yield f"visits.select(n=({call}).count())"
        yield f"visits.select(n={call})"
        yield f"visits.select(n={call}.then(1).count())"
        yield f"visits.filter(pl.col('admitted') + {call} > pl.col('admitted')).select(n=pl.len())"


def step(name: str) -> Iterator[str]:
    for values in POLARS_VALUES:
        call = f"{name}({values})"
        yield f"visits.{call}.select(n=pl.len())"
        yield f"visits.{call}"
        yield f"visits.group_by('ward').agg(n=pl.len()).{call}"
        yield f"visits.group_by('ward').{call}"
        yield f"visits.{call}.agg(n=pl.len())"


def public(of: object) -> list[str]:
    return [name for name in dir(of) if not name.startswith("_")]


SQL_NAMES = {*parser.Parser.FUNCTIONS, *(one for f in exp.ALL_FUNCTIONS for one in f.sql_names())}
COLUMN = pl.col("a")
NAMES = {
    "sql": (sql, sorted(SQL_NAMES - INNER)),
    "expressions": (method, public(COLUMN)),
    "texts": (method, [f"str.{name}" for name in public(COLUMN.str)]),
    "times": (method, [f"dt.{name}" for name in public(COLUMN.dt)]),
    "functions": (function, public(pl)),
    "frames": (step, sorted({*public(pl.DataFrame), *public(pl.LazyFrame)})),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", NAMES)
def test_what_is_accepted_is_mentioned(family: str) -> None:
    texts, names = NAMES[family]
    unsaid = [name for name in names if name.rpartition(".")[2] not in MENTIONED]
    found = {name: text for name in unsaid if (text := accepted(texts(name)))}
    assert found == {}


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("sql", "STDDEV_POP"),
        ("sql", "LTRIM"),
        ("expressions", "floordiv"),
        ("texts", "str.strip_chars_end"),
        ("times", "dt.month_start"),
        ("functions", "sum_horizontal"),
        ("frames", "remove"),
    ],
)
def test_a_name_that_is_accepted_would_be_found(family: str, name: str) -> None:
    assert accepted(NAMES[family][0](name))
    assert name in NAMES[family][1]
