"""Columns of relations that read alike stay two columns."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.errors import BadQuery
from privlab.query.canonical import decode_plan, encode_plan
from privlab.query.compile import compile_question
from privlab.query.expr import Call, Literal, Op, Ref
from privlab.query.passes.name_columns import name_columns, name_expressions
from privlab.query.plan import Plan, Question
from privlab.query.plan_text import expression_text
from privlab.query.relations import PerUnit, PublicRows, Union
from privlab.terms.catalog import Kind
from tests.query.conftest import CATALOG

Ask = Callable[..., Question]

AGE = Ref("age", Kind.INT)
ONE, OTHER = (
    Call(Op.IS_IN, (AGE, *(Literal(n) for n in (1, 2, 3, 4, 5, 6, last)))) for last in (7, 8)
)
A, B = "age IN (1, 2, 3, 4, 5, 6, 7)", "age IN (1, 2, 3, 4, 5, 6, 8)"


def encoded(plan: Plan) -> Plan:
    """As the engine is told it."""
    return decode_plan(encode_plan(plan))


def test_a_long_list_and_its_neighbour_read_alike_and_have_two_names() -> None:
    assert expression_text(ONE) == expression_text(OTHER)
    named = name_expressions([ONE, OTHER, ONE])
    assert len(named) == len(set(named.values())) == 2


def test_a_constant_and_a_column_of_its_name_are_two() -> None:
    assert len(set(name_expressions([Ref("true", Kind.BOOL), Literal(value=True)]).values())) == 2


def test_constants_of_two_kinds_are_two() -> None:
    assert Literal(1) != Literal(Fraction(1))
    assert Literal(1) != Literal(value=True)
    assert {Literal(1), Literal(1)} == {Literal(1)}
    assert len(set(name_expressions([Literal(1), Literal(Fraction(1))]).values())) == 2


@given(st.permutations([ONE, OTHER, AGE, Literal(1), Literal(Fraction(1))]))
def test_names_do_not_depend_on_the_order_in_which_columns_were_written(
    exprs: list[Ref | Literal | Call],
) -> None:
    assert name_expressions(exprs) == name_expressions(reversed(exprs))


def test_a_taken_name_is_left_alone() -> None:
    assert name_columns([(AGE,)], {"age"}) == {(AGE,): "age_2"}


def test_keys_that_read_alike_are_two_keys(ask: Ask) -> None:
    plan = ask(
        f"SELECT COUNT(*) AS n FROM (SELECT patient_id, {A} AS a, {B} AS b FROM visits "
        f"GROUP BY patient_id, {A}, {B}) t WHERE a OR b"
    ).plan
    assert isinstance(plan.source, PerUnit)
    assert len(dict(plan.source.keys)) == 2
    assert encoded(plan) == plan


def test_columns_of_a_union_are_two_where_its_second_part_tells_them_apart(ask: Ask) -> None:
    """They were once one, that of the first part alone."""
    plan = ask(
        "SELECT SUM(a) AS a, SUM(b) AS b FROM (SELECT patient_id, age AS a, age AS b FROM visits "
        "UNION ALL SELECT patient_id, age AS a, stay_days AS b FROM visits) t"
    ).plan
    assert isinstance(plan.source, Union)
    assert len(plan.measures) == 2
    assert plan.reads["visits"] == {"age", "stay_days"}
    assert encoded(plan) == plan


def test_values_of_a_preserving_join_that_read_alike_are_two(ask: Ask) -> None:
    plan = ask(
        "SELECT COUNT(*) FILTER (WHERE a) AS n, COUNT(*) FILTER (WHERE b) AS m FROM labs LEFT JOIN "
        f"(SELECT patient_id, COALESCE({A}, TRUE) AS a, COALESCE({B}, TRUE) AS b FROM visits) v "
        "USING (patient_id)"
    ).plan
    assert len(plan.measures) == 2
    assert encoded(plan) == plan


def test_equalities_of_a_semi_join_that_read_alike_are_two(ask: Ask) -> None:
    plan = ask(
        "SELECT COUNT(*) AS n FROM visits v WHERE EXISTS (SELECT 1 FROM visits w WHERE "
        f"w.patient_id = v.patient_id AND (w.{A}) = (v.age = 1) AND (w.{B}) = (v.age = 2))"
    ).plan
    assert encoded(plan) == plan
    assert "_2" in str(plan.source)


@pytest.mark.parametrize("turned", [False, True])
def test_cells_of_some_rows_bound_no_others(ask: Ask, *, turned: bool) -> None:
    """Keys that a condition narrows to two values are not two values everywhere."""
    few = (
        "SELECT patient_id, score, COUNT(*) AS n FROM visits WHERE score BETWEEN 1 AND 2 "
        "GROUP BY patient_id, score"
    )
    all_of_them = "SELECT patient_id, score, COUNT(*) AS n FROM visits GROUP BY patient_id, score"
    one, two = (all_of_them, few) if turned else (few, all_of_them)
    plan = ask(f"SELECT COUNT(*) AS n FROM ({one}) a JOIN ({two}) b USING (patient_id)").plan
    alone = ask(f"SELECT COUNT(*) AS n FROM ({all_of_them}) a").plan
    assert plan.bound.rows >= 2 * alone.bound.rows


def test_public_rows_that_meet_one_after_the_other_multiply() -> None:
    """Else one person's row could become a thousand million, and a failure would tell of her."""
    rows = tuple(("A", n) for n in range(1_000))
    many = {"many": PublicRows((("ward", Kind.TEXT), ("n", Kind.INT)), rows)}
    more = " ".join(f"JOIN many m{at} ON m{at}.ward = v.ward" for at in range(3))
    with pytest.raises(BadQuery) as caught:
        compile_question(f"SELECT COUNT(*) AS n FROM visits v {more}", {}, CATALOG, many)
    assert caught.value.code == "PL113"
