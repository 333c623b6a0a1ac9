"""The exponential mechanism, exact: one of many candidates, the better the likelier.

``P(i) ~ length_i * exp(epsilon * score_i / 2)`` for whole scores that one privacy
unit moves by at most one (McSherry, Talwar 2007, "Mechanism Design via
Differential Privacy", Theorem 6; the lengths are the base measure).  The kernel
decides on one 64-bit word; what that leaves open is settled here, with Arb
intervals on further bits of the same string.  So the probabilities are those
above, with no error left over.  What a choice costs is `terms.events.ChoiceEvent`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from privlab.kernels.choose import TIE, choose_index
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.intervals import down, interval
from privlab.terms.events import LEAST_CHOICE_EPSILON, MOST_CHOICE_EPSILON
from privlab.terms.exact import positive

MOST_LENGTH = (1 << 63) - 1
"""Of all candidates together."""

MOST_CANDIDATES = 1 << 30

_GUARD = 64
_RATE_BITS = 512


def choose(
    scores: NDArray[np.int64],
    epsilon: Fraction,
    words: KeyStream,
    lengths: NDArray[np.int64] | None = None,
) -> int:
    """The number of the chosen candidate; of length zero, never.

    scores: int64[n], n in 1..2^30, in units that one privacy unit moves by at
    most one; epsilon: in [2^-40, 2^20]; lengths: int64[n], not negative, not all
    zero, their sum below 2^63; all one if left out.

    :raises TypeError: scores or lengths are not int64 in one dimension, or
        epsilon is neither a Fraction nor an int.
    :raises ValueError: epsilon, a length or their number is out of range.
    """
    if scores.dtype != np.int64 or scores.ndim != 1:
        raise TypeError("scores are a one-dimensional int64 vector")
    if not 1 <= scores.size <= MOST_CANDIDATES:
        raise ValueError(f"a choice has 1 to 2^30 candidates, got {scores.size}")
    epsilon = positive("an epsilon", epsilon)
    if not LEAST_CHOICE_EPSILON <= epsilon <= MOST_CHOICE_EPSILON:
        raise ValueError("an epsilon of a choice is in 2^-40 .. 2^20")
    if lengths is None:
        lengths = np.ones(scores.size, np.int64)
    total = total_length(lengths, scores.size)
    rate, shift = base_two_rate(epsilon)
    scores, lengths = np.ascontiguousarray(scores), np.ascontiguousarray(lengths)
    drawn = words.take(1)
    status, index = choose_index(
        scores,
        lengths.view(np.uint64),
        np.uint64(rate),
        np.uint64(shift),
        np.uint64(63 - total.bit_length()),
        drawn,
        np.empty((scores.size, 2), np.uint64),
    )
    if status == TIE:
        return settle(scores, lengths, epsilon, int(drawn[0]), lambda: int(words.take(1)[0]))
    return int(index)


def uniform_below(size: int, words: KeyStream) -> int:
    """A whole number in [0, size), each equally likely, exact.

    ``floor(U * size)`` for the U that the words begin; more are read while they
    leave it open.  size: at least 1.
    """
    if size < 1:
        raise ValueError(f"there is no whole number below {size}")
    u = bits = 0
    while True:
        u = (u << 64) | int(words.take(1)[0])
        bits += 64
        low = u * size >> bits
        if low == ((u + 1) * size - 1) >> bits:
            return low


def total_length(lengths: NDArray[np.int64], count: int) -> int:
    """The sum of ``lengths``, exact.

    :raises TypeError: they are not int64 in one dimension.
    :raises ValueError: they are not ``count`` many, one is negative, all are
        zero, or the sum is not below 2^63.
    """
    if lengths.dtype != np.int64 or lengths.ndim != 1:
        raise TypeError("lengths are a one-dimensional int64 vector")
    if lengths.size != count:
        raise ValueError(f"{count} candidates have {count} lengths, got {lengths.size}")
    if int(lengths.min()) < 0:
        raise ValueError("a length is not negative")
    total = (int((lengths >> 32).sum()) << 32) + int((lengths & 0xFFFFFFFF).sum())
    if not 1 <= total <= MOST_LENGTH:
        raise ValueError("the lengths add up to 1 .. 2^63 - 1")
    return total


@lru_cache(maxsize=256)
def base_two_rate(epsilon: Fraction) -> tuple[int, int]:
    """(rate, shift): epsilon / (2 ln 2) is within one part in 2^64 of rate / 2^shift.

    rate: in 2^63 .. 2^64 - 1; the whole number nearest to the quotient.
    """
    with ctx.workprec(_RATE_BITS):
        exact = down(interval(epsilon) / (2 * arb(2).log()), _RATE_BITS)
    shift = 63 + exact.denominator.bit_length() - exact.numerator.bit_length()
    shift += exact * (1 << shift) < 1 << 63
    rate = round(exact * (1 << shift))
    return (rate, shift) if rate < 1 << 64 else (rate >> 1, shift - 1)


def settle(
    scores: NDArray[np.int64],
    lengths: NDArray[np.int64],
    epsilon: Fraction,
    word: int,
    more: Callable[[], int],
) -> int:
    """The candidate that the string beginning with ``word`` chooses.

    more: the next fresh word of that string.  Ends with probability one.
    """
    there = np.flatnonzero(lengths)
    best = int(scores[there].max())
    kinds, kind = np.unique(scores[there], return_inverse=True)
    sizes = [int(length) for length in lengths[there]]
    u, bits = word, 64
    while True:
        with ctx.workprec(bits + _GUARD):
            half = interval(-epsilon / 2)
            of_kind = [(half * (best - int(score))).exp() for score in kinds]
            sums = list(accumulate(of_kind[k] * size for k, size in zip(kind, sizes, strict=True)))
            found = _first_above(sums, u, bits)
        if found is not None:
            return int(there[found])
        u, bits = (u << 64) | more(), bits + 64


def _first_above(sums: list[arb], u: int, bits: int) -> int | None:
    """The first i with ``sums[i]`` above ``U * total`` for every U that begins so, or None."""
    low, high = (sums[-1] * (u + end) / arb(2) ** bits for end in (0, 1))
    for i, upto in enumerate(sums[:-1]):
        if upto <= low:
            continue
        return i if upto >= high else None
    return len(sums) - 1
