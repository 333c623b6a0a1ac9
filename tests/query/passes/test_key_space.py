"""Group keys have only public values, and every row that passes WHERE has its cell."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.errors import BadQuery, PrivlabError
from privlab.query.ask import Source, Span, Surface
from privlab.query.compile import compile_question
from privlab.query.evaluate import evaluate
from privlab.query.passes.key_space import key_space
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Call, Expr, Literal, Op, Question
from privlab.terms.catalog import Catalog, Table
from tests.query.shapes import ADMITTED, AGE, SEEN, SEX, URGENT, Row, conditions, rows

SOURCE = Source("visits", Surface.SQL)
SPAN = Span(0, 6)
KEYS: list[Expr] = [
    SEX,
    URGENT,
    AGE,
    ADMITTED,
    *(
        Call(op, (ref,))
        for ref in (ADMITTED, SEEN)
        for op in (Op.YEAR, Op.MONTH, Op.DAY, Op.WEEK, Op.TO_MONTH)
    ),
    Call(Op.TO_DATE, (SEEN,)),
    Call(Op.GE, (AGE, Literal(65))),
    Call(Op.IS_NULL, (SEX,)),
]


@settings(deadline=None, max_examples=100)
@given(expr=st.sampled_from(KEYS), where=conditions, row=rows)
def test_a_row_that_passes_has_a_cell(visits: Table, expr: Expr, where: Expr, row: Row) -> None:
    """Cells that are left away are left away for what WHERE says, never for data."""
    where = normalise(where)
    if evaluate(where, row) is not True:
        return
    key = key_space(expr, visits, where, SOURCE, SPAN)
    assert evaluate(expr, row) in key.values


@settings(deadline=None, max_examples=100)
@given(expr=st.sampled_from(KEYS), where=conditions)
def test_values_are_distinct_and_there_is_one(visits: Table, expr: Expr, where: Expr) -> None:
    with contextlib.suppress(BadQuery):  # PL107: WHERE leaves none
        key = key_space(expr, visits, normalise(where), SOURCE, SPAN)
        assert key.values
        assert len(set(key.values)) == len(key.values)


def test_the_contracts_order_is_kept(ask: Callable[..., Question]) -> None:
    key = ask("SELECT ward, COUNT(*) FROM visits WHERE ward IN ('C', 'A') GROUP BY 1").plan.keys[0]
    assert key.values == ("A", "C")


def test_the_calendar_is_cut_to_the_contracts_range(ask: Callable[..., Question]) -> None:
    values = ask("SELECT DATE_TRUNC('month', admitted), COUNT(*) FROM visits GROUP BY 1").plan.keys[
        0
    ]
    assert (values.values[0], values.values[-1], len(values.values)) == (
        date(2023, 1, 1),
        date(2024, 12, 1),
        24,
    )


@pytest.mark.parametrize(
    ("column", "word"),
    [
        ("cost", "compare cost"),
        ("seen", "day"),
    ],
)
def test_the_refusal_says_how_keys_become_public(
    refusal: Callable[..., PrivlabError], column: str, word: str
) -> None:
    error = refusal(f"SELECT {column}, COUNT(*) FROM visits GROUP BY {column}")
    assert error.code == "PL107"
    assert word in error.hint


def test_long_lists_are_held_against_many_keys_in_linear_time(catalog: Catalog) -> None:
    days = tuple(date(1900, 1, 1) + timedelta(days=n) for n in range(50_000))
    text = "SELECT admitted, COUNT(*) FROM visits WHERE admitted IN (:days) GROUP BY admitted"
    begin = time.process_time()
    question = compile_question(text, {"days": days}, catalog)
    assert time.process_time() - begin < 6
    assert question.plan.cells == 731


def test_a_time_is_more_than_its_day_where_its_clock_shows(
    ask: Callable[..., Question], refusal: Callable[..., PrivlabError]
) -> None:
    """Days of a range stand for its times only in what looks at days."""
    shifted = "SELECT YEAR(seen + INTERVAL '1' DAY) AS y, COUNT(*) FROM visits GROUP BY y"
    assert ask(shifted).plan.keys[0].values == (2023, 2024, 2025, None)
    moved = refusal("SELECT seen + INTERVAL '1' DAY AS s, COUNT(*) FROM visits GROUP BY s")
    assert moved.code == "PL107"
    hours = ask("SELECT HOUR(seen) + 1 AS h, COUNT(*) FROM visits GROUP BY h").plan.keys[0]
    assert hours.values == (*range(1, 25), None)
