"""The grid of a sum: fine enough to be right, coarse enough to be hidden."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from privlab.query.passes.choose_step import FINEST, choose_step
from privlab.query.plan import Call, Literal, Op, Ref
from privlab.terms.catalog import Kind, Table
from tests.query.shapes import AGE, COST, STAY

WEIGHT = Ref("weight", Kind.FLOAT)


def test_whole_numbers_and_stated_steps_are_kept(visits: Table) -> None:
    assert choose_step(AGE, Fraction(0), Fraction(110), visits) == 1
    assert choose_step(COST, Fraction(0), Fraction(50_000), visits) == Fraction(1, 100)


def test_constants_scale_the_step(visits: Table) -> None:
    half = Call(Op.MUL, (AGE, Literal(Fraction(1, 2))))
    assert choose_step(half, Fraction(0), Fraction(55), visits) == Fraction(1, 2)
    mixed = Call(Op.ADD, (Call(Op.MUL, (STAY, Literal(4))), Literal(6)))
    assert choose_step(mixed, Fraction(6), Fraction(246), visits) == 2


def test_a_decimal_without_a_step_gets_a_round_one(visits: Table) -> None:
    assert choose_step(WEIGHT, Fraction(0), Fraction(200), visits) == Fraction(1, 5000)


@given(low=st.fractions(-(10**9), 10**9), width=st.fractions(0, 10**9))
def test_no_range_has_more_steps_than_noise_can_hide(
    visits: Table, low: Fraction, width: Fraction
) -> None:
    for expr in (AGE, COST, WEIGHT, Call(Op.MUL, (AGE, COST))):
        step = choose_step(expr, low, low + width, visits)
        assert step > 0
        assert width / step <= FINEST
