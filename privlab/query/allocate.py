"""How a target on a mean becomes precisions of its sum and its count.

A mean is ``centre + step * S / N``.  Noise of variance s on S (in steps^2) and
n on N moves it by a variance of about ``step^2 (s + r^2 n) / N^2``, where r is
how far the mean lies from the centre, in steps.  N and r are not known before
the answer: N is a count the asker holds or the declared size, r is taken as
half the radius.  The loss ``R^2 / s + 1 / n`` is smallest for ``n = s / (R r)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.accuracy.gaussian import sqrt_up, z
from privlab.query.plan import Measure, Out

OFF_CENTRE = Fraction(1, 2)
"""Where a mean is expected: this part of the radius away from the centre."""

CAUTION = Fraction(3, 4)
"""A first purchase trusts a noisy count this far, so that a second look at it,
a little lower, does not make the same question cost again."""

MARGIN = 1 + Fraction(1, 1 << 24)
"""What the grid of noise and the rounding of roots may take off a precision."""


@dataclass(frozen=True, slots=True)
class Target:
    """An output, and the half-width it should have, in its own unit."""

    name: str
    out: Out
    width: Fraction


def rows_per_group(
    cells: int,
    held_total: Fraction,
    counts: Sequence[Fraction] | None,
    rows: int | None,
) -> Fraction | None:
    """The rows of a typical group that a mean is priced for; None when unknown.

    With a declared size, that size over the cells; before the first purchase a
    count that the asker holds may lower it, afterwards it does not, so that the
    same question has the same price.  Without one, the median of the counts she
    holds, rounded down to a power of two.
    """
    declared = None if rows is None else max(Fraction(1), Fraction(rows, cells))
    typical = None if counts is None else _typical(counts)
    first = not held_total
    if declared is not None:
        return min(declared, typical) if first and typical is not None else declared
    if typical is None:
        return None
    size = max(Fraction(1), typical * CAUTION if first else typical)
    return Fraction(1 << (int(size).bit_length() - 1))


def _typical(counts: Sequence[Fraction]) -> Fraction | None:
    """The lower median of the counts that are at least one."""
    seen = sorted(count for count in counts if count >= 1)
    return seen[(len(seen) - 1) // 2] if seen else None


def for_mean(
    measure: Measure,
    width: Fraction,
    size: Fraction,
    confidence: Fraction,
    total: Fraction,
    count: Fraction,
) -> tuple[Fraction, Fraction]:
    """Precisions of the sum and the count, in 1 / steps^2, that meet ``width``.

    measure: the sum.  total, count: precisions wanted already for other
    columns; a count that is precise anyway leaves more room for the sum.
    """
    radius = Fraction(measure.radius)
    off = radius * OFF_CENTRE
    room = (width * size / (z(confidence) * measure.step)) ** 2
    of_count = room / (radius * off + off**2)
    if count * of_count > 1:
        of_count = 1 / count
    else:
        count = MARGIN / of_count
    of_total = room - off**2 * of_count
    return max(total, MARGIN / of_total), count


def expected_width(
    measure: Measure, size: Fraction, confidence: Fraction, total: Fraction, count: Fraction
) -> Fraction:
    """The half-width a mean will have at these precisions, if the guesses hold."""
    off = measure.radius * OFF_CENTRE
    return z(confidence) * sqrt_up(1 / total + off**2 / count) * measure.step / size
