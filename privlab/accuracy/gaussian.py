"""Intervals for sums with rounded Gaussian noise.

A released cell is the exact sum, plus a Gaussian error of the stated variance,
plus a rounding error of at most half a step.  A merged cell is a weighted mean
of such cells, and so is its rounding error: still at most half a step.  Hence
``z sigma + 1/2`` covers both.  The values of a single measurement are whole, and
its half-width is a whole number: the floor of that, or one less.  Nothing here knows about bounding: rows left out
and values clamped are not part of these errors.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from privlab.accuracy.confidence import outside
from privlab.accuracy.normal import BITS, tail
from privlab.terms.exact import positive

ROUNDING = Fraction(1, 2)
"""Largest error of rounding to whole steps."""

_Z_BITS = 40
_ROOT_BITS = 64
_PI_ABOVE = Fraction(314159265358979323846264338327950288420, 10**38)
_MARGIN = 1 + Fraction(1, 1 << 27)
"""What `RoundedGaussian.at_most` may round a precision down by, and the roots."""


def half_width(variance: Fraction, confidence: Fraction) -> Fraction:
    """h with P(|released - exact| <= h) >= confidence, in steps.

    variance: of the continuous Gaussian, in steps^2, not negative;
    confidence: percent, in (0, 100).  Rounded up by at most one part in 2^39.
    """
    if variance < 0:
        raise ValueError("a variance is not negative")
    return sqrt_up(z(confidence) ** 2 * variance) + ROUNDING


@lru_cache(maxsize=256, typed=True)
def whole_half_width(variance: Fraction, confidence: Fraction) -> Fraction:
    """The smallest whole h with P(|round(N)| <= h) >= confidence proved, in steps.

    For a single measurement; variance: of its continuous Gaussian, in steps^2,
    positive; confidence: percent, in (0, 100).  Never above `half_width`, and
    smallest but for what 96 bits cannot tell.
    """
    missed = outside(confidence)
    low, high = -1, math.floor(half_width(positive("a variance", variance), confidence))
    while high - low > 1:
        middle = (low + high) // 2
        _, beyond = tail(middle + ROUNDING, variance)
        if 2 * beyond * missed.denominator <= missed.numerator << BITS:
            high = middle
        else:
            low = middle
    return Fraction(high)


def precision_for(half_width: Fraction, confidence: Fraction) -> Fraction:
    """The smallest precision whose `half_width` is at most this, in 1 / steps^2.

    Rounded up by one part in 2^27, so that noise on the grid of
    `RoundedGaussian.at_most` still meets it.

    :raises ValueError: half_width is at most half a step, which rounding uses up.
    """
    if half_width <= ROUNDING:
        raise ValueError("no noise is within half a step")
    return (z(confidence) / (half_width - ROUNDING)) ** 2 * _MARGIN


@lru_cache(maxsize=256, typed=True)
def z(confidence: Fraction) -> Fraction:
    """z with P(|N(0, 1)| <= z) >= confidence, proved, on a grid of 2^-40.

    confidence: percent, in (0, 100); 95 gives 1.959964 rounded up.
    """
    wanted = 1 - outside(confidence)
    high = 1 << _Z_BITS
    while not _covers(high, wanted):
        high *= 2
    low = 0
    while high - low > 1:
        middle = (low + high) // 2
        if _covers(middle, wanted):
            high = middle
        else:
            low = middle
    return Fraction(high, 1 << _Z_BITS)


def sqrt_up(square: Fraction) -> Fraction:
    """A Fraction at least the root of ``square``, within one part in 2^63."""
    if square < 0:
        raise ValueError("a square is not negative")
    if square == 0:
        return Fraction(0)
    lift = max(
        0, _ROOT_BITS + (square.denominator.bit_length() - square.numerator.bit_length()) // 2
    )
    scaled = -((-square.numerator << (2 * lift)) // square.denominator)
    return Fraction(math.isqrt(scaled - 1) + 1, 1 << lift)


def _covers(steps: int, wanted: Fraction) -> bool:
    """Whether P(|N(0, 1)| <= steps / 2^40) >= wanted is proved.

    P = sqrt(2 / pi) sum_k (-1)^k z^(2k+1) / (2^k k! (2k+1)) in fixed point, with
    bits to spare for the cancellation.  Each term is held between two whole
    numbers; the sum stops after a negative term, where terms fall already.
    """
    square = steps * steps
    whole = square >> (2 * _Z_BITS)
    work = 192 + 2 * whole
    low = high = (steps << work) >> _Z_BITS  # z^(2k+1) / (2^k k!)
    high += 1
    total = 0
    k = 0
    while high > 1 or k <= whole or k % 2:
        total += low // (2 * k + 1) if k % 2 == 0 else -(high // (2 * k + 1) + 1)
        k += 1
        low = (low * square >> (2 * _Z_BITS + 1)) // k
        high = (high * square >> (2 * _Z_BITS + 1)) // k + 1
    if total <= 0:
        return False
    return 2 * total**2 >= wanted**2 * _PI_ABOVE * (1 << (2 * work))
