"""Shares: a value written as a mix of public corners, so that all its moments cost one sensitivity.

A value in its clamp is ``k`` steps above the low end, of ``R`` in all.  Its shares
are whole numbers that are never negative and add up to one and the same number,
whatever k is:

``line``      above ``k`` and below ``R - k``, which add up to ``R``
``parabola``  inner ``32 k (R - k)``, right ``(4 k - R)^2`` and left ``(3 R - 4 k)^2``,
              which add up to ``10 R^2``

So one row moves the sums of all shares by that number together in L1, not by that
number each.  How many rows there are, the sum and (of a parabola) the sum of squares
are linear in them.  With ``y = 2 k / R - 1``, a row's place in the clamp, a share's
corner is the ``(y, y^2)`` that it stands for: a row is the mix of the corners by its
shares.  Proof: ``docs/proofs/shares.md``.

Integers alone; knows no rows and no noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction


class Share(StrEnum):
    """One share of a value."""

    ABOVE = "above"
    BELOW = "below"
    INNER = "inner"
    RIGHT = "right"
    LEFT = "left"


LINE = (Share.ABOVE, Share.BELOW)
PARABOLA = (Share.INNER, Share.RIGHT, Share.LEFT)
FAMILIES = (LINE, PARABOLA)

CORNERS: Mapping[Share, tuple[Fraction, Fraction]] = {
    Share.ABOVE: (Fraction(1), Fraction(1)),
    Share.BELOW: (Fraction(-1), Fraction(1)),
    Share.INNER: (Fraction(0), Fraction(-1, 4)),
    Share.RIGHT: (Fraction(5, 4), Fraction(1)),
    Share.LEFT: (Fraction(-5, 4), Fraction(1)),
}
"""(y, y^2) of each.  Of a line the second says nothing: its mix is above the parabola."""


def family_of(share: Share) -> tuple[Share, ...]:
    """The shares that it is bought with, itself included."""
    return next(family for family in FAMILIES if share in family)


def share_of(share: Share, k: int, reach: int) -> int:
    """The share of a value ``k`` steps above the low end, 0 <= k <= reach."""
    match share:
        case Share.ABOVE:
            return k
        case Share.BELOW:
            return reach - k
        case Share.INNER:
            return 32 * k * (reach - k)
        case Share.RIGHT:
            return (4 * k - reach) ** 2
        case Share.LEFT:
            return (3 * reach - 4 * k) ** 2


def largest(share: Share, reach: int) -> int:
    """At least the share of any value, and that of one where ``reach`` is even."""
    match share:
        case Share.ABOVE | Share.BELOW:
            return reach
        case Share.INNER:
            return 8 * reach**2
        case Share.RIGHT | Share.LEFT:
            return 9 * reach**2


def whole(family: tuple[Share, ...], reach: int) -> int:
    """What the shares of one value add up to."""
    return reach if family == LINE else 10 * reach**2
