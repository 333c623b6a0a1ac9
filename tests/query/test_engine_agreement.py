"""The compiler, the engine's plain-Python reference and Polars mean the same.

Folding constants and leaving key cells away are only right if the engine gives
an expression the value that ``evaluate.py`` gives it.
"""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings

from privlab.engine import reference
from privlab.engine.expressions import translate
from privlab.query.evaluate import evaluate
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Expr
from tests.query.shapes import Row, conditions, numbers, rows

SCHEMA = {
    "age": pl.Int64,
    "stay_days": pl.Int64,
    "cost": pl.Float64,
    "sex": pl.String,
    "urgent": pl.Boolean,
    "admitted": pl.Date,
    "seen": pl.Datetime("us"),
}


def floats(row: Row) -> dict[str, object]:
    return {name: float(v) if isinstance(v, Fraction) else v for name, v in row.items()}


def same(expr: Expr, row: Row) -> None:
    meant = evaluate(expr, row)
    plain = reference.evaluate(expr, floats(row))
    frame = pl.DataFrame([floats(row)], schema=SCHEMA)
    computed = frame.select(x=translate(expr).expr)["x"][0]
    for found in (plain, computed):
        if isinstance(meant, (int, Fraction)) and not isinstance(meant, bool):
            assert found == pytest.approx(float(meant))
        else:
            assert found == meant


@settings(deadline=None, max_examples=60)
@given(expr=conditions, row=rows)
def test_conditions_are_the_same_everywhere(expr: Expr, row: Row) -> None:
    same(normalise(expr), row)


@settings(deadline=None, max_examples=60)
@given(expr=numbers, row=rows)
def test_numbers_are_the_same_everywhere(expr: Expr, row: Row) -> None:
    same(normalise(expr), row)
