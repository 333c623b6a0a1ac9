"""A row's value depends on that row alone: not a bit of it on how many others are computed with it.

Dividing by a constant is where that is not so by itself: for several rows Polars
multiplies by the reciprocal, which rounds otherwise.  The sign of a zero is no bit of
a value: nothing that is asked of rows tells the two zeros apart.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.engine.expressions import Typed, divided, translate
from privlab.engine.steps import coded
from privlab.query.expr import Call, Expr, Literal, Op, Ref
from privlab.query.plan import Measure, MeasureKind
from privlab.terms.catalog import Kind
from tests.engine.row_shapes import anything, rows, table

F = Ref("f", Kind.FLOAT)


def bits(value: Any) -> Any:
    return struct.pack("<d", value or 0.0) if isinstance(value, float) else value


def computed(frame: pl.DataFrame, expr: pl.Expr) -> list[Any]:
    found = frame.lazy().select(pl.col("i"), expr.alias("value")).collect(engine="in-memory")
    return [bits(value) for value in found["value"].to_list()]


def alone_and_together(frame: pl.DataFrame, expr: pl.Expr) -> None:
    together = computed(pl.concat([frame] * 16), expr)
    alone = [value for at in range(frame.height) for value in computed(frame[at : at + 1], expr)]

    assert together == alone * 16


@settings(max_examples=300, deadline=None)
@given(anything, rows)
def test_a_row_expression_is_of_one_row(expr: Expr, found: list[dict[str, Any]]) -> None:
    alone_and_together(table(found), translate(expr).expr)


@pytest.mark.parametrize("op", [Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE])
@pytest.mark.parametrize("left", [Literal("b"), Call(Op.CONCAT, (Literal("b"), Literal("")))])
def test_a_value_may_be_compared_with_frames_of_one_row_put_together(op: Op, left: Expr) -> None:
    """With ``value == column`` Polars gives one answer for all of them, and fails."""
    frame = pl.concat([pl.DataFrame({"i": [1], "t": ["b"]})] * 3)
    expected = op in (Op.EQ, Op.LE, Op.GE)
    expr = Call(op, (left, Ref("t", Kind.TEXT)))
    assert computed(frame, translate(expr).expr) == [expected] * 3


@pytest.mark.parametrize("op", [Op.DIVIDE, Op.FLOOR_DIV, Op.TRUNC_DIV, Op.MOD, Op.REMAINDER])
@given(rows, st.sampled_from([3, 7, Fraction(1, 10), Fraction(49), -3]))
@settings(max_examples=40, deadline=None)
def test_a_quotient_by_a_constant_is_of_one_row(
    op: Op, found: list[dict[str, Any]], by: int
) -> None:
    alone_and_together(table(found), translate(Call(op, (F, Literal(by)))).expr)


@given(rows, st.sampled_from([Fraction(3), Fraction(7, 10), Fraction(2, 3), Fraction(1, 100)]))
@settings(max_examples=60, deadline=None)
def test_a_coded_value_is_of_one_row(found: list[dict[str, Any]], step: Fraction) -> None:
    measure = Measure(MeasureKind.SUM, F, -50 * step, 50 * step, step)
    alone_and_together(table(found), coded(measure, Typed(pl.col("f"), Kind.FLOAT)))


@pytest.mark.parametrize("count", [1, 2, 3, 64])
def test_division_rounds_to_the_nearest(count: int) -> None:
    """-34 times the nearest number to 1/3 is another one than -34/3."""
    frame = pl.DataFrame({"a": [-34.0] * count}).with_columns(three=pl.lit(3.0))
    by_constant = divided(pl.col("a"), pl.lit(3.0))
    by_column = divided(pl.col("a"), pl.col("three"))
    for found in (frame.select(by_constant), frame.lazy().select(by_column).collect()):
        assert found.to_series().to_list() == [-34 / 3] * count
