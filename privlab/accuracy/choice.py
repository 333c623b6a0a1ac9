"""How many ranks a chosen quantile may be off.

The chance that the exponential mechanism takes some answer with a score of -t or
less, where the best answer has 0, is at most ``n exp(-epsilon t / 2)`` for n
possible answers (McSherry, Talwar 2007, Theorem 11).  A score of -t is ``t b`` missing ranks,
b = max(q, 1 - q) (``docs/proofs/choice.md``).  What value lies so many ranks away
depends on the data, so no interval of values follows.
"""

from __future__ import annotations

import math
from fractions import Fraction

from privlab.accuracy.confidence import simultaneous
from privlab.accuracy.exponential import exp_minus

MOST_RANKS = 1 << 62
"""More than any table has: nothing is promised."""

_GUARD = 16


LOOKS = 25
"""The part of epsilon that asks how densely values lie, times their declared number."""

ENOUGH = 20 * LOOKS
"""Declared values times epsilon, from which on they are asked: a twentieth of epsilon at most."""

DIGITS = 30
"""Bits behind the point of what quantiles are chosen together among (``mechanisms/quantiles.py``)."""


def ranks_off_together(
    levels: int, candidates: int, epsilon: Fraction, confidence: Fraction
) -> int:
    """As `ranks_off`, for each of several quantiles that are chosen level by level.

    A choice is off its place by what it misses itself, and by at most what the
    answers that part its side off missed: one per level, all within their ranks at once.
    One rank of each level is for values that have the same digits by chance.
    """
    each = simultaneous(confidence, 1, levels)
    off = ranks_off(Fraction(1), candidates << DIGITS, epsilon, each)
    return min(MOST_RANKS, levels * (off + 1))


def ranks_off_flipped(
    q: Fraction, candidates: int, size: int, epsilon: Fraction, confidence: Fraction
) -> int:
    """As `ranks_off`, of a choice by permute-and-flip of so many declared values.

    An answer at a score of -t has heads with a chance of ``exp(-epsilon t / 2)`` at most, one
    with a head start with up to ``2^(l/2) e^3`` times that; but of those there is one in a, rounded
    up, ``a = isqrt(2^l)``.  Together that is what ``1 + 2 sqrt(2) e^3 < 64`` times as many answers come to.
    """
    looks = part_of_looks(size, epsilon)
    return ranks_off(q, candidates * (64 if looks else 1), epsilon - looks, confidence)


def part_of_looks(size: int, epsilon: Fraction) -> Fraction:
    """The part of epsilon that asks how densely values lie: 0 where it is not worth it.

    size: how many values are declared.
    """
    return Fraction(LOOKS, size) if size * epsilon >= ENOUGH else Fraction(0)


def ranks_off(q: Fraction, candidates: int, epsilon: Fraction, confidence: Fraction) -> int:
    """Ranks between a chosen answer and the q-quantile, at most, at ``confidence`` percent.

    candidates: how many answers there are; epsilon: of the choice.  The answer's
    own ranks count: of several equal values the nearest.  Rounded up.

    :raises ValueError: confidence is not in (0, 100), or an argument is not positive.
    """
    if not 0 < confidence < 100 or candidates < 1 or epsilon <= 0 or not 0 <= q <= 1:
        raise ValueError("a confidence is in (0, 100), a q in [0, 1], the rest is positive")
    chance = 1 - confidence / 100
    bits = candidates.bit_length() + math.ceil(1 / chance).bit_length() + _GUARD

    def enough(score: int) -> bool:
        """Whether a score of -score or less is rare enough, surely."""
        _, high = exp_minus(epsilon * score / 2, bits)
        return candidates * high <= chance * (1 << bits)

    low, high = 0, 1
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST_RANKS:
            return MOST_RANKS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return math.ceil(max(q, 1 - q) * high)
