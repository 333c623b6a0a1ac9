"""Interval arithmetic holds every value, and an open end stays open."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from privlab.query.intervals import (
    OPEN,
    Interval,
    hull,
    largest,
    magnitude,
    monotone,
    negated,
    power,
    product,
    reciprocal,
    smallest,
    total,
)

F = Fraction
values = st.fractions(-9, 9, max_denominator=4)


@st.composite
def held(draw: st.DrawFn) -> tuple[Interval, Fraction]:
    """An interval and a value in it."""
    value = draw(values)
    low, high = draw(st.none() | st.fractions(0, 5)), draw(st.none() | st.fractions(0, 5))
    return Interval(
        None if low is None else value - low, None if high is None else value + high
    ), value


def inside(interval: Interval, value: Fraction) -> bool:
    above = interval.low is None or interval.low <= value
    return above and (interval.high is None or value <= interval.high)


@given(one=held(), two=held(), times=st.integers(1, 4))
def test_what_values_make_lies_in_what_intervals_make(
    one: tuple[Interval, Fraction], two: tuple[Interval, Fraction], times: int
) -> None:
    (a, x), (b, y) = one, two
    assert inside(total([a, b]), x + y)
    assert inside(product(a, b), x * y)
    assert inside(negated(a), -x)
    assert inside(magnitude(a), abs(x))
    assert inside(power(a, times), x**times)
    assert inside(largest([a, b]), max(x, y))
    assert inside(smallest([a, b]), min(x, y))
    assert inside(hull([a, b]), x)
    assert inside(monotone(a, lambda end: 3 * end), 3 * x)
    if x:
        assert inside(reciprocal(a), 1 / x)


def test_bounds_are_as_near_as_they_can_be() -> None:
    assert product(Interval(F(-2), F(3)), Interval(F(-5), F(7))) == Interval(F(-15), F(21))
    assert power(Interval(F(-2), F(3)), 2) == Interval(F(0), F(9))
    assert reciprocal(Interval(F(2), None)) == Interval(F(0), F(1, 2))
    assert reciprocal(Interval(F(0), F(1))) == OPEN
    assert product(Interval(F(0), F(0)), OPEN) == Interval(F(0), F(0))
    assert product(Interval(F(0), None), Interval(F(1), F(2))) == Interval(F(0), None)


def test_an_interval_that_holds_nothing_does_not_widen_others() -> None:
    assert hull([Interval(F(3), F(2)), Interval(F(0), F(1))]) == Interval(F(0), F(1))
