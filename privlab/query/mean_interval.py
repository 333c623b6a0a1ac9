"""Intervals for a whole column of averages: Fieller's, in integers.

The same law as ``accuracy/ratio.py``, for many cells of one precision.  What the
cells share is worked out once, and each cell is then a few products and one root
of whole numbers, where Fractions would reduce every step.
"""

from __future__ import annotations

import math
from fractions import Fraction

from privlab.accuracy.gaussian import z

GRID = 64
"""Bits behind the point of an end, in steps of the total per step of the count."""

_ROOT_BITS = 128


class MeanIntervals:
    """Intervals of ``total / count`` with released values in whole steps or means of such.

    var_total, var_count: of the continuous Gaussians, in steps^2; confidence:
    percent.
    """

    def __init__(self, var_total: Fraction, var_count: Fraction, confidence: Fraction) -> None:
        square = z(confidence) ** 2
        of_total, of_count = square * var_total, square * var_count
        self.scale = math.lcm(of_total.denominator, of_count.denominator)
        self.of_total = int(of_total * self.scale)
        self.of_count = int(of_count * self.scale)

    def of(self, total: Fraction, count: Fraction) -> tuple[Fraction, Fraction] | None:
        """The ends, rounded outwards to 2^-64; None where ``fieller`` has none.

        Each value was rounded by at most half a step, so the interval is the
        hull over the four corners of what those roundings may have been.
        """
        unit = math.lcm(total.denominator, count.denominator)
        top = 2 * total.numerator * (unit // total.denominator)
        bottom = 2 * count.numerator * (unit // count.denominator)
        if abs(bottom) <= unit:
            return None
        lows, highs = [], []
        for t in (top - unit, top + unit):
            for c in (bottom - unit, bottom + unit):
                ends = self._corner(t, c, 2 * unit)
                if ends is None:
                    return None
                lows.append(ends[0])
                highs.append(ends[1])
        return Fraction(min(lows), 1 << GRID), Fraction(max(highs), 1 << GRID)

    def _corner(self, t: int, c: int, per: int) -> tuple[int, int] | None:
        """Both roots in units of 2^-64, for a total of t / per and a count of c / per."""
        lead = c * c * self.scale - self.of_count * per * per
        if lead <= 0:
            return None
        square = self.of_total * lead + self.of_count * t * t * self.scale
        lift = max(0, (_ROOT_BITS - square.bit_length() + 1) // 2)
        spread = (math.isqrt(square << (2 * lift)) + 1) * per
        middle = (t * c * self.scale) << lift
        below = lead << lift
        return (
            ((middle - spread) << GRID) // below,
            -((-(middle + spread) << GRID) // below),
        )
