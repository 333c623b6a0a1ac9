"""Plans as people read them (golden plans: ``test_golden.py``)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.query.plan_text import decimal, expression_text
from privlab.terms.catalog import Kind
from tests.query.shapes import AGE, SEX


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Call(Op.EQ, (SEX, Literal("it's"))), "sex = 'it''s'"),
        (Ref("my col", Kind.INT), '"my col"'),
        (Call(Op.CLIP, (AGE, Literal(0), Literal(None))), "clip(age, 0, open)"),
        (
            Call(Op.IS_IN, (AGE, *map(Literal, range(9)))),
            "age in (0, 1, 2, 3, 4, 5, ... 9 values)",
        ),
        (Call(Op.NOT, (Call(Op.IS_NULL, (SEX,)),)), "not (sex is null)"),
    ],
)
def test_expressions(expr: Expr, text: str) -> None:
    assert expression_text(expr) == text


@given(value=st.fractions())
def test_numbers_are_shown_exactly(value: Fraction) -> None:
    assert Fraction(decimal(value)) == value
