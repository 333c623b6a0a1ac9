"""Interval arithmetic holds what its functions give."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.query.post import boxes, functions
from privlab.query.post.roots import exp_ends, ln_ends, sqrt_down, sqrt_up
from privlab.query.post.tree import OutOp

NUMBERS = st.fractions(-50, 50, max_denominator=12)
BOXES = st.tuples(NUMBERS, NUMBERS).map(lambda pair: (min(pair), max(pair)))
PLACES = st.fractions(0, 1, max_denominator=7)
UNARY = [OutOp.ABS, OutOp.SIGN, OutOp.FLOOR, OutOp.TRUNC, OutOp.SQRT, OutOp.LN, OutOp.EXP]
BINARY = [OutOp.ADD, OutOp.MUL, OutOp.DIVIDE, OutOp.LEAST, OutOp.GREATEST]


@settings(deadline=None, max_examples=300)
@given(op=st.sampled_from(UNARY + BINARY), one=BOXES, two=BOXES, at=PLACES, to=PLACES)
def test_every_value_is_in_the_box(
    op: OutOp,
    one: tuple[Fraction, Fraction],
    two: tuple[Fraction, Fraction],
    at: Fraction,
    to: Fraction,
) -> None:
    inside = [low + part * (high - low) for (low, high), part in ((one, at), (two, to))]
    args = inside[: 1 if op in UNARY else 2]
    found = functions.box(op, [one, two][: len(args)], [None, None])
    value = functions.number(functions.value(op, args))
    if value is None or found is None:
        return
    low, high = found
    assert low is None or low <= value
    assert high is None or value <= high


@given(base=BOXES, at=PLACES, exponent=st.integers(0, 4))
def test_powers_are_in_their_box(
    base: tuple[Fraction, Fraction], at: Fraction, exponent: int
) -> None:
    value = base[0] + at * (base[1] - base[0])
    found = boxes.power(base, exponent)
    assert found is not None
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] <= value**exponent <= found[1]


@given(a=BOXES, b=BOXES, at=PLACES, to=PLACES)
def test_comparisons_can_be_what_they_are(
    a: tuple[Fraction, Fraction], b: tuple[Fraction, Fraction], at: Fraction, to: Fraction
) -> None:
    x, y = a[0] + at * (a[1] - a[0]), b[0] + to * (b[1] - b[0])
    for op in functions.COMPARISONS:
        assert functions.condition(op, [x, y]) in functions.outcomes(op, [a, b])


@given(value=st.fractions(Fraction(1, 1000), 1000, max_denominator=1000))
def test_roots_and_logarithms_are_between_their_ends(value: Fraction) -> None:
    assert sqrt_down(value) ** 2 <= value <= sqrt_up(value) ** 2
    low, high = ln_ends(value)
    assert float(low) == pytest.approx(math.log(value), abs=1e-12)
    assert low < high
    ends = exp_ends(value)
    assert (ends is None) is (value > 70)
    if ends is not None:
        assert float(ends[0]) == pytest.approx(math.exp(value), rel=1e-12)


def test_dividing_by_what_may_be_zero_says_nothing() -> None:
    assert boxes.divide((Fraction(1), Fraction(2)), (Fraction(-1), Fraction(1))) is None


def test_what_misses_the_certain_range_is_all_of_it_or_its_only_end() -> None:
    one = (Fraction(5), Fraction(6))
    assert boxes.within(one, (Fraction(0), Fraction(1))) == (0, 1)
    assert boxes.within((Fraction(-5), Fraction(-4)), (Fraction(0), None)) == (0, 0)
    assert boxes.within(one, (Fraction(0), None)) == one
