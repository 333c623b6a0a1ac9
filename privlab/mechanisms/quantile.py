"""A quantile of whole numbers, by the exponential mechanism over all possible answers.

Every whole number v in [low, high] may be the answer; which of them may, does
not depend on the data.  Its score says how far v is from being a quantile:

    miss(v) = max(0, (1 - q) below - q (n - below), q above - (1 - q) (n - above))
    score(v) = -floor(miss(v) / max(q, 1 - q))

with below and above the numbers of values on either side of v.  One value more
or less moves a score by at most one (``docs/proofs/choice.md``; the scores of
Smith 2011, "Privacy-preserving statistical estimation with optimal convergence
rates", with atoms told from gaps).  Numbers with the same neighbours in the
data have the same score, so at most ``2 n + 1`` pieces stand for them all: a gap,
a value, a gap, and so on.

It is no smallest or largest value.  An end of the interval where no data are is
wide, and its numbers are only ``q n`` ranks (or ``(1 - q) n``) away.  So q has to
stay about ``(2 / epsilon) ln(epsilon width / (4 spacing)) / n`` away from 0 and 1,
width being that of the empty end and spacing the usual distance of neighbouring
values near the quantile; nearer to 0 or 1 the answer is mostly a number of the
empty end (measured in ``docs/proofs/choice.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from privlab.mechanisms.choose import MOST_CANDIDATES, choose, uniform_below
from privlab.mechanisms.entropy import KeyStream
from privlab.terms.exact import fraction

MOST_DENOMINATOR = 1 << 20
"""Of a quantile's q, so that scores of 2^30 values stay inside int64."""

MOST_VALUE = 1 << 61


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Intervals that together are [low, high], in order; some are empty.

    starts, lengths, scores: int64[2 n + 1].  Piece 2 i is the gap before the
    i-th value, piece 2 i + 1 that value; of equal values the first has the piece.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    scores: NDArray[np.int64]


def quantile(
    values: NDArray[np.int64],
    low: int,
    high: int,
    q: Fraction,
    epsilon: Fraction,
    words: KeyStream,
) -> int:
    """A whole number in [low, high], near the q-quantile of ``values``.

    values: int64[n], sorted, inside [low, high], at most one of each privacy
    unit; none is fine, and then every answer is equally likely.  q: in [0, 1]; too
    near to 0 or 1 (see above) the answer is not near any value, 0 is not the
    smallest and 1 not the largest.  The loss is ``ChoiceEvent(epsilon)``.

    :raises TypeError, ValueError: as `pieces` and `choose`.
    """
    parts = pieces(values, low, high, q)
    chosen = choose(parts.scores, epsilon, words, parts.lengths)
    return int(parts.starts[chosen]) + uniform_below(int(parts.lengths[chosen]), words)


def pieces(values: NDArray[np.int64], low: int, high: int, q: Fraction) -> Pieces:
    """The possible answers, those of the same score together.

    :raises TypeError: values are not int64 in one dimension, or q is neither a
        Fraction nor an int.
    :raises ValueError: values are not sorted or not inside [low, high]; the
        interval is empty or leaves 2^61; q is not in [0, 1] or its denominator is
        above 2^20.
    """
    if values.dtype != np.int64 or values.ndim != 1:
        raise TypeError("values are a one-dimensional int64 vector")
    q = fraction("a quantile", q)
    if not 0 <= q <= 1 or q.denominator > MOST_DENOMINATOR:
        raise ValueError("a quantile is in [0, 1], with a denominator of at most 2^20")
    if not -MOST_VALUE <= low <= high <= MOST_VALUE:
        raise ValueError("the interval of a quantile is not empty, and within 2^61 of zero")
    count = values.size
    if 2 * count + 1 > MOST_CANDIDATES:
        raise ValueError("a quantile is taken of fewer than 2^29 values")
    if count and not (
        values[0] >= low and values[-1] <= high and np.all(values[1:] >= values[:-1])
    ):
        raise ValueError("the values of a quantile are sorted and inside its interval")
    edges = np.concatenate(([low - 1], values, [high + 1])).astype(np.int64)
    starts = np.empty(2 * count + 1, np.int64)
    lengths = np.empty(2 * count + 1, np.int64)
    starts[0::2], starts[1::2] = edges[:-1] + 1, values
    lengths[0::2] = np.maximum(edges[1:] - edges[:-1] - 1, 0)
    lengths[1::2] = edges[1:-1] > edges[:-2]
    below = np.empty(2 * count + 1, np.int64)
    above = np.empty(2 * count + 1, np.int64)
    below[0::2] = np.arange(count + 1)
    above[0::2] = count - below[0::2]
    below[1::2] = np.searchsorted(values, values, "left")
    above[1::2] = count - np.searchsorted(values, values, "right")
    part, rest = q.numerator, q.denominator - q.numerator
    miss = np.maximum(rest * below - part * (count - below), part * above - rest * (count - above))
    return Pieces(starts, lengths, -(np.maximum(miss, 0) // max(part, rest)))
