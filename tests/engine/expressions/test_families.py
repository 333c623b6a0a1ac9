"""Every operation: Polars and plain Python agree to the last bit, and neither ever fails."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from privlab.connector.scan import DTYPES
from privlab.engine.expressions import translate
from privlab.engine.reference_expressions import evaluate
from privlab.query import texts
from privlab.query.kinds import kind_of
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind
from tests.engine.row_shapes import anything, rows, table

T = Ref("t", Kind.TEXT)


def in_polars(found: list[dict[str, Any]], expr: Expr) -> list[Any]:
    typed = translate(expr)
    kind = kind_of(expr)
    assert typed.kind is kind
    column = table(found).lazy().with_columns(found=typed.expr).collect()["found"]
    assert kind is None or column.dtype == DTYPES[kind]
    return column.to_list()


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return left == right and not math.isnan(left)
    return type(left) is type(right) and bool(left == right)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=rows, expr=anything)
def test_every_operation_agrees_with_plain_python(found: list[dict[str, Any]], expr: Expr) -> None:
    computed = in_polars(found, expr)
    expected = [evaluate(expr, row) for row in found]
    assert all(same(a, b) for a, b in zip(computed, expected, strict=True)), (computed, expected)


INT, FLOAT, DAY = Ref("i", Kind.INT), Ref("f", Kind.FLOAT), Ref("d", Kind.DATE)
CONSTANTS = [
    (INT, Literal(1), Literal(2)),
    (FLOAT, Literal(Fraction(1, 2)), Literal(Fraction(7, 3))),
    (DAY, Literal(date(2020, 1, 1)), Literal(date(2021, 1, 1))),
]


@pytest.mark.parametrize("size", [0, 1, 3])
@pytest.mark.parametrize("outer", [Op.GREATEST, Op.LEAST, Op.MAX_OF, Op.MIN_OF, Op.GT, Op.EQ])
@pytest.mark.parametrize("inner", [Op.GREATEST, Op.LEAST, Op.MAX_OF, Op.MIN_OF, Op.COALESCE])
def test_what_is_the_same_in_every_row_meets_columns(inner: Op, outer: Op, size: int) -> None:
    """A choice of constants is folded before; one that stays must not fail either."""
    row = {"i": 2, "f": 2.0, "d": date(2020, 6, 1)}
    found = [dict.fromkeys("bkijfgtudech") | (row if at else {}) for at in range(size)]
    for column, *constants in CONSTANTS:
        one = Call(inner, tuple(constants))
        for args in ((column, one), (one, column), (one, one)):
            expr = Call(outer, args)
            assert in_polars(found, expr) == [evaluate(expr, row) for row in found]


def test_letters_of_all_of_unicode_have_one_case() -> None:
    """Whatever Unicode this Python knows."""
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    letters += ["ΑΣ", "ΑΣ ", "ΣΑ", "Σ", "Α.Σ", "ΑΣ\u0301", "Α\u0301Σ", "ΑΣΑ", "aΣ'b", "aΣ'"]
    column = pl.Series(letters)
    assert column.str.to_lowercase().to_list() == [texts.lower(one) for one in letters]
    assert column.str.to_uppercase().to_list() == [texts.upper(one) for one in letters]


def test_spaces_are_those_that_polars_strips() -> None:
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    stripped = pl.Series(letters).str.strip_chars().to_list()
    spaces = {one for one, left in zip(letters, stripped, strict=True) if not left}
    assert spaces == set(texts.SPACES)


@pytest.mark.parametrize(
    "form", ["_" * 1_000, "a%" * 500, "%" + "_" * 998 + "%", "日" * 1_000, "%a_" * 333, "\x00%\\%"]
)
def test_long_patterns_are_matched_and_never_fail(form: str) -> None:
    form = texts.pattern(form, None) or ""
    found = [{"t": text} for text in ("", "a" * 1_000, "b", None, "aab" * 400, "日" * 1_000)]
    rows_ = [dict.fromkeys("bkijfgtudech") | row for row in found]
    expr = Call(Op.LIKE, (T, Literal(form)))
    assert in_polars(rows_, expr) == [evaluate(expr, row) for row in rows_]
