"""Means and variances from sums of shares, with intervals that are exact for their noise.

The released sums are weights of public corners (`query.shares`); the mean and the
mean square, about the middle of the clamp in units of its half width, are the mix of
the corners by their weights.  Each exact weight is within a half-width of the
released one, all at once: a box, whose image in the plane of the two is the hull of
the images of its vertices, as mixes are projective in the weights.  So

* the mean is between the least and the largest of the vertices;
* a variance ``q - m^2`` is concave in (m, q): it is least at a vertex, and at most
  ``q - 2 m t + t^2`` for every t, hence at most the largest of that at the vertices.

Nothing is linearised, small counts included.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.accuracy.confidence import simultaneous
from privlab.accuracy.gaussian import sqrt_up
from privlab.query.law import Law
from privlab.query.plan import Measure
from privlab.query.post import boxes
from privlab.query.post.boxes import Box, clamped, within
from privlab.query.post.certain import shares_range
from privlab.query.post.tree import Moment, SharesOut
from privlab.query.shares import CORNERS, family_of, whole

GRID = 1 << 40
ZERO = Fraction(0)
ROOTS = {Moment.STDDEV_POP: Moment.VAR_POP, Moment.STDDEV_SAMP: Moment.VAR_SAMP}

Found = tuple[Fraction, Box]
Point = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class _Mix:
    """Weights of corners.  count: of rows, each of which has a weight of one in all."""

    corners: tuple[Point, ...]
    weights: tuple[Fraction, ...]

    @property
    def count(self) -> Fraction:
        return sum(self.weights, ZERO)

    @property
    def point(self) -> Point:
        """(mean, mean square), for a count above zero."""
        count = self.count
        y, q = (
            sum((w * c[at] for w, c in zip(self.weights, self.corners, strict=True)), ZERO)
            for at in (0, 1)
        )
        return y / count, q / count

    def vertices(self, off: Sequence[Fraction]) -> list[Point] | None:
        """Of the box around it; None where no count is certain.  Exact sums are not negative."""
        ends = []
        for weight, by in zip(self.weights, off, strict=True):
            if weight + by < 0:
                return None
            ends.append((max(ZERO, weight - by), weight + by))
        if not any(low for low, _ in ends):
            return None
        return [_Mix(self.corners, one).point for one in itertools.product(*ends)]


class Mixes:
    """Statistics of one answer's shares."""

    def __init__(
        self,
        law: Law,
        measures: tuple[Measure, ...],
        vectors: Sequence[Sequence[Fraction]],
        precisions: Sequence[Fraction],
    ) -> None:
        self.law = law
        self.measures = measures
        self.vectors = vectors
        self.precisions = precisions
        self.widths: dict[tuple[int, Fraction], Fraction] = {}

    def of(self, out: SharesOut, cell: int, confidence: Fraction) -> Found:
        """The value, within what is possible, and the interval of the exact one."""
        sure = shares_range(out, self.measures)
        if out.kind in ROOTS:
            value, box = self.of(SharesOut(ROOTS[out.kind], out.parts), cell, confidence)
            return sqrt_up(value), within(boxes.root(box) or sure, sure)
        first = self.measures[out.parts[0]]
        half = (first.high - first.low) / 2
        mix, off = self.mix(out, cell, confidence)
        if out.kind is Moment.MEAN:
            value, box = _mean(mix, off)
            by, plus = half, first.low + half
        else:
            value, box = _variance(mix, off, less=out.kind is Moment.VAR_SAMP)
            by, plus = half**2, ZERO
        held = within(tuple(None if end is None else plus + by * end for end in box), sure)  # type: ignore[arg-type]
        return clamped(plus + by * value, held), held

    def mix(
        self, out: SharesOut, cell: int, confidence: Fraction
    ) -> tuple[_Mix, tuple[Fraction, ...]]:
        """The weights in rows, and how far each may be from the exact one."""
        each = simultaneous(confidence, len(out.parts))
        corners, weights, off = [], [], []
        for at in out.parts:
            measure = self.measures[at]
            if measure.share is None:
                raise TypeError("a mix is of shares")
            unit = whole(family_of(measure.share), measure.reach)
            key = at, each
            if key not in self.widths:
                self.widths[key] = self.law.half_width(self.precisions[at], each) / unit
            corners.append(CORNERS[measure.share])
            weights.append(self.vectors[at][cell] / unit)
            off.append(self.widths[key])
        return _Mix(tuple(corners), tuple(weights)), tuple(off)


def _mean(mix: _Mix, off: Sequence[Fraction]) -> Found:
    """In -1..1."""
    sure: Box = (Fraction(-1), Fraction(1))
    value = clamped(mix.point[0], sure) if mix.count > 0 else ZERO
    found = mix.vertices(off)
    if found is None:
        return value, sure
    return value, (min(y for y, _ in found), max(y for y, _ in found))


def _variance(mix: _Mix, off: Sequence[Fraction], *, less: bool) -> Found:
    """In 0..1, up to twice that where it is divided by one less; less: whether it is."""
    sure: Box = (ZERO, Fraction(1 + less))
    count = mix.count
    if count <= less:
        return Fraction(1, 3), sure
    y, q = mix.point
    value = clamped((q - y * y) * count / (count - less), sure)
    found = mix.vertices(off)
    if found is None:
        return value, sure
    low = max(ZERO, min(q - y * y for y, q in found))
    high = _highest(found)
    if high < low:
        return value, sure
    if less:
        most = sum(map(sum, zip(mix.weights, off, strict=True)), ZERO)
        fewest = max(Fraction(2), Fraction(math.ceil(2 * count - most)))
        low = low * most / (most - 1) if most > 1 else low
        high = high * fewest / (fewest - 1)
    return value, (low, high)


def _highest(found: Sequence[Point]) -> Fraction:
    """At least ``q - m^2`` anywhere in the hull; floats say at which t, and nothing else."""
    plain = [(float(y), float(q)) for y, q in found]

    def at(t: float) -> float:
        return max(q - 2 * y * t for y, q in plain) + t * t

    low, high = -1.0, 1.0
    for _ in range(40):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, two) if at(one) <= at(two) else (one, high)
    t = Fraction(round((low + high) / 2 * GRID), GRID)
    return max(q - 2 * y * t for y, q in found) + t * t
