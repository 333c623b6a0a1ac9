"""One form for outputs that mean the same, and what their parts are."""

from __future__ import annotations

from fractions import Fraction

import pytest

from privlab.query.plan import Measure, MeasureKind
from privlab.query.post.certain import certain
from privlab.query.post.encoding import encode_out
from privlab.query.post.linear import rational, weights_of
from privlab.query.post.shapes import call, kind_of_out
from privlab.query.post.tree import CallOut, LiteralOut, MeanOut, MeasureOut, OutOp, moved
from privlab.terms.catalog import Kind

A, B = MeasureOut(0), MeasureOut(1)
ROWS = Measure(MeasureKind.ROWS)
TOTAL = Measure(
    MeasureKind.SUM,
    LiteralOut(1),
    Fraction(0),
    Fraction(60),
    Fraction(1),
    Fraction(30),  # type: ignore[arg-type]
)


def number(value: int) -> LiteralOut:
    return LiteralOut(Fraction(value))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (call(OutOp.ADD, A, B), call(OutOp.ADD, B, A)),
        (call(OutOp.DIVIDE, A, number(2)), call(OutOp.MUL, LiteralOut(Fraction(1, 2)), A)),
        (call(OutOp.GT, A, B), call(OutOp.LT, B, A)),
        (call(OutOp.NOT, call(OutOp.LE, A, B)), call(OutOp.LT, B, A)),
        (call(OutOp.MUL, A, A), CallOut(OutOp.POWER, (A, number(2)))),
        (call(OutOp.ADD, number(2), number(3)), number(5)),
        (call(OutOp.AND, A, A), A),
        (call(OutOp.NEG, call(OutOp.NEG, A)), A),
    ],
)
def test_equals_have_one_form(one: object, two: object) -> None:
    assert one == two


def test_the_form_does_not_depend_on_how_measures_were_numbered() -> None:
    one = call(OutOp.ADD, A, B)
    assert encode_out(moved(one, {0: 0, 1: 1})) == encode_out(one)
    assert kind_of_out(one, ()) is Kind.FLOAT


def test_ratios_of_linear_forms_are_found() -> None:
    mean = MeanOut(1, 0)
    shape = rational(call(OutOp.ADD, call(OutOp.MUL, number(24), mean), number(1)), (ROWS, TOTAL))
    assert shape is not None
    assert not shape.linear
    assert shape.top == {A: 24 * 30 + 1, B: 24}
    assert rational(call(OutOp.SQRT, A), (ROWS,)) is None


def test_weights_are_per_step() -> None:
    found = call(OutOp.ADD, A, call(OutOp.MUL, number(-3), B))
    assert weights_of(found, (ROWS, TOTAL)) == {0: 1, 1: 3}
    assert weights_of(MeanOut(1, 0), (ROWS, TOTAL)) is None


def test_what_is_certain_follows_from_the_plan() -> None:
    measures = (ROWS, TOTAL)
    assert certain(A, measures) == (0, None)
    assert certain(MeanOut(1, 0), measures) == (0, 60)
    assert certain(call(OutOp.MUL, number(2), MeanOut(1, 0)), measures) == (0, 120)
    assert certain(B, measures) == (None, None)
