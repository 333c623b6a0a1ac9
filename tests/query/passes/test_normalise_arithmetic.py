"""Arithmetic that means the same has one form."""

from __future__ import annotations

from fractions import Fraction

import pytest

from privlab.query.passes.normalise_arithmetic import chain, normalise_arithmetic, sort_key
from privlab.query.plan import Call, Expr, Literal, Op
from tests.query.shapes import AGE, COST, STAY

ONE, TEN = Literal(1), Literal(10)


@pytest.mark.parametrize(
    ("op", "args", "form"),
    [
        (Op.FLOOR_DIV, (AGE, ONE), AGE),
        (Op.FLOOR_DIV, (COST, ONE), Call(Op.FLOOR_DIV, (COST, ONE))),
        (
            Op.FLOOR_DIV,
            (Call(Op.DIVIDE, (COST, TEN)), ONE),
            Call(Op.FLOOR_DIV, (COST, TEN)),
        ),
        (
            Op.FLOOR_DIV,
            (Call(Op.NEG, (Call(Op.DIVIDE, (AGE, TEN)),)), ONE),
            Call(Op.FLOOR_DIV, (Call(Op.NEG, (AGE,)), TEN)),
        ),
        (Op.TRUNC_DIV, (Call(Op.MUL, (AGE, TEN)), TEN), AGE),
        (Op.TRUNC_DIV, (Call(Op.MUL, (COST, TEN)), TEN), Call(Op.TRUNC_DIV, (Call(Op.MUL, (COST, TEN)), TEN))),
        (Op.ROUND, (AGE, Literal(2)), AGE),
        (Op.ROUND, (AGE, Literal(-1)), Call(Op.ROUND, (AGE, Literal(-1)))),
        (Op.DIVIDE, (COST, ONE), COST),
        (Op.DIVIDE, (ONE, Literal(3)), Literal(Fraction(1, 3))),
        (Op.DIVIDE, (ONE, Literal(0)), Literal(None)),
        (Op.SQRT, (Literal(4),), Literal(2)),
        (Op.SQRT, (Literal(-4),), Literal(None)),
        (Op.ABS, (Call(Op.ABS, (AGE,)),), Call(Op.ABS, (AGE,))),
        (Op.SUB, (AGE, AGE), Call(Op.ADD, (AGE, Call(Op.NEG, (AGE,))))),
    ],
)  # fmt: skip
def test_forms(op: Op, args: tuple[Expr, ...], form: Expr) -> None:
    found = normalise_arithmetic(op, args)
    assert found == form or (
        op is Op.SUB and sorted(found.args, key=sort_key) == sorted(form.args, key=sort_key)
    )  # type: ignore[union-attr]


def test_chains_are_sorted_and_nest_to_the_left() -> None:
    found = chain(Op.ADD, [STAY, COST, AGE])
    assert found == chain(Op.ADD, [AGE, STAY, COST])
    assert isinstance(found, Call)
    assert isinstance(found.args[0], Call)
