"""Confidences in percent: what one interval leaves out, and what many need each.

A confidence is the least chance that an interval holds the exact value.  Where
several intervals are to hold together, each of them needs a higher one.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from privlab.terms.exact import fraction, whole

LEAST_OUTSIDE = Fraction(1, 10**17)
"""What an interval may leave out is at least this."""

_GRID = 96
_WORK = 160


def outside(confidence: Fraction) -> Fraction:
    """The chance that an interval of this confidence may miss: ``1 - confidence / 100``.

    :raises ValueError: confidence, in percent, is not above 0 and at most 100 - 1e-15.
    """
    missed = 1 - fraction("a confidence", confidence) / 100
    if not LEAST_OUTSIDE <= missed < 1:
        raise ValueError("a confidence is a percentage between 0 and 100 - 1e-15")
    return missed


@lru_cache(maxsize=256, typed=True)
def simultaneous(confidence: Fraction, cells: int, sharing: int = 1) -> Fraction:
    """The confidence that each interval needs for all to hold together, in percent.

    cells: of independent noise; sharing: intervals in each cell, which may share
    noise in any way (a sum and the mean made of it).  ``cells * sharing``
    intervals of the confidence returned all hold with ``confidence`` at least.

    Across cells chances multiply (Sidak, "Rectangular confidence regions for the
    means of multivariate normal distributions", 1967): each cell needs the root,
    rounded up to a multiple of 2^-96.  Within a cell what is missed adds up
    (Bonferroni).  With ``cells = 1`` nothing is taken to be independent.

    :raises ValueError: a number is below one, or `outside` refuses the result.
    """
    if whole("a number of cells", cells) < 1 or whole("a number of intervals", sharing) < 1:
        raise ValueError(f"at least 1 cell and 1 interval, got {cells} and {sharing}")
    wanted = 1 - outside(confidence)
    each = 1 - (1 - _root_up(wanted, cells)) / sharing
    outside(100 * each)
    return 100 * each


def _root_up(wanted: Fraction, power: int) -> Fraction:
    """The smallest p on a grid of 2^-96 with ``p^power >= wanted`` proved."""
    if power == 1:
        return wanted
    low, high = 0, 1 << _GRID
    while high - low > 1:
        middle = (low + high) // 2
        if _power_down(middle, power) * wanted.denominator >= wanted.numerator << _WORK:
            high = middle
        else:
            low = middle
    return Fraction(high, 1 << _GRID)


def _power_down(base: int, power: int) -> int:
    """A whole number at most ``2^160 (base / 2^96)^power``, which is at most 2^160."""
    square, product = base << (_WORK - _GRID), 1 << _WORK
    while power:
        if power & 1:
            product = product * square >> _WORK
        square = square * square >> _WORK
        power >>= 1
    return product
