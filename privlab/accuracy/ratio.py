"""Intervals for a noisy sum over a noisy count.

Source: Fieller, "Some problems in interval estimation", JRSS B 16 (1954).  For
the true ratio r the error of ``total - r count`` is Gaussian with variance
``var_total + r^2 var_count``, so the r that are not too far off are the
solutions of a quadratic.  Unlike a linearised interval it covers as stated
even where the count is small, and it says so when nothing can be said.
"""

from __future__ import annotations

from fractions import Fraction

from privlab.accuracy.gaussian import ROUNDING, sqrt_up, z


def fieller(
    total: Fraction,
    var_total: Fraction,
    count: Fraction,
    var_count: Fraction,
    confidence: Fraction,
) -> tuple[Fraction, Fraction] | None:
    """(low, high) with P(low <= exact total / exact count <= high) >= confidence.

    total, count: released values in whole steps or means of such, with
    independent noise; var_total, var_count: of their continuous Gaussians, in
    steps^2; confidence: percent.  The ends are in steps of the total per step
    of the count, rounded outwards.

    None where the interval would be unbounded: the count cannot be told from
    zero.  The stated confidence counts None as covering.

    Each value was rounded, by at most half a step either way; the interval is
    the hull over the four corners of what those roundings may have been.
    """
    if var_total < 0 or var_count < 0:
        raise ValueError("a variance is not negative")
    if abs(count) <= ROUNDING:
        return None
    corners = [
        _corner(total + a, var_total, count + b, var_count, confidence)
        for a in (-ROUNDING, ROUNDING)
        for b in (-ROUNDING, ROUNDING)
    ]
    found = [corner for corner in corners if corner is not None]
    if len(found) < len(corners):
        return None
    return min(low for low, _ in found), max(high for _, high in found)


def _corner(
    total: Fraction,
    var_total: Fraction,
    count: Fraction,
    var_count: Fraction,
    confidence: Fraction,
) -> tuple[Fraction, Fraction] | None:
    """Both roots of (total - r count)^2 = z^2 (var_total + r^2 var_count), or None."""
    square = z(confidence) ** 2
    lead = count**2 - square * var_count
    if lead <= 0:
        return None
    middle = total * count
    spread = sqrt_up(square * (var_total * lead + var_count * total**2))
    return (middle - spread) / lead, (middle + spread) / lead
