"""Intervals for counts and sums with discrete or rounded Laplace noise.

Both laws are on whole numbers, so a half-width is a whole number of steps, and
it is the smallest that covers: tails are closed forms in exp(-1 / scale), which
is transcendental, so that the bits at which a comparison is decided are reached.
Nothing here knows about bounding: rows left out and values clamped are not part
of these errors.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from privlab.accuracy.confidence import outside
from privlab.accuracy.exponential import exp_minus
from privlab.terms.exact import fraction
from privlab.terms.noise import FINE_MULTIPLIER, MAX_MULTIPLIER, DiscreteLaplace, RoundedLaplace

Laplace = DiscreteLaplace | RoundedLaplace

_BITS = 128


@lru_cache(maxsize=256, typed=True)
def half_width(noise: Laplace, confidence: Fraction) -> Fraction:
    """The smallest whole h with P(|noise| <= h) >= confidence, in steps; exact.

    confidence: percent, in (0, 100).

    :raises ValueError: the confidence, see `outside`.
    """
    missed = outside(confidence)
    law, scale = type(noise), noise.scale
    high = 1
    while not _covers(law, scale, high, missed):
        high *= 2
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        if _covers(law, scale, middle, missed):
            high = middle
        else:
            low = middle
    return Fraction(high)


@lru_cache(maxsize=256, typed=True)
def rate_for(
    half_width: Fraction, confidence: Fraction, law: type[Laplace] = DiscreteLaplace
) -> Fraction:
    """The smallest rate, 1 / scale, whose half-width is at most this, in 1 / steps.

    It is that of the widest noise of ``law`` on the sampler's grid which meets
    it, so ``law.at_most(rate_for(...))`` has this rate and meets it, and the next
    scale does not.  ``D * rate`` is the epsilon it costs for an L1 sensitivity D.

    :raises ValueError: half_width is negative; the confidence, see `outside`.
    """
    if fraction("a half-width", half_width) < 0:
        raise ValueError("a half-width is not negative")
    missed = outside(confidence)
    whole = int(half_width)
    shift = 0
    while not _covers(law, Fraction(FINE_MULTIPLIER, 1 << shift), whole, missed):
        shift += 1  # ends at a scale of 1/64 at the latest, whose half-width is 0
    if shift == 0:
        low, high = FINE_MULTIPLIER, MAX_MULTIPLIER + 1
    else:
        shift -= 1
        low, high = FINE_MULTIPLIER // 2, FINE_MULTIPLIER
    while high - low > 1:
        middle = (low + high) // 2
        if _covers(law, Fraction(middle, 1 << shift), whole, missed):
            low = middle
        else:
            high = middle
    return Fraction(1 << shift, low)


def _covers(law: type[Laplace], scale: Fraction, whole: int, missed: Fraction) -> bool:
    """Whether P(|noise| > whole) <= missed.

    Rounded: exp(-(whole + 1/2) / scale).  Discrete, with p = exp(-1 / scale):
    2 p^(whole + 1) / (1 + p).  Neither equals a multiple of a fraction
    (Lindemann 1882, Weierstrass 1885), so the loop ends.
    """
    bits = _BITS
    while True:
        if law is RoundedLaplace:
            low, high = exp_minus((whole + Fraction(1, 2)) / scale, bits)
            most_low = most_high = 1 << bits
        else:
            low, high = (2 * end for end in exp_minus((whole + 1) / scale, bits))
            most_low, most_high = ((1 << bits) + end for end in exp_minus(1 / scale, bits))
        if high * missed.denominator <= most_low * missed.numerator:
            return True
        if low * missed.denominator > most_high * missed.numerator:
            return False
        bits *= 2
