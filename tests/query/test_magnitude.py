"""Magnitudes: exact at every power of two, monotone, and the same wherever they are worked out."""

from __future__ import annotations

import math
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.engine.expressions.translate import translate
from privlab.engine.reference_expressions import evaluate as in_reference
from privlab.query.evaluate import evaluate as exactly
from privlab.query.magnitude import FIRST, LAST, MOST, ONE, magnitude_of, magnitudes, reach
from privlab.query.plan import Call, Op, Ref
from privlab.terms.catalog import Kind

FLOATS = [0.0, -0.0, 5e-324, -5e-324, math.inf, -math.inf, 1.7e308, 0.1]
FLOATS += [
    sign * near
    for exponent in range(FIRST - 3, LAST + 4)
    for near in (
        2.0**exponent,
        math.nextafter(2.0**exponent, 0),
        math.nextafter(2.0**exponent, 9e99),
    )
    for sign in (1, -1)
]
INTS = [0, -(2**63), 2**63 - 1, 1 - 2**63]
INTS += [
    sign * (2**exponent + by) for exponent in range(62) for by in (-1, 0, 1) for sign in (1, -1)
]


def counted(value: int | float) -> int:
    """The definition, power by power."""
    powers = [Fraction(2) ** exponent for exponent in range(FIRST, LAST + 1)]
    return sum(value >= power for power in powers) - sum(value <= -power for power in powers)


def in_polars(values: list[float | int | None], kind: Kind) -> list[int | None]:
    expr = translate(Call(Op.MAGNITUDE, (Ref("x", kind),))).expr
    dtype = pl.Int64 if kind is Kind.INT else pl.Float64
    found = pl.DataFrame({"x": values}, schema={"x": dtype}).select(m=expr)["m"]
    assert found.dtype == pl.Int64
    return found.to_list()


@pytest.mark.parametrize(("kind", "values"), [(Kind.FLOAT, FLOATS), (Kind.INT, INTS)])
def test_engine_reference_and_definition_agree_at_every_edge(
    kind: Kind, values: list[float | int]
) -> None:
    call = Call(Op.MAGNITUDE, (Ref("x", kind),))
    wanted = [counted(value) for value in values]
    assert in_polars([*values], kind) == wanted
    assert [in_reference(call, {"x": value}) for value in values] == wanted
    finite = [value for value in values if math.isfinite(value)]
    plain = [int(v) if v == int(v) else Fraction(v) for v in finite]
    assert [exactly(call, {"x": value}) for value in plain] == [counted(v) for v in finite]


def test_null_and_what_is_no_number_have_none() -> None:
    assert in_polars([None, math.nan, 1.0], Kind.FLOAT) == [None, None, ONE]
    assert in_polars([None], Kind.INT) == [None]
    call = Call(Op.MAGNITUDE, (Ref("x", Kind.FLOAT),))
    assert [in_reference(call, {"x": x}) for x in (None, math.nan)] == [None, None]


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_it_never_falls(one: float, two: float) -> None:
    low, high = sorted((magnitude_of(one), magnitude_of(two)))
    assert (low, high) == (magnitude_of(min(one, two)), magnitude_of(max(one, two)))
    assert low >= -MOST


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_whole_number_is_within_the_reach_of_its_magnitude(value: int) -> None:
    size = magnitude_of(value)
    low, high = reach(size, whole=True)
    assert low <= value <= high
    assert (magnitude_of(int(low)), magnitude_of(int(high))) == (size, size)
    assert size in magnitudes(-MOST, MOST, whole=True)


@given(st.floats(2.0**FIRST, 2.0**LAST) | st.floats(-(2.0**LAST), -(2.0**FIRST)))
def test_a_decimal_is_within_the_reach_of_its_magnitude(value: float) -> None:
    low, high = reach(magnitude_of(value), whole=False)
    assert low <= Fraction(value) <= high


def test_there_are_so_many() -> None:
    assert len(magnitudes(-MOST, MOST, whole=False)) == 193
    assert len(magnitudes(-MOST, MOST, whole=True)) == 129
