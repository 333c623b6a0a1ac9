"""Types and shapes of expressions."""

from __future__ import annotations

from hypothesis import given

from privlab.query.kinds import columns_of, conjuncts, depth, flattened, kind_of, substituted
from privlab.query.plan import Call, Expr, Literal, Op
from privlab.terms.catalog import Kind
from tests.query.shapes import AGE, COST, SEEN, SEX, conditions, numbers


@given(condition=conditions, number=numbers)
def test_every_expression_has_its_kind(condition: Expr, number: Expr) -> None:
    assert kind_of(condition) is Kind.BOOL
    assert kind_of(number) in (Kind.INT, Kind.FLOAT)


def test_kinds_follow_the_operation() -> None:
    assert kind_of(Call(Op.ADD, (AGE, COST))) is Kind.FLOAT
    assert kind_of(Call(Op.WEEK, (SEEN,))) is Kind.DATE
    assert kind_of(Call(Op.YEAR, (SEEN,))) is Kind.INT
    assert kind_of(Call(Op.CLIP, (AGE, Literal(0), Literal(None)))) is Kind.INT
    assert kind_of(Literal(None)) is None


def test_chains_flatten_and_substitute() -> None:
    one, two, three = (Call(Op.EQ, (AGE, Literal(n))) for n in (1, 2, 3))
    chain = Call(Op.AND, (Call(Op.AND, (one, two)), three))
    assert flattened(Op.AND, chain) == conjuncts(chain) == [one, two, three]
    assert conjuncts(None) == []
    assert columns_of(substituted(chain, AGE, SEX)) == {"sex"}
    assert depth(chain) == 3
