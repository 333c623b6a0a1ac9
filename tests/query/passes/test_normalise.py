"""One form for what means the same, with the same value on every row."""

from __future__ import annotations

from hypothesis import given, settings

from privlab.query.evaluate import evaluate
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Call, Expr, Literal, Op
from tests.query.shapes import AGE, COST, Row, conditions, numbers, rows


@settings(deadline=None, max_examples=100)
@given(expr=conditions, row=rows)
def test_a_condition_keeps_its_value(expr: Expr, row: Row) -> None:
    assert evaluate(normalise(expr), row) is evaluate(expr, row)


@settings(deadline=None, max_examples=100)
@given(expr=numbers, row=rows)
def test_a_number_keeps_its_value(expr: Expr, row: Row) -> None:
    assert evaluate(normalise(expr), row) == evaluate(expr, row)


@settings(deadline=None, max_examples=100)
@given(expr=conditions)
def test_normalising_twice_changes_nothing(expr: Expr) -> None:
    once = normalise(expr)
    assert normalise(once) == once


@settings(deadline=None, max_examples=100)
@given(one=conditions, two=conditions)
def test_and_and_or_commute(one: Expr, two: Expr) -> None:
    for op in (Op.AND, Op.OR):
        assert normalise(Call(op, (one, two))) == normalise(Call(op, (two, one)))


@settings(deadline=None, max_examples=100)
@given(one=numbers, two=numbers)
def test_sums_products_and_equality_commute(one: Expr, two: Expr) -> None:
    for op in (Op.ADD, Op.MUL, Op.EQ, Op.NE):
        assert normalise(Call(op, (one, two))) == normalise(Call(op, (two, one)))


@settings(deadline=None, max_examples=100)
@given(one=numbers, two=numbers)
def test_a_comparison_is_the_flipped_one(one: Expr, two: Expr) -> None:
    for op, flipped in ((Op.LT, Op.GT), (Op.LE, Op.GE)):
        assert normalise(Call(op, (one, two))) == normalise(Call(flipped, (two, one)))


def test_compiled_expressions_have_no_subtraction() -> None:
    expr = normalise(Call(Op.SUB, (AGE, COST)))
    assert expr == Call(Op.ADD, (AGE, Call(Op.NEG, (COST,)))) or expr == Call(
        Op.ADD, (Call(Op.NEG, (COST,)), AGE)
    )


def test_strict_bounds_close_on_whole_numbers() -> None:
    assert normalise(Call(Op.GT, (AGE, Literal(64)))) == Call(Op.GE, (AGE, Literal(65)))
    assert normalise(Call(Op.GT, (COST, Literal(64)))) == Call(Op.GT, (COST, Literal(64)))
