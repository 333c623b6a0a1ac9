"""A nested question is planned in time that grows with its size, not with a power of two."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from functools import reduce

import polars as pl
import pytest

from privlab.engine.expressions import translate
from privlab.engine.reference import evaluate
from privlab.query import texts
from privlab.query.kinds import kind_of
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind

DEEP, DEEPER = 8, 16
WHOLE, DECIMAL = Ref("i", Kind.INT), Ref("f", Kind.FLOAT)
DAY, TEXT = Ref("d", Kind.DATE), Ref("t", Kind.TEXT)
ROW = {"i": 7, "f": 0.75, "d": date(2024, 2, 29), "t": "12"}
TABLE = pl.DataFrame([ROW, {**ROW, "f": float("nan")}, {**ROW, "f": None, "i": None}])

CLIP = (Literal(0), Literal(200))
NESTS: dict[str, tuple[Expr, Callable[[Expr], Expr]]] = {
    "a product of clipped decimals": (
        DECIMAL,
        lambda inner: Call(Op.MUL, (Call(Op.CLIP, (inner, *CLIP)), DECIMAL)),
    ),
    "a sum of decimals": (DECIMAL, lambda inner: Call(Op.ADD, (inner, DECIMAL))),
    "a quotient": (DECIMAL, lambda inner: Call(Op.DIVIDE, (DECIMAL, inner))),
    "a whole quotient of decimals": (
        DECIMAL,
        lambda inner: Call(Op.FLOOR_DIV, (Call(Op.ADD, (inner, DECIMAL)), DECIMAL)),
    ),
    "a rest of decimals": (DECIMAL, lambda inner: Call(Op.MOD, (DECIMAL, inner))),
    "a quotient of whole numbers": (WHOLE, lambda inner: Call(Op.TRUNC_DIV, (WHOLE, inner))),
    "a rest of whole numbers": (WHOLE, lambda inner: Call(Op.REMAINDER, (WHOLE, inner))),
    "whole numbers rounded": (WHOLE, lambda inner: Call(Op.ROUND, (inner, Literal(-1)))),
    "decimals rounded": (DECIMAL, lambda inner: Call(Op.ROUND_EVEN, (inner, Literal(3)))),
    "roots": (DECIMAL, lambda inner: Call(Op.SQRT, (inner,))),
    "powers of e": (DECIMAL, lambda inner: Call(Op.EXP, (Call(Op.NEG, (inner,)),))),
    "logarithms": (DECIMAL, lambda inner: Call(Op.LN, (Call(Op.ADD, (inner, Literal(2))),))),
    "the larger of two": (WHOLE, lambda inner: Call(Op.GREATEST, (inner, DECIMAL))),
    "choices": (
        DECIMAL,
        lambda inner: Call(Op.CASE, (Call(Op.IS_NULL, (inner,)), DECIMAL, Literal(1))),
    ),
    "days later": (DAY, lambda inner: Call(Op.ADD_DAYS, (inner, Literal(1)))),
    "months later": (DAY, lambda inner: Call(Op.ADD_MONTHS, (inner, Literal(1)))),
    "numbers in texts": (
        TEXT,
        lambda inner: Call(Op.TO_TEXT, (Call(Op.PARSE_INT, (inner,)),)),
    ),
    "decimals in texts": (
        TEXT,
        lambda inner: Call(
            Op.TO_TEXT, (Call(Op.LT, (Call(Op.PARSE_FLOAT, (inner,)), Literal(3))),)
        ),
    ),
    "patterns": (
        TEXT,
        lambda inner: Call(
            Op.TO_TEXT, (Call(Op.LIKE, (inner, Literal(texts.pattern("%1_", None)))),)
        ),
    ),
}


def nested(name: str, times: int) -> Expr:
    inner, around = NESTS[name]
    return reduce(lambda expr, _: around(expr), range(times), inner)


def seconds(expr: Expr) -> float:
    """Process time of one look at the table, the best of three."""
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        TABLE.lazy().select(x=translate(expr).expr).collect(engine="in-memory")
        best = min(best, time.process_time() - begin)
    return best


@pytest.mark.parametrize("name", NESTS)
def test_planning_time_does_not_double_with_every_level(name: str) -> None:
    shallow, deep = seconds(nested(name, DEEP)), seconds(nested(name, DEEPER))
    assert deep < 0.25
    assert deep < 8 * (shallow + 0.005)


@pytest.mark.parametrize("name", NESTS)
def test_deep_expressions_have_the_value_of_plain_python(name: str) -> None:
    for times in (1, 2, 5, 9):
        expr = nested(name, times)
        found = TABLE.select(x=translate(expr).expr)["x"].to_list()
        expected = [evaluate(expr, row) for row in TABLE.to_dicts()]
        if kind_of(expr) is Kind.FLOAT:
            assert found == [x if x is None else pytest.approx(x, rel=1e-12) for x in expected]
        else:
            assert found == expected
