"""The noise-free answer of every accepted question is that of DuckDB, or of Polars.

Every text of the corpus is answered twice: by privlab's whole path without its noise,
and by a database that reads the analyst's own text on the same rows.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pytest

from privlab.query.compile import compile_question
from privlab.query.epoch import DAY, dated, number_of
from privlab.query.kinds import parts_of
from privlab.query.plan import Call, MeasureKind, Op, Question
from privlab.query.relations import Scan
from privlab.terms.catalog import Kind
from tests.golden import truth
from tests.golden.noise_free import Place, answer, protected, rows
from tests.golden.test_queries import ONE_TABLE
from tests.query.conftest import CATALOG

TEXTS = [
    pytest.param(text, id=f"{param.id}: {at}")
    for param in ONE_TABLE
    for at, text in enumerate(param.values[0].texts)
    if param.values[0].verdict in ("accept", "differ")
]

INEXACT = frozenset({Op.DIVIDE, Op.SQRT, Op.LN, Op.EXP, Op.ROUND, Op.ROUND_EVEN, Op.MUL})
"""Operations after which a value may lie between two steps."""

COUNTED = frozenset({"rows", "units", "sum", "distinct"})
"""Columns that are zero where no row is."""

FEW = 10
"""Fewer groups than this have rows enough for their ends not to lie beyond all rows."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Place]:
    """By whether a unit has one row: a quantile is of one value of each unit."""
    return {
        alone: protected(tmp_path_factory.mktemp("place"), rows(1_500, 1 if alone else 3))
        for alone in (True, False)
    }


def slack(question: Question, label: str, count: int) -> float:
    """How far a column may be from the truth: rounding to steps, and of a quantile its ranks."""
    worst = 0.0
    for one in question.plan.measures:
        if one.chosen and label in ("quantile", "median"):
            days = dated(one) is Kind.DATE
            worst = max(worst, float(one.high - one.low) / 20 * (DAY if days else 1))
        if one.chosen and label in ("min", "max") and dated(one) is Kind.DATETIME:
            worst = max(worst, float(one.step) / 2)
        if one.kind is MeasureKind.SUM and one.of is not None and label not in COUNTED - {"sum"}:
            calls = {part.op for part in parts_of(one.of) if isinstance(part, Call)}
            made = not isinstance(question.plan.source, Scan)  # of values with a step of their own
            if (INEXACT & calls or made) and one.step != 1:
                worst = max(worst, float(one.step) / 2 * (1 if label == "mean" else count))
    return worst


def plain(value: Any) -> Any:
    """A key as any of the three may write it."""
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date()
    if isinstance(value, date | str | bool) or value is None:
        return value
    return int(value) if value == int(value) else float(value)


def measured(value: Any) -> float:
    """An estimate as a number; a date or a time in seconds."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return float(number_of(value) * DAY)
    return float(number_of(value) if isinstance(value, date) else value)


def compared(
    question: Question, place: Place | tuple[Place, ...], expected: truth.Answer
) -> list[str]:
    """What is different.  place: the first of several is that of visits."""
    places = place if isinstance(place, tuple) else (place,)
    table = answer(question, *places)
    is_key = [column.label == "key" for column in table.columns]

    def key(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(plain(v) for v, k in zip(row, is_key, strict=True) if k)

    found = {key(row): row for row in table.rows}
    wanted = {key(tuple(row)): tuple(row) for row in expected}
    problems = []
    if len(wanted) != len(expected) or len(found) != len(table.rows):
        problems.append("a group stands twice")
    for name, row in wanted.items():
        if name not in found:
            problems.append(f"{name}: no such group here")
            continue
        for column, ours, theirs in zip(table.columns, found[name], row, strict=True):
            if column.label == "key":
                continue
            if theirs is None:  # of no rows: a mean is the middle of its range, a sum is zero
                if column.label == "sum" and ours != 0:
                    problems.append(f"{name} {column.name}: {float(ours)} of nothing")
                continue
            allowed = slack(question, column.label, places[0].frame.height)
            assert isinstance(ours, int | Fraction | date)
            got, true = measured(ours), measured(theirs)
            if column.label in ("min", "max"):  # a quantile near the end, and said to be one
                if len(wanted) < FEW and (
                    (got < true - allowed) if column.label == "min" else (got > true + allowed)
                ):
                    problems.append(f"{name} {column.name}: {ours} is beyond {theirs}")
                continue
            if not math.isclose(got, true, rel_tol=1e-9, abs_tol=allowed + 1e-9):
                problems.append(f"{name} {column.name}: {ours} is not {theirs}")
    for name in found.keys() - wanted.keys():
        problems += [
            f"{name}: not empty"
            for column, value in zip(table.columns, found[name], strict=True)
            if column.label in COUNTED and value != 0
        ]
    return problems


@pytest.mark.parametrize("text", TEXTS)
def test_the_answer_without_noise_is_the_answer_of_a_database(
    text: str, places: dict[bool, Place]
) -> None:
    question = compile_question(text, {}, CATALOG)
    place = places[any(one.chosen for one in question.plan.measures)]
    read = truth.in_polars if text.startswith("visits") else truth.in_duckdb
    assert compared(question, place, read(text, place.frame)) == []


def test_a_row_more_is_seen(places: dict[bool, Place]) -> None:
    """The comparison is not one that anything passes."""
    place = places[False]
    more = place.frame.vstack(place.frame.head(1))
    for text in (
        "SELECT COUNT(*) AS n FROM visits",
        "SELECT ward, SUM(age) AS s FROM visits GROUP BY ward",
        "SELECT AVG(weight) AS m FROM visits",
    ):
        question = compile_question(text, {}, CATALOG)
        assert compared(question, place, truth.in_duckdb(text, place.frame)) == []
        assert compared(question, place, truth.in_duckdb(text, more)) != []


def test_what_is_told_in_other_words_is_still_in_the_corpus() -> None:
    texts = {param.values[0].replace("\n ", "") for param in TEXTS}
    assert texts >= truth.WRITTEN.keys() | truth.POLARS.keys()
