"""A quantile by permute-and-flip, some of the possible answers having a head start.

Permute-and-flip is closer than the exponential mechanism where few answers are about as
good as the best.  So of every a-th whole number, a such that about ``1.5 / epsilon``
ranks lie between two of them, a about 2^(l/2), the score is raised by

    h = floor((2 / epsilon) (l ln 2 / 2 + 3))

by which all others together seldom win; but where a value that many share lies between,
its own score wins by more.  Which l that is follows from how densely the values lie, and
that is asked of them first, for a small part of epsilon: let M(w) be the most values that lie in
any w numbers in a row, and K half the declared number of values in cells of 1.5 / epsilon.
Then l is chosen, by permute-and-flip, for the score ``min(M, n - M)`` of ``w = floor(a K)``:
the greater, the nearer M is to half of n.  "None" is one of the choices, with half of what
the best has if as many values are there as were declared: few values give nobody a head start.

Where few values are declared, or epsilon is small, that would cost too much (`part_of_looks`,
of public facts alone): then nobody has a head start, and all of epsilon is the choice's.

Proof, and what it changes: ``docs/proofs/choice.md``.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from privlab.accuracy.choice import part_of_looks
from privlab.mechanisms.choose import uniform_below
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.flip import flip
from privlab.mechanisms.quantile import pieces

Values = NDArray[np.int64]

RANKS = Fraction(3, 2)
"""Of 1 / epsilon, between two answers with a head start."""

LN2 = Fraction(693147, 1_000_000)
"""A little less than ln 2."""

AHEAD = 3
"""What the head start is more than what all others weigh together, in nats."""


def thinned(
    values: Values,
    low: int,
    high: int,
    q: Fraction,
    epsilon: Fraction,
    size: int,
    words: KeyStream,
) -> int:
    """A whole number in [low, high], near the q-quantile of ``values``.

    values, q: as for `quantile`; at most 2^20 possible answers.  size: how many values are declared, a public
    number; nothing but nearness depends on whether it is right.  The loss is
    ``FlipEvent(epsilon)``.

    :raises TypeError, ValueError: as `quantile`.
    """
    parts = pieces(values, low, high, q)
    scores = np.repeat(parts.scores, parts.lengths)
    looks = part_of_looks(size, epsilon)
    if looks:
        epsilon -= looks
        level = flip(_levels(values, low, high, epsilon, size), 2 * looks, words)
        if level:
            apart = spacing(level - 1)
            scores[uniform_below(apart, words) :: apart] += head_start(level - 1, epsilon)
    return low + flip(scores, epsilon, words)


def head_start(level: int, epsilon: Fraction) -> int:
    """Of every answer of this level, in units of the score; epsilon: of the choice alone."""
    return math.floor((level * LN2 + 2 * AHEAD) / epsilon)


def spacing(level: int) -> int:
    """How many answers there are for one with a head start: about 2^(level / 2)."""
    return math.isqrt(1 << level)


def widths(count: int, epsilon: Fraction, size: int) -> list[int]:
    """How many numbers in a row hold half of the declared values, if each level is the one.

    As many as there are levels whose width is below ``count``, all possible answers.
    """
    cells = size * epsilon / (2 * RANKS)
    found: list[int] = []
    while (width := math.floor(cells * spacing(len(found)))) < count:
        found.append(max(width, 1))
    return found


def _levels(values: Values, low: int, high: int, epsilon: Fraction, size: int) -> Values:
    """Scores of "none" and of the levels 0, 1, ...; one value more moves all up, by one at most."""
    count = high - low + 1
    upto = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(values - low, minlength=count), out=upto[1:])
    most = np.array(
        [int((upto[width:] - upto[:-width]).max()) for width in widths(count, epsilon, size)],
        np.int64,
    )
    return np.concatenate(([size // 4], np.minimum(most, values.size - most))).astype(np.int64)
