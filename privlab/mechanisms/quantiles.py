"""Several quantiles of the same values, for the price of a few.

The middle one is chosen first; it parts the values and the possible answers, and
those below and above it are chosen on their sides, and so on (Kaplan, Schnapp,
Stemmer 2022, "Differentially private approximate quantiles", ICML).  On one level of
this recursion every value is on one side of everything, so that one privacy unit
takes part in one choice: m quantiles cost ``levels(m)`` choices, not m.  The answers
never cross.

Equal values would be parted as a block, and what is left above and below would not be
the parts that the others are quantiles of.  So each value gets digits behind the
point that mean nothing, drawn afresh, and the answers are rounded down again: a value
that many share is parted where the quantile lies among them.

Proof of the price: ``docs/proofs/choice.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.quantile import MOST_DENOMINATOR, quantile

DIGITS = 30
"""Bits behind the point that tell equal values apart."""

Values = NDArray[np.int64]
Choose = Callable[[Values, int, int, Fraction], int]
"""Sorted values, low, high and q to a whole number in [low, high]."""


def quantiles(
    values: Values,
    low: int,
    high: int,
    qs: Sequence[Fraction],
    epsilon: Fraction,
    words: KeyStream,
) -> list[int]:
    """Whole numbers in [low, high] that never fall, near the quantiles ``qs``.

    values: as for `quantile`; qs: rising, each between 0 and 1, none twice.  The
    loss is ``ChoiceEvent(epsilon)`` for each of `query.plan`'s levels.

    :raises TypeError, ValueError: as `quantile`, or qs do not rise inside (0, 1).
    """
    if not qs or any(b <= a for a, b in zip((Fraction(0), *qs), (*qs, Fraction(1)), strict=True)):
        raise ValueError("quantiles rise, and are above 0 and below 1")
    if values.size and not low <= int(values[0]) <= int(values[-1]) <= high:
        raise ValueError("the values of a quantile are sorted and inside its interval")
    fine = np.sort(((values - low) << DIGITS) + _digits(values.size, words))
    found = parted(
        fine,
        0,
        ((high - low + 1) << DIGITS) - 1,
        qs,
        lambda inside, a, b, q: quantile(inside, a, b, q, epsilon, words),
    )
    return [low + (one >> DIGITS) for one in found]


def parted(
    values: Values, low: int, high: int, qs: Sequence[Fraction], choose: Choose
) -> list[int]:
    """The recursion: a level at a time, each choice on the values between two earlier answers.

    What is on a side is a fixed part of what there is: the q of a choice is that of
    the whole less what lies below its side, whatever the answers are.  Exact for
    quantiles of three digits; else within one part in 2^20.
    """
    found = [0] * len(qs)
    level = [(0, len(qs), values, low, high, Fraction(0), Fraction(1))]
    while level:
        deeper = []
        for first, last, inside, a, b, below, upto in level:
            at = (first + last) // 2
            q = ((qs[at] - below) / (upto - below)).limit_denominator(MOST_DENOMINATOR)
            answer = choose(inside, a, b, q)
            found[at] = answer
            cut = int(np.searchsorted(inside, answer, "right"))
            if first < at:
                deeper.append((first, at, inside[:cut], a, answer, below, qs[at]))
            if at + 1 < last:
                deeper.append((at + 1, last, inside[cut:], answer, b, qs[at], upto))
        level = deeper
    return found


def _digits(count: int, words: KeyStream) -> Values:
    """Uniform in [0, 2^DIGITS)."""
    if not count:
        return np.zeros(0, np.int64)
    return (words.take(count) >> np.uint64(64 - DIGITS)).astype(np.int64)
