"""Promises about row expressions over every operation: one form, bounds, nulls, and groups."""

from __future__ import annotations

import math
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from privlab.engine.reference_expressions import evaluate as engine
from privlab.errors import BadQuery
from privlab.query.ask import Source, Span, Surface
from privlab.query.encoding import decode_expr, encode_expr
from privlab.query.evaluate import evaluate
from privlab.query.kinds import columns_of, kind_of, parts_of
from privlab.query.passes.infer_interval import infer_interval
from privlab.query.passes.infer_null import can_be_null
from privlab.query.passes.key_space import key_space
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Call, Expr, Op
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Column, Kind, Scalar, Table
from tests.engine.row_shapes import anything, conditions, numbers

CLOCK = st.datetimes(datetime(2023, 1, 1), datetime(2023, 12, 31))  # noqa: DTZ001
DAY = st.dates(date(2023, 1, 1), date(2023, 12, 31))
DECIMAL = st.fractions(-10, 10, max_denominator=8)
VALUES: dict[str, tuple[Kind, st.SearchStrategy[Any], dict[str, Any]]] = {
    "b": (Kind.BOOL, st.booleans(), {}),
    "k": (Kind.BOOL, st.none() | st.booleans(), {"nullable": True}),
    "i": (Kind.INT, st.integers(-3, 5), {"low": Fraction(-3), "high": Fraction(5)}),
    "j": (
        Kind.INT,
        st.none() | st.integers(0, 4),
        {"low": Fraction(0), "high": Fraction(4), "nullable": True},
    ),
    "f": (Kind.FLOAT, DECIMAL, {"low": Fraction(-10), "high": Fraction(10)}),
    "g": (Kind.FLOAT, st.none() | DECIMAL, {"nullable": True}),
    "t": (Kind.TEXT, st.sampled_from(["a", "B1", "12"]), {"keys": ("a", "B1", "12")}),
    "u": (
        Kind.TEXT,
        st.none() | st.sampled_from(["", "%x", "2024-02-29"]),
        {"keys": ("", "%x", "2024-02-29"), "nullable": True},
    ),
    "d": (Kind.DATE, DAY, {"low": date(2023, 1, 1), "high": date(2023, 12, 31)}),
    "e": (
        Kind.DATE,
        st.none() | DAY,
        {"low": date(2023, 1, 1), "high": date(2023, 12, 31), "nullable": True},
    ),
    "c": (Kind.DATETIME, CLOCK, {"low": date(2023, 1, 1), "high": date(2023, 12, 31)}),
    "h": (
        Kind.DATETIME,
        st.none() | CLOCK,
        {"low": date(2023, 1, 1), "high": date(2023, 12, 31), "nullable": True},
    ),
}
TABLE = Table(
    dataset="x",
    name="x",
    version=1,
    unit="p",
    unit_word="p",
    bound=ContributionBound(1, 1, 1),
    row_cap=1_000,
    columns=tuple(
        Column(name, kind, **{"nullable": False, **facts})
        for name, (kind, _, facts) in VALUES.items()
    ),
)
rows = st.fixed_dictionaries({name: values for name, (_, values, _) in VALUES.items()})
quiet = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
Row = dict[str, Scalar | None]


def floats(row: Row) -> dict[str, Any]:
    return {name: float(v) if isinstance(v, Fraction) else v for name, v in row.items()}


def inexact(expr: Expr) -> bool:
    """Whether rounding may decide: a division, or a function that is not exact."""
    rough = {Op.DIVIDE, Op.SQRT, Op.LN, Op.EXP, Op.MOD, Op.REMAINDER, Op.FLOOR_DIV, Op.TRUNC_DIV}
    rough |= {Op.ROUND, Op.ROUND_EVEN, Op.MUL, Op.ADD, Op.SUB, Op.PARSE_FLOAT}
    return any(isinstance(part, Call) and part.op in rough for part in parts_of(expr))


@quiet
@given(expr=anything, row=rows)
def test_the_one_form_has_the_same_exact_value(expr: Expr, row: Row) -> None:
    form = normalise(expr)
    meant = evaluate(expr, row)
    found = evaluate(form, row)
    numbers_ = [v for v in (meant, found) if isinstance(v, (int, Fraction))]
    assume(all(abs(Fraction(v)) < 1 << 62 for v in numbers_))
    if kind_of(form) is Kind.FLOAT and meant is not None and found is not None:
        assert math.isclose(float(meant), float(found))  # type: ignore[arg-type]
    else:
        assert found == meant


@quiet
@given(expr=anything)
def test_the_one_form_is_its_own(expr: Expr) -> None:
    form = normalise(expr)
    assert normalise(form) == form
    assert decode_expr(encode_expr(form)) == form


@quiet
@given(expr=anything, row=rows)
def test_where_nothing_is_rounded_the_engine_has_the_exact_value(expr: Expr, row: Row) -> None:
    form = normalise(expr)
    if inexact(form):
        return
    meant = evaluate(form, row)
    found = engine(form, floats(row))
    if isinstance(meant, (int, Fraction)) and not isinstance(meant, bool):
        assert found is None or math.isclose(found, float(meant))
        assert found is not None or abs(Fraction(meant)) >= 1 << 63
    else:
        assert found == meant


@quiet
@given(expr=numbers, where=conditions, row=rows)
def test_a_value_lies_in_its_interval(expr: Expr, where: Expr, row: Row) -> None:
    """On rows in the stated ranges that pass."""
    expr, where = normalise(expr), normalise(where)
    if evaluate(where, row) is not True:
        where = normalise(Call(Op.IS_NULL, (expr,)))
    value = evaluate(expr, row)
    if isinstance(value, (int, Fraction)):
        interval = infer_interval(expr, TABLE, where if evaluate(where, row) is True else None)
        slack = Fraction(1, 10**9) * max(1, abs(Fraction(value)))
        assert interval.low is None or interval.low - slack <= value
        assert interval.high is None or value <= interval.high + slack


@quiet
@given(expr=anything, where=conditions, row=rows)
def test_what_cannot_be_null_is_not(expr: Expr, where: Expr, row: Row) -> None:
    expr, where = normalise(expr), normalise(where)
    known = where if evaluate(where, row) is True else None
    if not can_be_null(expr, TABLE, known):
        shifts = {Op.ADD_DAYS, Op.ADD_MONTHS}
        far = any(isinstance(part, Call) and part.op in shifts for part in parts_of(expr))
        assert far or evaluate(expr, row) is not None


SOURCE = Source("x", Surface.SQL)


@quiet
@given(expr=anything, where=conditions, row=rows)
def test_a_row_that_passes_has_its_cell(expr: Expr, where: Expr, row: Row) -> None:
    """Whatever may be grouped by: no row in the stated ranges is left without a group."""
    expr, where = normalise(expr), normalise(where)
    if not columns_of(expr) or kind_of(expr) is None:
        return
    known = where if evaluate(where, row) is True else None
    try:
        key = key_space(expr, TABLE, known, SOURCE, Span(0, 1))
    except BadQuery:
        return
    if not key.public:  # rows tell which values there are
        return
    assert len(set(key.values)) == len(key.values)
    value = evaluate(expr, row)
    if value is None and not can_be_null(expr, TABLE, known):
        return  # a date outside the calendar
    assert value in key.values
