"""Columns of subqueries are called what their asker called them, and plans know nothing of it."""

from __future__ import annotations

import pytest

from privlab.errors import BadQuery
from privlab.query.canonical import question_id
from privlab.query.compile import compile_question
from privlab.query.plan import Call, Literal, Op, Ref
from privlab.query.said import Said, said
from privlab.query.words import caption
from privlab.terms.catalog import Kind
from tests.query.conftest import CATALOG, VISITS

PER_PATIENT = (
    "(SELECT patient_id, COUNT(*) AS {n}, SUM(cost) AS spent FROM visits GROUP BY patient_id) t"
)


def told(columns: str, n: str = "n", rest: str = "") -> str:
    text = f"SELECT {columns} FROM {PER_PATIENT.format(n=n)} {rest}"
    return caption(compile_question(text, {}, CATALOG), VISITS)


def test_a_caption_has_the_askers_names() -> None:
    words = told("AVG(visits_each) AS m, AVG(spent) AS s", "visits_each")
    assert "visits_each clamped to 1..8" in words
    assert "spent clamped to 0..400000" in words
    assert "sum_cost" not in words


def test_names_make_no_other_question() -> None:
    one, other = (
        compile_question(f"SELECT AVG({n}) AS m FROM {PER_PATIENT.format(n=n)}", {}, CATALOG)
        for n in ("n", "visits_each")
    )
    assert question_id(one) == question_id(other)
    assert one.said != other.said


@pytest.mark.parametrize(
    ("of", "counts"),
    [
        ("n", True),
        ("LEAST(n, 40)", True),
        ("LEAST(n, 8)", True),
        ("LEAST(n, 5)", False),
        ("CASE WHEN n > 5 THEN 1 ELSE 0 END", False),
    ],
)
def test_a_clip_beyond_the_contracts_bound_is_said_to_decide_nothing(of: str, counts: bool) -> None:
    note = "at most 8 visits per patient count in n"
    assert (note in told(f"AVG({of}) AS m")) is counts


def test_groups_by_a_count_that_is_clipped_too_late_say_where() -> None:
    words = told("LEAST(n, 40) AS k, COUNT(*) AS m", rest="GROUP BY k")
    assert "k is above 8 are in no group; LEAST(n, 8) in its place puts them into the last" in words
    assert "in no group" not in told("LEAST(n, 8) AS k, COUNT(*) AS m", rest="GROUP BY k")


def test_a_refusal_has_the_askers_names() -> None:
    with pytest.raises(BadQuery, match="no value of visits_each can pass"):
        told("COUNT(*) AS m", "visits_each", "WHERE visits_each > 5 AND visits_each < 2")


def test_a_column_with_two_names_keeps_its_own() -> None:
    names = Said()
    names.call("count", "n")
    names.call("sum_cost", "spent")
    names.call("count", "k")
    names.limit("count", "8 visits")
    names.limit("count", "20 labs")
    assert names.known() == {"sum_cost": "spent"}
    assert names.limits == {"count": None}
    expr = Call(
        Op.ADD, (Ref("count", Kind.INT), Call(Op.MUL, (Ref("sum_cost", Kind.INT), Literal(2))))
    )
    assert said(expr, names.known()) == "count + (spent * 2)"
