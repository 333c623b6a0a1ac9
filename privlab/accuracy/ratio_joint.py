"""Intervals for a ratio of two linear combinations that may share their noise.

A share is a part over a whole that the part belongs to, and a mean plus a
constant is a ratio again: top and bottom have noise in common.  The error of
``top - r bottom`` is Gaussian all the same, of variance
``v_top - 2 r v_both + r^2 v_bottom``, and Fieller's argument (`ratio`) holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from privlab.accuracy.gaussian import sqrt_up, z


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear combination of released values.

    value: what was released; variance: of its Gaussian error; rounding: the most
    that the rounding of its parts can have moved it.
    """

    value: Fraction
    variance: Fraction
    rounding: Fraction


def joint(
    top: Linear, bottom: Linear, covariance: Fraction, confidence: Fraction
) -> tuple[Fraction, Fraction] | None:
    """(low, high) of exact top / exact bottom; None where it would be unbounded.

    covariance: of the two Gaussian errors; confidence: percent.  P(low <= ratio
    <= high) >= confidence, where None counts as covering.  The hull over the four
    corners of what roundings may have been, as in `ratio`.
    """
    if abs(bottom.value) <= bottom.rounding:
        return None
    square = z(confidence) ** 2
    ends: list[Fraction] = []
    for t in {top.value - top.rounding, top.value + top.rounding}:
        for b in {bottom.value - bottom.rounding, bottom.value + bottom.rounding}:
            lead = b * b - square * bottom.variance
            if lead <= 0:
                return None
            middle = t * b - square * covariance
            rest = t * t - square * top.variance
            spread = sqrt_up(max(Fraction(0), middle * middle - lead * rest))
            ends += [(middle - spread) / lead, (middle + spread) / lead]
    return min(ends), max(ends)
