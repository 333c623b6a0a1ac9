"""Permute-and-flip, exact: one of several candidates, the better the likelier.

Each candidate flips a coin that shows heads with chance ``exp(-epsilon g / 2)``, g being
how far its score is below the best one's; of those that show heads each is as likely
as any other.  (McKenna, Sheldon 2020, "Permute-and-Flip: a new mechanism for
differentially private selection", flip in a random order until heads: the first heads
of a random order is any of them.  It is "report the largest score with exponential noise" too:
Ding and others 2021, "The Permute-and-Flip Mechanism is Identical to Report-Noisy-Max with
Exponential Noise".)  Its expected score is never below that of the exponential mechanism; where
many candidates are about as good as the best the two are nearly the same.

It is epsilon-DP and not of range epsilon, so it is no `ChoiceEvent`: what it costs is
`terms.events.FlipEvent`, in pure datasets alone.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from privlab.kernels.flip import HEADS, OPEN, flip_coins
from privlab.mechanisms.choose import base_two_rate, uniform_below
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.intervals import interval
from privlab.terms.events import LEAST_CHOICE_EPSILON, MOST_CHOICE_EPSILON
from privlab.terms.exact import positive

MOST_FLIPS = 1 << 20
"""Of one choice: about 20 ms."""

_GUARD = 64


def flip(scores: NDArray[np.int64], epsilon: Fraction, words: KeyStream) -> int:
    """The number of the chosen candidate.

    scores: int64[n], n in 1..2^20, in units that one privacy unit moves by at most one;
    epsilon: in [2^-40, 2^20].  Where one unit more moves all scores up or all down, the
    loss is half of epsilon.

    :raises TypeError: scores are not int64 in one dimension, or epsilon is neither a
        Fraction nor an int.
    :raises ValueError: epsilon or the number of scores is out of range.
    """
    if scores.dtype != np.int64 or scores.ndim != 1:
        raise TypeError("scores are a one-dimensional int64 vector")
    if not 1 <= scores.size <= MOST_FLIPS:
        raise ValueError(f"so many coins are not flipped: 1 to 2^20, got {scores.size}")
    epsilon = positive("an epsilon", epsilon)
    if not LEAST_CHOICE_EPSILON <= epsilon <= MOST_CHOICE_EPSILON:
        raise ValueError("an epsilon of a choice is in 2^-40 .. 2^20")
    rate, shift = base_two_rate(epsilon)
    drawn = words.take(scores.size)
    coins = np.empty(scores.size, np.uint8)
    scores = np.ascontiguousarray(scores)
    flip_coins(scores, np.uint64(rate), np.uint64(shift), drawn, coins)
    best = int(scores.max())
    for at in np.flatnonzero(coins == OPEN):
        gap = epsilon / 2 * (best - int(scores[at]))
        coins[at] = settle(gap, int(drawn[at]), lambda: int(words.take(1)[0]))
    heads = np.flatnonzero(coins == HEADS)
    return int(heads[uniform_below(heads.size, words)])


def settle(gap: Fraction, word: int, more: Callable[[], int]) -> bool:
    """Whether the U that begins with ``word`` is below ``exp(-gap)``.

    gap: not negative; more: the next fresh word of that string.  Ends with probability one.
    """
    u, bits = word, 64
    while gap:
        with ctx.workprec(bits + _GUARD):
            chance = (-interval(gap)).exp() * arb(2) ** bits
            if u + 1 <= chance:
                return True
            if u >= chance:
                return False
        u, bits = (u << 64) | more(), bits + 64
    return True
