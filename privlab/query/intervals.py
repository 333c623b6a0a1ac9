"""Intervals of exact numbers, and what arithmetic makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Interval:
    """Inclusive ends; None is open.  Dates are ordinals, times their day's ordinal."""

    low: Fraction | None = None
    high: Fraction | None = None

    def within(self, other: Interval) -> Interval:
        """Both hold.  Ends may cross when nothing satisfies both."""
        lows = [end for end in (self.low, other.low) if end is not None]
        highs = [end for end in (self.high, other.high) if end is not None]
        return Interval(max(lows, default=None), min(highs, default=None))


OPEN = Interval()
ZERO = Fraction(0)


def total(terms: Iterable[Interval]) -> Interval:
    """The sum of one value of each."""
    parts = list(terms)
    return Interval(_added([one.low for one in parts]), _added([one.high for one in parts]))


def _added(ends: list[Fraction | None]) -> Fraction | None:
    known = [end for end in ends if end is not None]
    return sum(known, ZERO) if len(known) == len(ends) else None


def negated(arg: Interval) -> Interval:
    """Minus a value."""
    return Interval(None if arg.high is None else -arg.high, None if arg.low is None else -arg.low)


def magnitude(arg: Interval) -> Interval:
    """The absolute value."""
    low, high = arg.low, arg.high
    if low is not None and low >= 0:
        return arg
    if high is not None and high <= 0:
        return negated(arg)
    return Interval(ZERO, None if low is None or high is None else max(-low, high))


def product(one: Interval, two: Interval) -> Interval:
    """A value of each, multiplied; an open end is infinite, and zero times it zero."""
    ends = [_times(a, b) for a in _ends(one) for b in _ends(two)]
    lows = [end for end in ends if end is not None]
    below = any(_infinite(a, b) < 0 for a in _ends(one) for b in _ends(two))
    above = any(_infinite(a, b) > 0 for a in _ends(one) for b in _ends(two))
    return Interval(None if below else min(lows), None if above else max(lows))


End = tuple[int, Fraction]
"""(0, a number) or (-1 or 1, zero): minus or plus infinity."""


def _ends(arg: Interval) -> tuple[End, End]:
    low: End = (-1, ZERO) if arg.low is None else (0, arg.low)
    high: End = (1, ZERO) if arg.high is None else (0, arg.high)
    return low, high


def _sign(end: End) -> int:
    return end[0] or (end[1] > 0) - (end[1] < 0)


def _infinite(a: End, b: End) -> int:
    """The sign of a product that is infinite, else 0."""
    return _sign(a) * _sign(b) if a[0] or b[0] else 0


def _times(a: End, b: End) -> Fraction | None:
    return None if _infinite(a, b) else a[1] * b[1]


def power(base: Interval, exponent: int) -> Interval:
    """A value times itself; an even power is not negative."""
    if exponent == 1:
        return base
    if exponent % 2:
        return Interval(
            None if base.low is None else base.low**exponent,
            None if base.high is None else base.high**exponent,
        )
    size = magnitude(base)
    low = ZERO if size.low is None else size.low**exponent
    return Interval(low, None if size.high is None else size.high**exponent)


def reciprocal(arg: Interval) -> Interval:
    """One by a value; open when the value can be near zero."""
    low, high = arg.low, arg.high
    if low is not None and low > 0:
        return Interval(ZERO if high is None else 1 / high, 1 / low)
    if high is not None and high < 0:
        return Interval(1 / high, ZERO if low is None else 1 / low)
    return OPEN


def hull(parts: Iterable[Interval]) -> Interval:
    """A value of any of them.  Parts that hold no value do not count."""
    every = list(parts)
    known = [one for one in every if one.low is None or one.high is None or one.low <= one.high]
    known = known or every
    lows = [one.low for one in known]
    highs = [one.high for one in known]
    return Interval(
        None if None in lows else min((end for end in lows if end is not None), default=None),
        None if None in highs else max((end for end in highs if end is not None), default=None),
    )


def largest(parts: Iterable[Interval]) -> Interval:
    """The largest of a value of each."""
    every = list(parts)
    lows = [one.low for one in every if one.low is not None]
    return Interval(max(lows, default=None), hull(every).high)


def smallest(parts: Iterable[Interval]) -> Interval:
    """The smallest of a value of each."""
    return negated(largest(negated(one) for one in parts))


def monotone(arg: Interval, function: Callable[[Fraction], Any]) -> Interval:
    """The image under a function that never falls; None of it is open."""

    def image(end: Fraction | None) -> Fraction | None:
        found = None if end is None else function(end)
        return None if found is None else Fraction(found)

    return Interval(image(arg.low), image(arg.high))
