"""Exact numbers as the 64-bit floats beside them, to a stated side.

Only for asking another library: nothing that is drawn or charged is a float.
"""

from __future__ import annotations

import math
from fractions import Fraction


def float_up(value: Fraction) -> float:
    """The smallest float that is at least ``value``.

    :raises OverflowError: it is beyond every float.
    """
    near = float(value)
    return near if Fraction(near) >= value else math.nextafter(near, math.inf)


def float_down(value: Fraction) -> float:
    """The largest float that is at most ``value``.

    :raises OverflowError: it is beyond every float.
    """
    near = float(value)
    return near if Fraction(near) <= value else math.nextafter(near, -math.inf)


def sqrt_up(square: Fraction) -> float:
    """The smallest float whose square is at least ``square``."""
    root = _sqrt_near(square)
    while Fraction(root) ** 2 < square:
        root = math.nextafter(root, math.inf)
    while Fraction(math.nextafter(root, 0.0)) ** 2 >= square:
        root = math.nextafter(root, 0.0)
    return root


def sqrt_down(square: Fraction) -> float:
    """The largest float whose square is at most ``square``."""
    root = sqrt_up(square)
    return root if Fraction(root) ** 2 == square else math.nextafter(root, 0.0)


def _sqrt_near(square: Fraction) -> float:
    """A float within a few steps of the root: 64 exact bits, then one rounding."""
    lift = 64 + (square.denominator.bit_length() - square.numerator.bit_length() + 1) // 2
    lift = max(lift, 0)
    return math.ldexp(math.isqrt((square.numerator << (2 * lift)) // square.denominator), -lift)
