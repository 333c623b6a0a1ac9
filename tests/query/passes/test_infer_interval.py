"""Bounds hold on every row that passes WHERE."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from hypothesis import given, settings

from privlab.query.evaluate import evaluate
from privlab.query.passes.infer_interval import Interval, infer_interval
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Call, Expr, Literal, Op
from privlab.terms.catalog import Table
from tests.query.shapes import ADMITTED, AGE, SEEN, STAY, Row, conditions, numbers, rows


def holds(interval: Interval, value: Fraction) -> bool:
    above = interval.low is None or interval.low <= value
    return above and (interval.high is None or value <= interval.high)


@settings(deadline=None, max_examples=100)
@given(expr=numbers, where=conditions, row=rows)
def test_values_lie_in_their_interval(visits: Table, expr: Expr, where: Expr, row: Row) -> None:
    expr, where = normalise(expr), normalise(where)
    value = evaluate(expr, row)
    if evaluate(where, row) is True and value is not None:
        assert isinstance(value, (int, Fraction))
        assert holds(infer_interval(expr, visits, where), Fraction(value))


@settings(deadline=None, max_examples=100)
@given(where=conditions, row=rows)
def test_days_lie_in_their_interval(visits: Table, where: Expr, row: Row) -> None:
    where = normalise(where)
    for ref in (ADMITTED, SEEN):
        value = row[ref.column]
        if evaluate(where, row) is True and isinstance(value, date):
            day = Fraction(date(value.year, value.month, value.day).toordinal())
            assert holds(infer_interval(ref, visits, where), day)


def test_what_is_divided_by_zero_alone_has_no_interval(visits: Table) -> None:
    for op in (Op.DIVIDE, Op.FLOOR_DIV, Op.TRUNC_DIV):
        assert infer_interval(Call(op, (AGE, Literal(0))), visits, None) == Interval()


def test_where_and_clip_narrow_a_range(visits: Table) -> None:
    old = normalise(Call(Op.GT, (AGE, Literal(64))))
    assert infer_interval(AGE, visits, old) == Interval(Fraction(65), Fraction(110))
    clipped = Call(Op.CLIP, (STAY, Literal(5), Literal(None)))
    assert infer_interval(clipped, visits, None) == Interval(Fraction(5), Fraction(60))


def test_a_condition_on_another_expression_narrows_nothing(visits: Table) -> None:
    where = Call(Op.GE, (STAY, Literal(30)))
    assert infer_interval(AGE, visits, where) == Interval(Fraction(0), Fraction(110))
