"""Interval arithmetic: what a function can be where its arguments can be anything inside.

Ends are Fractions rounded outwards, None where there is no end.  A box that is
None says nothing at all, not even that there is a value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from privlab.query.post.roots import exp_ends, ln_ends, sqrt_down, sqrt_up

End = Fraction | None
Box = tuple[End, End]
"""low and high; None is no end."""

ALL: Box = (None, None)
GRID = 160
"""Bits behind the point of an end that was rounded."""

MOST = Fraction(10) ** 30
"""Ends beyond are none."""


def point(value: Fraction) -> Box:
    return value, value


def outward(low: End, high: End) -> Box:
    """Ends on a grid, so that they do not grow with every operation."""
    if low is not None:
        low = None if low < -MOST else _down(low)
    if high is not None:
        high = None if high > MOST else _up(high)
    return low, high


def _down(value: Fraction) -> Fraction:
    if value.denominator.bit_length() <= GRID:
        return value
    return Fraction((value.numerator << GRID) // value.denominator, 1 << GRID)


def _up(value: Fraction) -> Fraction:
    return -_down(-value)


def least(ends: Sequence[End]) -> End:
    """The least of lower ends."""
    known = [end for end in ends if end is not None]
    return min(known) if len(known) == len(ends) else None


def most(ends: Sequence[End]) -> End:
    """The greatest of upper ends."""
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def hull(boxes: Sequence[Box]) -> Box:
    """What any of them allows."""
    return least([low for low, _ in boxes]), most([high for _, high in boxes])


def within(box: Box, sure: Box) -> Box:
    """``box`` and a range that is certain.

    Where they do not meet, the box is wrong: then all of the range, or its only end.
    """
    low = max((end for end in (box[0], sure[0]) if end is not None), default=None)
    high = min((end for end in (box[1], sure[1]) if end is not None), default=None)
    if low is None or high is None or low <= high:
        return low, high
    only = sure[1] if sure[0] is None else sure[0] if sure[1] is None else None
    return sure if only is None else (only, only)


def clamped(value: Fraction, box: Box) -> Fraction:
    """The value of ``box`` that is nearest to ``value``."""
    low, high = box
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def add(a: Box, b: Box) -> Box:
    low = None if a[0] is None or b[0] is None else a[0] + b[0]
    high = None if a[1] is None or b[1] is None else a[1] + b[1]
    return outward(low, high)


def neg(a: Box) -> Box:
    return None if a[1] is None else -a[1], None if a[0] is None else -a[0]


def mul(a: Box, b: Box) -> Box:
    """Products of ends; zero times no end is zero."""
    lows: list[End] = []
    highs: list[End] = []
    for x, left in zip(a, (True, False), strict=True):
        for y, under in zip(b, (True, False), strict=True):
            low, high = _product(x, y, left, under)
            lows.append(low)
            highs.append(high)
    return outward(least(lows), most(highs))


def _product(x: End, y: End, left: bool, under: bool) -> Box:
    """The product of two ends as a candidate for the lower and the upper end."""
    if x is not None and y is not None:
        return point(x * y)
    if x == 0 or y == 0:
        return point(Fraction(0))
    signs = [
        (-1 if low else 1) if end is None else (-1 if end < 0 else 1)
        for end, low in ((x, left), (y, under))
    ]
    big = MOST * MOST  # stands for no end: `outward` takes it away again
    return point(big if signs[0] == signs[1] else -big)


def divide(a: Box, b: Box) -> Box | None:
    """None where the divisor can be zero."""
    low, high = b
    if low is not None and low > 0:
        return mul(a, (Fraction(0) if high is None else 1 / high, 1 / low))
    if high is not None and high < 0:
        return mul(a, (1 / high, Fraction(0) if low is None else 1 / low))
    return None


def absolute(a: Box) -> Box:
    low, high = a
    if low is not None and low >= 0:
        return a
    if high is not None and high <= 0:
        return neg(a)
    top = None if low is None or high is None else max(-low, high)
    return Fraction(0), top


def monotone(a: Box, function: Callable[[Fraction], Fraction]) -> Box:
    """Of a function that never falls."""
    return tuple(None if end is None else function(end) for end in a)  # type: ignore[return-value]


def root(a: Box) -> Box | None:
    """Square roots; None where there is none."""
    low, high = a
    if high is not None and high < 0:
        return None
    low = Fraction(0) if low is None or low < 0 else sqrt_down(low)
    return outward(low, None if high is None else sqrt_up(high))


def logarithm(a: Box) -> Box | None:
    low, high = a
    if high is not None and high <= 0:
        return None
    bottom = None if low is None or low <= 0 else ln_ends(low)[0]
    return outward(bottom, None if high is None else ln_ends(high)[1])


def exponential(a: Box) -> Box:
    low, high = a
    top = None if high is None else exp_ends(high)
    bottom = None if low is None else exp_ends(low)
    return outward(Fraction(0) if bottom is None else bottom[0], None if top is None else top[1])


def power(a: Box, exponent: int) -> Box | None:
    """A whole power; None where zero would be divided by."""
    if exponent < 0:
        below = power(a, -exponent)
        return None if below is None else divide(point(Fraction(1)), below)
    if exponent == 0:
        return point(Fraction(1))
    base = absolute(a) if exponent % 2 == 0 else a
    return outward(*monotone(base, lambda end: end**exponent))


def rounded(value: Fraction, digits: int) -> Fraction:
    """Rounded to decimals, halves away from zero."""
    scale = Fraction(10) ** digits
    size = math.floor(abs(value) * scale + Fraction(1, 2)) / scale
    return -size if value < 0 else size


def compare(a: Box, b: Box) -> tuple[bool, bool, bool]:
    """Whether a value of ``a`` can be below, equal to, and above one of ``b``."""
    below = a[0] is None or b[1] is None or a[0] < b[1]
    above = a[1] is None or b[0] is None or a[1] > b[0]
    apart = (a[1] is not None and b[0] is not None and a[1] < b[0]) or (
        b[1] is not None and a[0] is not None and b[1] < a[0]
    )
    return below, not apart, above
