"""How a target on a mean becomes precisions of its sum and its count.

A mean is ``centre + step * S / N``.  Noise of variance s on S (in steps^2) and
n on N moves it by a variance of about ``step^2 (s + r^2 n) / N^2``, where r is
how far the mean lies from the centre, in steps.  N and r are not known before
the answer: N is a count the asker holds or the declared size, whichever is
less, r is taken as half the radius.  The loss ``R^2 / s + 1 / n`` is smallest for ``n = s / (R r)``.

Laplace noise has no such variance to work with: a sum within h and a count
within g make a mean within ``step (h + r g) / (N - g)``, a box, and the loss
``R / h + 1 / g`` is smallest for ``h^2 = R (r + w) g^2``, where w is the wanted
half-width in steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.accuracy import gaussian, laplace
from privlab.accuracy.confidence import simultaneous
from privlab.accuracy.gaussian import sqrt_up, z
from privlab.query.plan import Measure, Out
from privlab.query.shares import CORNERS, LINE, family_of, whole
from privlab.terms.noise import DiscreteLaplace

ForMean = Callable[
    [Measure, Fraction, Fraction, Fraction, Fraction, Fraction], tuple[Fraction, Fraction]
]
"""The sum, a half-width, the rows of a group, a confidence, and the precisions of
sum and count that are wanted already; to the precisions that meet the half-width."""

MeanWidth = Callable[[Measure, Fraction, Fraction, Fraction, Fraction], Fraction]
"""The sum, the rows of a group, a confidence, and both precisions; to the half-width."""

ForLinear = Callable[
    [Mapping[int, Fraction], Mapping[int, int], Fraction, Fraction], dict[int, Fraction]
]
"""Weights per step and sensitivities, both by measure, a half-width and a
confidence; to the precisions that meet it at the least loss."""

OFF_CENTRE = Fraction(1, 2)
"""Where a mean is expected: this part of the radius away from the centre."""

CAUTION = Fraction(3, 4)
"""A purchase trusts a noisy count this far, so that a second look at it, a
little lower, does not make the same question cost again."""

SLACK = Fraction(9, 8)
"""A half-width that is held counts as met up to this factor: a noisy count that
is a little below the declared size is no reason to charge again."""

MARGIN = 1 + Fraction(1, 1 << 24)
"""What the grid of noise and the rounding of roots may take off a precision."""


@dataclass(frozen=True, slots=True)
class Target:
    """An output, and the half-width it should have, in its own unit."""

    name: str
    out: Out
    width: Fraction


def known_rows(cells: int, counts: Sequence[Fraction] | None, rows: int | None) -> Fraction | None:
    """The rows of a typical group, as far as the asker knows; None when unknown.

    rows: the declared size of the table, which knows of no WHERE and no bound;
    counts: the counts that the asker holds, a typical one of which is believed
    where it is less.  Unknown too where she holds counts and sees nobody.
    """
    declared = _declared(cells, rows)
    if counts is None:
        return declared
    typical = _typical(counts)
    if typical is None or declared is None:
        return typical
    return min(declared, typical)


def priced_rows(cells: int, counts: Sequence[Fraction] | None, rows: int | None) -> Fraction | None:
    """The rows of a group that a mean is priced for; None when unknown.

    The declared size over the cells, unless a typical count that the asker
    holds is less: then that one with caution, rounded down to a power of two,
    so that a count that is known a little better gives the same price.
    """
    declared = _declared(cells, rows)
    typical = None if counts is None else _typical(counts)
    if typical is None or (declared is not None and declared <= typical):
        return declared
    return Fraction(1 << (int(max(Fraction(1), typical * CAUTION)).bit_length() - 1))


def _declared(cells: int, rows: int | None) -> Fraction | None:
    return None if rows is None else max(Fraction(1), Fraction(rows, cells))


def _typical(counts: Sequence[Fraction]) -> Fraction | None:
    """The lower median of the counts that are at least one."""
    seen = sorted(count for count in counts if count >= 1)
    return seen[(len(seen) - 1) // 2] if seen else None


def for_linear(
    weights: Mapping[int, Fraction],
    sensitivities: Mapping[int, int],
    width: Fraction,
    confidence: Fraction,
) -> dict[int, Fraction]:
    """Precisions for which ``sum_i weight_i S_i`` is within ``width``.

    The variance ``sum a_i^2 / P_i`` is met at the least loss ``sum D_i P_i`` by
    ``P_i`` in proportion to ``a_i / sqrt(D_i)`` (Cauchy and Schwarz).

    :raises ValueError: rounding alone can move it that far.
    """
    room = width - sum(weights.values(), Fraction(0)) * gaussian.ROUNDING
    if room <= 0:
        raise ValueError("no noise is within what rounding moves")
    variance = (room / z(confidence)) ** 2
    roots = {at: sqrt_up(Fraction(sensitivities[at])) for at in weights}
    whole = sum((by * roots[at] for at, by in weights.items()), Fraction(0))
    return {at: by * whole / (roots[at] * variance) * MARGIN for at, by in weights.items()}


def for_boxed_linear(
    weights: Mapping[int, Fraction],
    sensitivities: Mapping[int, int],
    width: Fraction,
    confidence: Fraction,
) -> dict[int, Fraction]:
    """As `for_linear`, for discrete Laplace noise: half-widths add up.

    ``sum a_i h_i`` is met at the least loss ``sum D_i / h_i`` by ``h_i`` in
    proportion to ``sqrt(D_i / a_i)``.
    """
    each = simultaneous(confidence, len(weights))
    roots = {at: sqrt_up(sensitivities[at] / by) for at, by in weights.items()}
    whole = sum((by * roots[at] for at, by in weights.items()), Fraction(0))
    return {at: laplace.rate_for(width * roots[at] / whole, each) for at in weights}


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


def for_boxed_mean(
    measure: Measure,
    width: Fraction,
    size: Fraction,
    confidence: Fraction,
    total: Fraction,
    count: Fraction,
) -> tuple[Fraction, Fraction]:
    """As `for_mean`, for discrete Laplace noise; precisions in 1 / steps."""
    each = simultaneous(confidence, 2)
    wanted = width / measure.step
    weight = measure.radius * OFF_CENTRE + wanted
    room = wanted * size
    of_count = room / (weight + sqrt_up(measure.radius * weight))
    count = max(count, laplace.rate_for(of_count, each))
    rest = room - weight * _within(count, each)
    return max(total, laplace.rate_for(rest, each)), count


def boxed_width(
    measure: Measure, size: Fraction, confidence: Fraction, total: Fraction, count: Fraction
) -> Fraction:
    """As `expected_width`, for discrete Laplace noise; all of the clamp where a count may be zero."""
    each = simultaneous(confidence, 2)
    of_count = _within(count, each)
    if of_count >= size:
        return measure.high - measure.low
    off = measure.radius * OFF_CENTRE
    return (_within(total, each) + off * of_count) * measure.step / (size - of_count)


def shares_width(
    shares: Sequence[Measure], size: Fraction, confidence: Fraction, precision: Fraction
) -> Fraction:
    """The half-width that a mean from shares will have at this precision of each.

    All of the clamp where the rows may be none.
    """
    off = _within(precision, simultaneous(confidence, len(shares)))
    return min(per_step(shares) * off / size, shares[0].high - shares[0].low)


def for_shares(
    shares: Sequence[Measure], width: Fraction, size: Fraction, confidence: Fraction
) -> Fraction:
    """The precision of each share for which a mean is within ``width``."""
    each = simultaneous(confidence, len(shares))
    return laplace.rate_for(width * size / per_step(shares), each)


def per_step(shares: Sequence[Measure]) -> Fraction:
    """How far a mean of one row moves if each share moves by one, at the worst.

    Of two shares whose sum stays as it is; of three for a mean `OFF_CENTRE`.
    """
    one = shares[0]
    if one.share is None:
        raise TypeError("a mean from shares")
    family = family_of(one.share)
    span = sum((abs(CORNERS[share][0]) for share in family), Fraction(0))
    if family != LINE:
        span += OFF_CENTRE
    return (one.high - one.low) / 2 * span / whole(family, one.reach)


def _within(precision: Fraction, confidence: Fraction) -> Fraction:
    return laplace.half_width(DiscreteLaplace.at_most(precision), confidence)
