"""Which groups exist, without their counts: the optimal selection, as a table.

A group of n privacy units is kept with probability

    pi(0) = 0,  pi(n + 1) = min(e^eps pi(n) + delta, 1 - e^-eps (1 - pi(n) - delta), 1)

which no (eps, delta)-DP selection exceeds for any n (Desfontaines, Voss, Gipson,
Mandayam 2020, arXiv:2006.03684, Theorem 1).  The table holds whole numbers of
2^-192, each rounded down *from the one before it as rounded*, so both
inequalities of (eps, delta)-DP hold for the table itself, exactly; what is drawn
is a Bernoulli of 192 bits.  No approximation is left (``docs/proofs/thresholds.md``).

A unit in up to ``groups`` groups spends an equal part on each: eps / groups, and
the delta whose groups-fold composition is delta.

No question plans one yet; the certifier and the tests are its callers.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np
from flint import ctx
from numpy.typing import NDArray

from privlab.mechanisms.bernoulli import bernoulli
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.intervals import down, interval, up
from privlab.mechanisms.threshold import delta_per_group
from privlab.terms.events import MOST_SELECTION_EPSILON, PartitionEvent

BITS = 192
ONE = 1 << BITS
"""pi = 1."""

LONGEST = 1 << 18
"""Most entries of a table."""

_WORD_BITS = 64
_REST_BITS = BITS - _WORD_BITS


def keep(counts: NDArray[np.int64], event: PartitionEvent, words: KeyStream) -> NDArray[np.bool_]:
    """Which groups are kept: bool[n].

    counts: int64[n], exact numbers of units; words: fresh.  A cell costs one
    word and the same operations whatever its count is, but for the table's cache
    lines, which the count picks (an observer of the processor's caches is outside
    the statement); one in 2^64 needs more.

    :raises TypeError: counts are not int64 in one dimension.
    :raises ValueError: as `selection`.
    """
    if counts.dtype != np.int64 or counts.ndim != 1:
        raise TypeError("counts are a one-dimensional int64 vector")
    entries, first = selection(event), _first_words(event)
    drawn = words.take(counts.size)
    limit = first[np.clip(counts, 0, len(entries))]
    certain = counts >= len(entries)
    kept: NDArray[np.bool_] = (drawn < limit) | certain
    for cell in np.flatnonzero((drawn == limit) & (counts > 0) & ~certain):
        rest = entries[counts[cell]] & ((1 << _REST_BITS) - 1)
        kept[cell] = bernoulli(Fraction(rest, 1 << _REST_BITS), words)
    return kept


def chance(count: int, event: PartitionEvent) -> Fraction:
    """pi(count), exact; 0 for a count that is not positive."""
    entries = selection(event)
    return Fraction(entries[max(count, 0)], ONE) if count < len(entries) else Fraction(1)


@lru_cache(maxsize=8)
def selection(event: PartitionEvent) -> tuple[int, ...]:
    """The table of one of the event's groups.

    :raises ValueError: the epsilon of a group is so small that the table has
        more than 2^18 entries.  The certifier has asked before any charge.
    """
    return table(event.epsilon / event.groups, delta_per_group(event.delta, event.groups))


def table(epsilon: Fraction, delta: Fraction) -> tuple[int, ...]:
    """pi(n) in units of 2^-192, for n = 0, 1, ... up to the last that is not 1.

    epsilon, delta: of one group.  Each entry is at most what exact arithmetic
    gives from the entry before.

    :raises ValueError: epsilon is above 2^10, or there are more than 2^18 entries.
    """
    if epsilon > MOST_SELECTION_EPSILON:
        raise ValueError("the epsilon of a selection is at most 2^10")
    grown, _ = exp_around(epsilon)
    _, shrunk = exp_around(-epsilon)
    step = math.floor(delta * ONE)
    entries = [0]
    while len(entries) <= LONGEST:
        last = entries[-1]
        left = max(ONE - last - step, 0)
        entry = min(
            last * grown.numerator // grown.denominator + step,
            ONE + -left * shrunk.numerator // shrunk.denominator,
        )
        if entry >= ONE:
            return tuple(entries)
        entries.append(entry)
    raise ValueError("this little epsilon for each group makes a table of more than 2^18 entries")


def exp_around(x: Fraction) -> tuple[Fraction, Fraction]:
    """Rationals below and above e^x, or equal to it."""
    bits = 320 + max(0, math.ceil(2 * x))
    with ctx.workprec(bits):
        power = interval(x).exp()
        return down(power, bits), up(power, bits)


@lru_cache(maxsize=8)
def _first_words(event: PartitionEvent) -> NDArray[np.uint64]:
    """The leading word of each entry, and of 1 less one bit."""
    words = [entry >> _REST_BITS for entry in selection(event)]
    return np.array([*words, (1 << _WORD_BITS) - 1], np.uint64)
