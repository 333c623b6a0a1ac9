"""Row expressions: Polars and plain Python agree on every value, and neither ever fails."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

import math
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.connector.scan import DTYPES
from privlab.engine.expressions import translate
from privlab.engine.reference import evaluate, steps
from privlab.engine.steps import coded
from privlab.query.plan import Call, Expr, Literal, Measure, MeasureKind, Op, Ref
from privlab.terms.catalog import Kind

INT64 = st.integers(-(2**63), 2**63 - 1)
NUMBERS = st.integers(-5, 5) | INT64
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
CLOCKS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.5, -0.0, 2.0, 0.1])
TEXTS = st.text(max_size=3)

COLUMNS: dict[str, tuple[Kind, st.SearchStrategy[Any]]] = {
    "b": (Kind.BOOL, st.booleans()),
    "i": (Kind.INT, NUMBERS),
    "j": (Kind.INT, NUMBERS),
    "f": (Kind.FLOAT, FLOATS),
    "g": (Kind.FLOAT, FLOATS),
    "t": (Kind.TEXT, TEXTS),
    "d": (Kind.DATE, DAYS),
    "c": (Kind.DATETIME, CLOCKS),
}
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, values) in COLUMNS.items()}),
    min_size=1,
    max_size=6,
)


def ref(*names: str) -> st.SearchStrategy[Expr]:
    return st.sampled_from([Ref(name, COLUMNS[name][0]) for name in names])


def literal(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Expr]:
    return values.map(Literal)


fractions = st.fractions(-100, 100, max_denominator=40) | st.sampled_from(
    [Fraction(1, 10), Fraction(10) ** 400, -(Fraction(10) ** 400), Fraction(2**63), Fraction(1, 3)]
)
wide = st.integers(-(2**70), 2**70)
constants = literal(NUMBERS | wide) | literal(fractions)
days = ref("d", "c") | literal(DAYS) | literal(CLOCKS)


def calls(ops: list[Op], *args: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.builds(lambda op, parts: Call(op, parts), st.sampled_from(ops), st.tuples(*args))


numbers = st.recursive(
    ref("i", "j", "f", "g") | constants | calls([Op.YEAR, Op.MONTH, Op.DAY], ref("d", "c")),
    lambda inner: (
        calls([Op.ADD, Op.SUB, Op.MUL], inner, inner)
        | calls([Op.ADD, Op.MUL], inner, inner, inner)
        | calls([Op.NEG, Op.ABS], inner)
        | st.builds(
            lambda value, low, high: Call(Op.CLIP, (value, Literal(low), Literal(high))),
            inner,
            st.none() | fractions | NUMBERS,
            st.none() | fractions | NUMBERS,
        )
    ),
    max_leaves=5,
)
grains = calls([Op.WEEK, Op.TO_MONTH, Op.TO_DATE], ref("d", "c"))
compare = [Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE]
tests = (
    ref("b")
    | calls(compare, numbers, numbers)
    | calls(compare, ref("t"), ref("t") | literal(TEXTS))
    | calls(compare, days, days)
    | calls(compare, grains, days)
    | calls([Op.EQ, Op.NE], ref("b"), literal(st.booleans()))
    | calls([Op.IS_NULL], numbers | days | ref("t", "b"))
    | st.builds(
        lambda value, listed: Call(Op.IS_IN, (value, *listed)),
        ref("i", "f"),
        st.lists(constants, min_size=1, max_size=4),
    )
    | st.builds(
        lambda value, listed: Call(Op.IS_IN, (value, *listed)),
        ref("d", "c"),
        st.lists(literal(DAYS) | literal(CLOCKS), min_size=1, max_size=4),
    )
    | st.builds(
        lambda value, listed: Call(Op.IS_IN, (value, *listed)),
        ref("t"),
        st.lists(literal(TEXTS), min_size=1, max_size=4),
    )
)
conditions = st.recursive(
    tests,
    lambda inner: (
        calls([Op.AND, Op.OR], inner, inner)
        | calls([Op.AND, Op.OR], inner, inner, inner)
        | calls([Op.NOT], inner)
    ),
    max_leaves=4,
)


def in_polars(table: list[dict[str, Any]], *exprs: pl.Expr) -> list[list[Any]]:
    schema = {name: DTYPES[kind] for name, (kind, _) in COLUMNS.items()}
    lazy = pl.DataFrame(table, schema=schema).lazy()
    marked = [expr.alias(str(n)) for n, expr in enumerate(exprs)]
    found = lazy.with_columns(marked).select(map(str, range(len(exprs)))).collect()
    return [column.to_list() for column in found.get_columns()]


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, int | Fraction | float):
        try:
            right = float(right)
        except OverflowError:
            right = math.copysign(math.inf, right)
        return left == right
    return type(left) is type(right) and bool(left == right)


@settings(max_examples=150, deadline=None)
@given(table=rows, expr=numbers)
def test_numbers_agree_with_plain_python(table: list[dict[str, Any]], expr: Expr) -> None:
    found = in_polars(table, translate(expr).expr)[0]

    expected = [evaluate(expr, row) for row in table]
    if not isinstance(expr, Literal):
        assert all(same(a, b) for a, b in zip(found, expected, strict=True)), (found, expected)


@settings(max_examples=200, deadline=None)
@given(table=rows, expr=conditions)
def test_conditions_agree_with_plain_python(table: list[dict[str, Any]], expr: Expr) -> None:
    found = in_polars(table, translate(expr).expr)[0]

    assert found == [evaluate(expr, row) for row in table]


@settings(max_examples=60, deadline=None)
@given(table=rows, expr=grains)
def test_days_agree_with_plain_python(table: list[dict[str, Any]], expr: Expr) -> None:
    """No date that a part can hold fails, not even the first and the last week."""
    found = in_polars(table, translate(expr).expr)[0]

    assert found == [evaluate(expr, row) for row in table]


measures = st.builds(
    lambda low, width, step, centre: Measure(
        MeasureKind.SUM,
        None,
        step * low,
        step * (low + width),
        step,
        step * centre,
    ),
    st.integers(-(10**6), 10**6),
    st.integers(1, 10**6),
    st.sampled_from([Fraction(1), Fraction(1, 100), Fraction(5), Fraction(3, 7), Fraction(1, 4)]),
    st.integers(-5, 5),
)


@settings(max_examples=150, deadline=None)
@given(table=rows, measure=measures, expr=ref("i", "f") | numbers)
def test_coded_values_agree_and_never_leave_the_radius(
    table: list[dict[str, Any]], measure: Measure, expr: Expr
) -> None:
    """Whatever a row holds, it adds an integer in [-radius, radius], or nothing."""
    found = in_polars(table, coded(measure, translate(expr)))[0]

    for value, row in zip(found, table, strict=True):
        plain = evaluate(expr, row)
        if isinstance(plain, Fraction) or (isinstance(plain, int) and isinstance(expr, Literal)):
            continue  # a bare constant, which no plan sums
        assert value == (None if plain is None else steps(measure, plain))
        assert value is None or -measure.radius <= value <= measure.radius


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None), (float("inf"), 240), (float("-inf"), -8), (0.124, 0), (0.125, 1),
        (-0.125, 0), (-0.126, -1), (59.9, 240), (1e308, 240), (None, None),
    ],
)  # fmt: skip
def test_quantising_follows_the_rule_of_the_design(
    value: float | None, expected: int | None
) -> None:
    """Null and NaN dropped, clamped, floor(x * scale + 0.5)."""
    measure = Measure(MeasureKind.SUM, None, Fraction(-2), Fraction(60), Fraction(1, 4))
    table = [dict.fromkeys(COLUMNS) | {"f": value}]

    assert in_polars(table, coded(measure, translate(Ref("f", Kind.FLOAT))))[0] == [expected]


def test_kinds_that_do_not_compare_are_an_error_of_the_plan() -> None:
    with pytest.raises(TypeError):
        translate(Call(Op.EQ, (Ref("t", Kind.TEXT), Literal(1))))
    with pytest.raises(TypeError):
        translate(Call(Op.ADD, (Ref("t", Kind.TEXT), Literal(1))))
