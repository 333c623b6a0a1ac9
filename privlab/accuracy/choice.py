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

from privlab.accuracy.exponential import exp_minus

MOST_RANKS = 1 << 62
"""More than any table has: nothing is promised."""

_GUARD = 16


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
