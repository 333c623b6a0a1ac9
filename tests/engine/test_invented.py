"""Invented rows hold all that a contract allows, and nothing it does not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from privlab.connector.contract import parse
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.scan import DTYPES
from privlab.engine import invented
from privlab.engine.handle import Engine
from privlab.engine.practice import Practice
from privlab.engine.reference import UNIT, bounded_sums
from privlab.query.compile import compile_question
from privlab.query.plan import MeasureKind
from privlab.terms.catalog import Catalog, Table
from tests.engine.conftest import CONTRACT, QUIET, SHARP

HEAD = """\
[table]
name = "things"
dataset = "shed"
unit = "owner"
rows_per_unit = 3
row_cap = 1_000_000
rows = {rows}
[columns.owner]
type = "text"
"""

COLUMNS = """\
[columns.word]
type = "text"
keys = ["a", "b", "c"]
nullable = false
[columns.free]
type = "text"
[columns.small]
type = "int"
range = [-2, 2]
nullable = false
[columns.coded]
type = "int"
keys = [1, 5, 99]
[columns.wide]
type = "int"
range = [0, 4_000_000_000_000]
[columns.open]
type = "int"
[columns.part]
type = "float"
range = [0.5, 99.5]
step = 0.5
[columns.fine]
type = "float"
range = [-1, 1]
step = 0.01
[columns.loose]
type = "float"
[columns.yes]
type = "bool"
[columns.day]
type = "date"
range = [2024-02-27, 2024-03-02]
[columns.when]
type = "datetime"
range = [2024-02-28, 2024-02-29]
[columns.anyday]
type = "date"
"""


def things(rows: int = 4_000, columns: str = COLUMNS) -> Table:
    return parse(HEAD.format(rows=rows) + columns).table(1)


def made(table: Table) -> pl.DataFrame:
    return invented.invented(table, frozenset(c.name for c in table.columns))


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return made(things())


def test_every_column_has_the_type_that_a_part_stores(frame: pl.DataFrame) -> None:
    for column in things().columns[1:]:
        assert frame.schema[column.name] == DTYPES[column.kind], column.name
    assert [frame.schema[name] for name in UNIT_COLUMNS] == [pl.UInt64, pl.UInt64]
    assert "owner" not in frame.columns


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("word", {"a", "b", "c"}),
        ("small", {-2, -1, 0, 1, 2}),
        ("coded", {1, 5, 99, None}),
        ("yes", {True, False, None}),
        ("day", {date(2024, 2, 27), *(date(2024, 2, n) for n in (28, 29)), date(2024, 3, 1), date(2024, 3, 2), None}),
    ],
)  # fmt: skip
def test_every_value_of_a_small_range_occurs_and_no_other(
    frame: pl.DataFrame, column: str, values: set[Any]
) -> None:
    assert set(frame[column].to_list()) == values


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("wide", 0, 4_000_000_000_000),
        ("open", -1000, 1000),
        ("part", 0.5, 99.5),
        ("fine", -1.0, 1.0),
        ("loose", -1000.0, 1000.0),
        ("when", datetime(2024, 2, 28), datetime(2024, 2, 29, 23, 59, 59)),  # noqa: DTZ001
        ("anyday", date(2000, 1, 1), date(2029, 12, 31)),
    ],
)
def test_both_ends_of_a_range_occur_and_nothing_beyond(
    frame: pl.DataFrame, column: str, low: Any, high: Any
) -> None:
    assert frame[column].min() == low
    assert frame[column].max() == high
    assert frame[column].n_unique() > 20


def test_nulls_occur_where_a_contract_allows_them_and_nowhere_else(frame: pl.DataFrame) -> None:
    for column in things().columns[1:]:
        nulls = frame[column.name].null_count()
        assert (0 < nulls < frame.height // 8) if column.nullable else nulls == 0, column.name


def test_a_unit_has_one_row_to_as_many_as_the_contract_allows(frame: pl.DataFrame) -> None:
    sizes = frame.group_by(UNIT_COLUMNS).len()["len"]

    assert (sizes.min(), sizes.max()) == (1, 3)
    assert frame.select(UNIT_COLUMNS).equals(frame.select(UNIT_COLUMNS).sort(UNIT_COLUMNS))


def test_the_same_contract_gives_the_same_rows_and_a_column_does_not_hang_on_others() -> None:
    whole = made(things())

    assert whole.equals(made(things()))
    alone = invented.invented(things(), frozenset({"small"}))
    assert alone.equals(whole.select(*UNIT_COLUMNS, "small"))
    other = made(parse(HEAD.format(rows=4_000).replace("shed", "barn") + COLUMNS).table(1))
    assert not whole["wide"].equals(other["wide"])


@pytest.mark.parametrize(
    ("rows", "count"), [(1, 1), (2, 2), (7, 7), (4_000, 4_000), (900_000, 20_000)]
)
def test_a_declared_size_is_kept_or_scaled_down(rows: int, count: int) -> None:
    assert made(things(rows)).height == count


def test_without_a_declared_size_the_cap_counts() -> None:
    contract = HEAD.replace("rows = {rows}\n", "").replace("1_000_000", "50")
    assert made(parse(contract + COLUMNS).table(1)).height == 50


def test_every_key_occurs_where_there_are_rows_for_it() -> None:
    keys = ", ".join(f'"k{n}"' for n in range(300))
    column = f'[columns.many]\ntype = "text"\nkeys = [{keys}]\n'

    assert made(things(301, column))["many"].n_unique() == 301
    assert made(things(100, column))["many"].drop_nulls().n_unique() == 100


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ward, COUNT(*) AS n, AVG(stay) AS m FROM visits WHERE age >= 18 GROUP BY ward",
        "SELECT COUNT(DISTINCT patient) AS n, SUM(stay) AS s FROM visits",
        "SELECT urgent, COUNT(*) AS n FROM visits GROUP BY urgent",
        "SELECT MONTH(day) AS m, COUNT(big) AS n FROM visits GROUP BY MONTH(day)",
        "visits.group_by('ward').agg(n=pl.len(), s=pl.col('age').sum())",
    ],
)
def test_a_child_answers_as_the_reference_does_on_the_same_rows(engine: Engine, text: str) -> None:
    """Noise so small that it rounds to nothing: what comes back is exact."""
    table = parse(CONTRACT).table(1)
    plan = compile_question(text, {}, Catalog((table,))).plan
    rows = [
        {**row, UNIT: tuple(row.pop(name) for name in UNIT_COLUMNS)}
        for row in invented.invented(table, plan.columns).to_dicts()
    ]

    measured = engine.run(Practice(plan, (QUIET,) * len(plan.measures), (CONTRACT,)))

    assert [list(vector) for vector in measured.vectors] == bounded_sums(plan, rows, bytes(16))


def test_a_child_chooses_quantiles_of_invented_values(engine: Engine) -> None:
    table = parse(CONTRACT).table(1)
    plan = compile_question("SELECT SUM(age) AS m FROM visits", {}, Catalog((table,))).plan
    median = replace(plan.measures[0], kind=MeasureKind.QUANTILE, q=Fraction(1, 2))
    plan = replace(plan, measures=(median,))

    ((chosen,),) = engine.run(Practice(plan, (SHARP,), (CONTRACT,))).vectors

    middle = invented.invented(table, plan.columns)["age"].median()
    assert isinstance(middle, float)
    assert abs(chosen * median.step - Fraction(middle)) <= 5
