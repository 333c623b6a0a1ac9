"""Bounds of a column from a histogram of its magnitudes: which sizes are surely there.

A size counts when so many units have it that noise alone would say so of any size with
a chance of one in a thousand million (`ALPHA`, over all sizes of one measurement).  The bounds
reach from the lowest size that counts to the highest; what lies beyond is of fewer
units than that and is clamped.  This is post-processing of a released vector.

Bounds are **frozen**: they are those of the first measurements, in the order in which
they were sealed, that give any, and more of them move nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.query.law import Law
from privlab.query.magnitude import reach
from privlab.terms.catalog import Scalar
from privlab.views.measurement import Measurement, held, merged

ALPHA = Fraction(1, 10**9)
"""How likely noise makes any size count that nobody has, at most, each time it is looked."""

TINY = Fraction(1, 1 << 32)
"""The width of bounds of a decimal column in which only zero counts."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """low <= value <= high, and at which of the measurements they were found."""

    low: Fraction
    high: Fraction
    at: int


def frozen_bounds(
    measured: Sequence[tuple[str, Measurement]],
    sizes: Sequence[Scalar | None],
    law: Law,
    *,
    whole: bool,
) -> Bounds | None:
    """The bounds that the first measurements give, or None while none are sure.

    measured: (view's id, measurement) in the order of their sealing; the
    measurements of one view are merged as they come.  sizes: the magnitude of each
    cell, None the cell of nulls.  whole: the column is of whole numbers.
    """
    views: dict[str, list[Measurement]] = {}
    for at, (view, one) in enumerate(measured):
        so_far = views.setdefault(view, [])
        so_far.append(one)
        least = threshold(held(so_far), len(sizes), law)
        sure = [
            size
            for size, count in zip(sizes, merged(so_far), strict=True)
            if isinstance(size, int) and count > least
        ]
        if sure:
            low, high = reach(min(sure), whole=whole)[0], reach(max(sure), whole=whole)[1]
            if low == high:
                high += 1 if whole else TINY
            return Bounds(low, high, at)
    return None


def threshold(precision: Fraction, cells: int, law: Law) -> Fraction:
    """The count that noise of this precision exceeds in none of the cells, but for `ALPHA`."""
    return law.half_width(precision, 100 * (1 - 2 * ALPHA / cells))
