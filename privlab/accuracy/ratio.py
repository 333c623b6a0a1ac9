"""Intervals for a noisy sum over a noisy count.

Source: Fieller, "Some problems in interval estimation", JRSS B 16 (1954).  For
the true ratio r the error of ``total - r count`` is Gaussian with variance
``var_total + r^2 var_count``, so the r that are not too far off are the
solutions of a quadratic.  Unlike a linearised interval it covers as stated
even where the count is small, and it says so when nothing can be said.
"""

from __future__ import annotations

import math
from fractions import Fraction

from privlab.accuracy.gaussian import z

GRID = 64
"""Bits behind the point of an end, in steps of the total per step of the count."""

_ROOT_BITS = 128


class RatioIntervals:
    """Intervals of ``total / count`` for many cells of one precision.

    var_total, var_count: of the continuous Gaussians, in steps^2; confidence:
    percent.  P(low <= exact total / exact count <= high) >= confidence, where
    None counts as covering.  What the cells share is worked out once, and each
    cell is then a few products and one root of whole numbers.
    """

    def __init__(self, var_total: Fraction, var_count: Fraction, confidence: Fraction) -> None:
        if var_total < 0 or var_count < 0:
            raise ValueError("a variance is not negative")
        square = z(confidence) ** 2
        of_total, of_count = square * var_total, square * var_count
        self.scale = math.lcm(of_total.denominator, of_count.denominator)
        self.of_total = int(of_total * self.scale)
        self.of_count = int(of_count * self.scale)

    def of(self, total: Fraction, count: Fraction) -> tuple[Fraction, Fraction] | None:
        """(low, high), in steps of the total per step of the count.

        total, count: released values in whole steps or means of such, with
        independent noise.  The ends are rounded outwards to 2^-64.

        None where the interval would be unbounded: the count cannot be told
        from zero.

        Each value was rounded, by at most half a step either way; the interval is
        the hull over the four corners of what those roundings may have been.
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
        """Both roots of (total - r count)^2 = z^2 (var_total + r^2 var_count), or None.

        In units of 2^-64, for a total of t / per and a count of c / per.
        """
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


def fieller(
    total: Fraction,
    var_total: Fraction,
    count: Fraction,
    var_count: Fraction,
    confidence: Fraction,
) -> tuple[Fraction, Fraction] | None:
    """The interval of one cell; see `RatioIntervals`.  For tests."""
    return RatioIntervals(var_total, var_count, confidence).of(total, count)
