"""Choices that mean the same have one form."""

from __future__ import annotations

import pytest

from privlab.query.passes.normalise_choice import normalise_choice
from privlab.query.plan import Call, Expr, Literal, Op
from tests.query.shapes import AGE, COST, STAY, URGENT

NULL, ONE, TWO = Literal(None), Literal(1), Literal(2)
TRUE, FALSE = Literal(value=True), Literal(value=False)
MISSING = Call(Op.IS_NULL, (STAY,))
OLD = Call(Op.GE, (AGE, Literal(65)))


@pytest.mark.parametrize(
    ("op", "args", "form"),
    [
        (Op.CASE, (TRUE, ONE, TWO), ONE),
        (Op.CASE, (FALSE, ONE, NULL, ONE, TWO), TWO),
        (Op.CASE, (URGENT, ONE, ONE), ONE),
        (Op.CASE, (URGENT, ONE, URGENT, TWO, NULL), Call(Op.CASE, (URGENT, ONE, NULL))),
        (
            Op.CASE,
            (URGENT, ONE, Call(Op.CASE, (OLD, TWO, NULL))),
            Call(Op.CASE, (URGENT, ONE, OLD, TWO, NULL)),
        ),
        (Op.CASE, (MISSING, ONE, STAY), Call(Op.COALESCE, (STAY, ONE))),
        (Op.CASE, (Call(Op.NOT, (MISSING,)), STAY, ONE), Call(Op.COALESCE, (STAY, ONE))),
        (Op.CASE, (URGENT, TRUE, FALSE), Call(Op.COALESCE, (URGENT, FALSE))),
        (Op.COALESCE, (NULL, STAY, STAY, ONE, TWO), Call(Op.COALESCE, (STAY, ONE))),
        (Op.COALESCE, (Call(Op.COALESCE, (STAY, COST)), ONE), Call(Op.COALESCE, (STAY, COST, ONE))),
        (Op.COALESCE, (NULL, NULL), NULL),
        (Op.GREATEST, (ONE, AGE, TWO), Call(Op.CLIP, (AGE, TWO, NULL))),
        (Op.LEAST, (AGE, NULL), NULL),
        (Op.MAX_OF, (AGE, NULL), AGE),
        (Op.GREATEST, (STAY, AGE), Call(Op.GREATEST, (AGE, STAY))),
        (Op.MIN_OF, (ONE, TWO), ONE),
    ],
)
def test_forms(op: Op, args: tuple[Expr, ...], form: Expr) -> None:
    assert normalise_choice(op, args) == form
