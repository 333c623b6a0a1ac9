"""Intervals for a noisy sum over a noisy count, whatever the law of their noise.

Where noise is not Gaussian the error of ``total - r count`` has no quantile that
is the same for all r, as Fieller's interval needs (`ratio`).  So the sum and the
count each get an interval, both hold together with the stated chance, and the
ratios of what the two allow are the interval.
"""

from __future__ import annotations

import math
from fractions import Fraction

from privlab.accuracy.confidence import simultaneous
from privlab.accuracy.laws import half_width
from privlab.terms.noise import Noise


class BoxIntervals:
    """Intervals of ``total / count`` for many cells of the same noise.

    total, count: the noise of each, independent of the other, in its own steps;
    confidence: percent.  P(low <= exact total / exact count <= high) >=
    confidence wherever the exact count is at least one step, as it has to be for
    the ratio to exist; None counts as covering.

    :raises ValueError: the confidence, see `outside`.
    """

    def __init__(self, total: Noise, count: Noise, confidence: Fraction) -> None:
        each = simultaneous(confidence, 2)
        self.total = half_width(total, each)
        self.count = half_width(count, each)

    def of(self, total: Fraction, count: Fraction) -> tuple[Fraction, Fraction] | None:
        """(low, high), in steps of the total per step of the count; exact.

        total, count: released values in whole steps.  The exact count is whole and
        at least one, which bounds the interval however small the released count is.

        None where no such count is possible: the released one is too negative.
        """
        fewest = max(1, math.ceil(count - self.count))
        most = math.floor(count + self.count)
        if most < fewest:
            return None
        least, largest = total - self.total, total + self.total
        return (
            least / (fewest if least < 0 else most),
            largest / (fewest if largest > 0 else most),
        )
