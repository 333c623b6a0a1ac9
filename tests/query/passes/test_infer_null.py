"""What can be null, and what rules it out."""

from __future__ import annotations

import pytest

from privlab.query.passes.infer_null import branches, can_be_null, rules_out_null
from privlab.query.plan import Call, Expr, Literal, Op
from privlab.terms.catalog import Table
from tests.query.shapes import AGE, COST, STAY, URGENT

NULL, ZERO, ONE = Literal(None), Literal(0), Literal(1)
KNOWN = Call(Op.NOT, (Call(Op.IS_NULL, (STAY,)),))
LONG = Call(Op.GE, (STAY, Literal(3)))


@pytest.mark.parametrize(
    ("expr", "where", "answer"),
    [
        (AGE, None, False),
        (STAY, None, True),
        (STAY, LONG, False),
        (STAY, KNOWN, False),
        (NULL, None, True),
        (Call(Op.IS_NULL, (STAY,)), None, False),
        (Call(Op.COALESCE, (STAY, AGE)), None, False),
        (Call(Op.COALESCE, (STAY, COST)), None, True),
        (Call(Op.GREATEST, (AGE, STAY)), None, True),
        (Call(Op.MAX_OF, (AGE, STAY)), None, False),
        (Call(Op.DIVIDE, (AGE, Literal(2))), None, False),
        (Call(Op.DIVIDE, (AGE, AGE)), None, True),
        (Call(Op.SQRT, (AGE,)), None, True),
        (Call(Op.CASE, (URGENT, AGE, NULL)), None, True),
        (Call(Op.CASE, (URGENT, AGE, ZERO)), None, False),
        (Call(Op.CASE, (LONG, STAY, ZERO)), None, False),
        (Call(Op.CASE, (LONG, ZERO, STAY)), None, True),
        (Call(Op.CASE, (Call(Op.IS_NULL, (STAY,)), ZERO, STAY)), None, False),
        (LONG, None, True),
        (Call(Op.SQRT, (STAY,)), LONG, True),
        (Call(Op.ADD, (Call(Op.SQRT, (STAY,)), ONE)), LONG, True),
        (Call(Op.ADD, (STAY, ONE)), LONG, False),
        (
            Call(Op.SQRT, (STAY,)),
            Call(Op.NOT, (Call(Op.IS_NULL, (Call(Op.SQRT, (STAY,)),)),)),
            False,
        ),
        (Call(Op.PARSE_INT, (Call(Op.TO_TEXT, (AGE,)),)), None, True),
    ],
)
def test_nulls(visits: Table, expr: Expr, where: Expr | None, answer: bool) -> None:
    assert can_be_null(expr, visits, where) is answer


def test_a_condition_rules_out_what_it_needs() -> None:
    assert rules_out_null(LONG, STAY)
    assert not rules_out_null(Call(Op.IS_NULL, (STAY,)), STAY)
    assert not rules_out_null(LONG, COST)


def test_an_else_after_a_condition_that_may_be_null_knows_nothing(visits: Table) -> None:
    (_, taken), (_, last) = branches((LONG, ZERO, STAY), visits, None)
    assert taken == LONG
    assert last is None
    assert branches((URGENT, ZERO, STAY), visits, None)[1][1] == Call(Op.NOT, (URGENT,))
