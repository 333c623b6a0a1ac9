"""Tails of the normal law between two whole numbers, however far out.

``Q(x) = P(N(0, 1) > x)`` is held as ``exp(x^2 / 2) Q(x)``, which falls from 1/2
only as slowly as 1 / x: tails are compared by their ratio, and none is lost.
An argument is a distance in steps over the root of a variance, so that its
square is a fraction.  What 96 bits do not decide is said to be undecided.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from privlab.accuracy.exponential import exp_minus

BITS = 96
"""Bits behind the point of a tail."""

_WORK = 192
_NEAR = 36
"""Squares up to this are summed; larger ones are continued fractions."""

_DEPTH = 96
_PI = 0x3243F6A8885A308D313198A2E03707344A4093822299F31D0
"""floor(2^192 pi)."""

_ROOT_LOW = math.isqrt((1 << (3 * _WORK)) // (2 * _PI + 2))
_ROOT_HIGH = math.isqrt((1 << (3 * _WORK)) // (2 * _PI)) + 1
"""Around 2^192 / sqrt(2 pi)."""


@lru_cache(maxsize=4096)
def tail(distance: Fraction, variance: Fraction) -> tuple[int, int]:
    """Whole numbers around ``2^96 P(N(0, variance) > distance)``, at most 5 apart.

    distance: of either sign, in steps; variance: positive, in steps^2.
    """
    square = distance**2 / variance
    low, high = _product(exp_minus(square / 2, BITS), _scaled(square))
    if distance < 0:
        return (1 << BITS) - high, (1 << BITS) - low
    return low, high


def compare_tails(far: Fraction, near: Fraction, variance: Fraction, share: Fraction) -> int:
    """The sign of ``P(N > far) - share P(N > near)`` for N of this variance.

    far, near: distances in steps, ``far >= near``, of either sign; share: in (0, 1).
    0 where 96 bits do not tell.
    """
    if near < 0:
        left, right = tail(far, variance), tail(near, variance)
    else:
        beyond = exp_minus((far**2 - near**2) / (2 * variance), BITS)
        left = _product(beyond, _scaled(far**2 / variance))
        right = _scaled(near**2 / variance)
    if left[0] * share.denominator > right[1] * share.numerator:
        return 1
    if left[1] * share.denominator < right[0] * share.numerator:
        return -1
    return 0


def _product(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return a[0] * b[0] >> BITS, -(-a[1] * b[1] >> BITS)


@lru_cache(maxsize=4096)
def _scaled(square: Fraction) -> tuple[int, int]:
    """Whole numbers around ``2^96 exp(square / 2) Q(sqrt(square))``."""
    low = (square.numerator << _WORK) // square.denominator
    root = math.isqrt((square.numerator << (2 * _WORK)) // square.denominator)
    ends = _near(low, root, square) if square <= _NEAR else _far(root)
    return ends[0] >> (_WORK - BITS), -(-ends[1] >> (_WORK - BITS))


def _near(square: int, root: int, exact: Fraction) -> tuple[int, int]:
    """exp(s / 2) / 2 - sum_k s^(k + 1/2) / (1 * 3 * ... * (2k + 1)) / sqrt(2 pi).

    Kept to 192 bits, of which the difference costs 26.  The sum stops where a
    term is below an ulp and each is at most half of the one before.
    """
    low = term_low = root
    high = term_high = root + 1
    k = 0
    while term_high > 1 or (2 * k + 1) << _WORK < 2 * (square + 1):
        k += 1
        term_low = (term_low * square >> _WORK) // (2 * k + 1)
        term_high = -((-term_high * (square + 1) >> _WORK) // (2 * k + 1))
        low, high = low + term_low, high + term_high
    high += 1
    small, large = exp_minus(exact / 2, _WORK)
    half = 1 << (2 * _WORK - 1)
    return (
        half // large - (high * _ROOT_HIGH >> _WORK) - 1,
        half // small + 1 - (low * _ROOT_LOW >> _WORK),
    )


def _far(root: int) -> tuple[int, int]:
    """1 / (x + 1 / (x + 2 / (x + ...))) / sqrt(2 pi): Laplace's continued fraction.

    What stands from the 96th place on is between x and x + 97 / x; each place
    before it turns and narrows these ends.
    """
    low, high = root, root + 2 + ((_DEPTH + 1) << (2 * _WORK)) // root
    for place in range(_DEPTH, 0, -1):
        above = place << (2 * _WORK)
        low, high = root + above // high, root + 2 + above // low
    return (_ROOT_LOW << _WORK) // high, (_ROOT_HIGH << _WORK) // low + 1
