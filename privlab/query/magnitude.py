"""Magnitudes: how large a number is, in powers of two and with its sign.

``MAGNITUDE(x)`` is how many of the powers 2^-32, 2^-31, ..., 2^63 are not above x,
less how many are not above -x.  So it is 0 where |x| is below 2^-32, and +k or -k
where ``2^(k - 33) <= |x| < 2^(k - 32)``: 33 is 1, 34 is 2 and 3, 35 is 4 to 7; 96 is
2^63 and all that is larger.  It never falls as x rises, is exact, and has 193 values
whatever the rows are, so it can form groups of any column of numbers.
"""

from __future__ import annotations

import math
from fractions import Fraction

FIRST = -32
"""The exponent of the least power that is counted."""

LAST = 63
"""The exponent of the greatest: no int64 but its least reaches it."""

MOST = LAST - FIRST + 1
"""The greatest magnitude."""

ONE = 1 - FIRST
"""The magnitude of 1; no whole number but 0 has a smaller one."""


def magnitude_of(value: int | float | Fraction) -> int:
    """The magnitude of a number that is not NaN, exact.  Infinite ones have the greatest."""
    if isinstance(value, float) and math.isinf(value):
        return MOST if value > 0 else -MOST
    exact = abs(Fraction(value))
    if not exact:
        return 0
    below = exact.numerator.bit_length() - exact.denominator.bit_length() - 1
    exponent = below + 1 if exact >= Fraction(2) ** (below + 1) else below
    size = min(max(exponent - FIRST + 1, 0), MOST)
    return -size if value < 0 else size


def reach(magnitude: int, *, whole: bool) -> tuple[Fraction, Fraction]:
    """The least and the greatest number of a magnitude; of decimals, the upper edge.

    The 0 of decimals is 0 alone here: what is smaller than 2^-32 counts as nothing.
    """
    if magnitude < 0:
        low, high = reach(-magnitude, whole=whole)
        return -high, -low
    if magnitude == 0:
        return Fraction(0), Fraction(0)
    low, high = (Fraction(2) ** (magnitude - ONE + at) for at in (0, 1))
    return low, high - 1 if whole else high


def magnitudes(least: int, greatest: int, *, whole: bool) -> list[int]:
    """Every magnitude between two that a number, or a whole number, can have."""
    return [one for one in range(least, greatest + 1) if not whole or not 0 < abs(one) < ONE]
