"""Variances, covariances and correlations from noisy sums, with intervals.

For the exact means m of v and w about their centres, and the exact covariance c,
``S_vw - m_v S_w - m_w S_v + (m_v m_w - c) N`` is zero.  So of released sums it is
noise alone, of a variance that m and c decide: within intervals of the means the
released form says how far c can be.  Nothing is linearised, small counts included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.accuracy.confidence import outside, simultaneous
from privlab.accuracy.gaussian import ROUNDING, sqrt_up, z
from privlab.query.law import Intervals, law_of
from privlab.query.plan import Measure
from privlab.query.post import boxes
from privlab.query.post.boxes import Box, clamped, within
from privlab.query.post.certain import moment_range
from privlab.query.post.roots import sqrt_down
from privlab.query.post.tree import Moment, MomentOut
from privlab.terms.loss import Currency

FOR_MEANS = Fraction(1, 10)
"""Of what an interval may miss, what that of each of its means may miss."""

ZERO = Fraction(0)
NARROWINGS = 3
"""How often the range of a covariance is used to narrow itself."""

SAMPLE = frozenset({Moment.VAR_SAMP, Moment.STDDEV_SAMP, Moment.COVAR_SAMP})
ROOTS = {Moment.STDDEV_POP: Moment.VAR_POP, Moment.STDDEV_SAMP: Moment.VAR_SAMP}

Found = tuple[Fraction, Box]


@dataclass(frozen=True, slots=True)
class _Sums:
    """The measures of one second moment: of v, w, v * w, and the rows."""

    first: int
    second: int
    product: int
    count: int

    @property
    def squared(self) -> bool:
        return self.first == self.second

    @property
    def all(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys((self.first, self.second, self.product, self.count)))


class Moments:
    """Second moments of one answer's cells."""

    def __init__(
        self,
        currency: Currency,
        measures: tuple[Measure, ...],
        vectors: Sequence[Sequence[Fraction]],
        precisions: Sequence[Fraction],
    ) -> None:
        self.law = law_of(currency)
        self.gaussian = currency is Currency.GDP
        self.measures = measures
        self.vectors = vectors
        self.precisions = precisions
        self.intervals: dict[tuple[int, int, Fraction], Intervals] = {}

    def of(self, out: MomentOut, cell: int, confidence: Fraction) -> Found:
        """The value, within what is possible, and the interval of the exact one."""
        sums = _Sums(out.first, out.second, out.product, out.count)
        sure = moment_range(out, self.measures)
        if out.kind is Moment.CORR:
            return self.correlation(out, sums, cell, confidence)
        if out.kind in ROOTS:
            whole = MomentOut(ROOTS[out.kind], out.first, out.second, out.product, out.count)
            value, box = self.of(whole, cell, confidence)
            ends = boxes.root(box) or sure
            return sqrt_up(value), within(ends, sure)
        return self.second(sums, int(out.kind in SAMPLE), sure, cell, confidence)

    def correlation(self, out: MomentOut, sums: _Sums, cell: int, confidence: Fraction) -> Found:
        """A covariance over the root of two variances; the three hold together."""
        each = simultaneous(confidence, 1, 3)
        squares = out.squares
        if squares is None:
            raise ValueError("a correlation has sums of squares")
        value, box = self.second(sums, 0, self.range(sums), cell, each)
        found = []
        for index, square in zip((sums.first, sums.second), squares, strict=True):
            own = _Sums(index, index, square, sums.count)
            found.append(self.second(own, 0, self.range(own), cell, each))
        (v, (v_low, v_high)), (w, (w_low, w_high)) = found
        ends: list[Fraction] = []
        lows: Fraction = _known(v_low) * _known(w_low)
        highs: Fraction = _known(v_high) * _known(w_high)
        for end, side in ((_known(box[0]), -1), (_known(box[1]), 1)):
            near = end * side > 0  # towards one where the variances are small
            root = sqrt_down(lows) if near else sqrt_up(highs)
            ends.append(end / root if root else Fraction(side))
        one: Box = (Fraction(-1), Fraction(1))
        middle = value / sqrt_up(v * w) if v * w > 0 else Fraction(0)
        held = within((min(ends), max(ends)), one)
        return clamped(middle, one), held

    def range(self, sums: _Sums) -> Box:
        kind = Moment.VAR_POP if sums.squared else Moment.COVAR_POP
        out = MomentOut(kind, sums.first, sums.second, sums.product, sums.count)
        return moment_range(out, self.measures)

    def second(self, sums: _Sums, less: int, sure: Box, cell: int, confidence: Fraction) -> Found:
        """A covariance, or a variance of one value; less: 1 to divide by n - 1."""
        count = self.vectors[sums.count][cell]
        below = count - less
        if below <= 0:
            return (_known(sure[0]) + _known(sure[1])) / 2, sure
        s_v, s_w, s_vw = (
            self.vectors[index][cell] * self.measures[index].step
            for index in (sums.first, sums.second, sums.product)
        )
        s_vw += self.measures[sums.product].centre * count
        value = clamped((s_vw - s_v * s_w / count) / below, sure)
        event = _Event(self, sums, cell, confidence)
        m_v, m_w = event.mean(sums.first), event.mean(sums.second)
        corners = [
            s_vw - a * s_w - b * s_v + a * b * count
            for a in m_v
            for b in m_w
            if not sums.squared or a == b
        ]
        own = s_v / count
        if sums.squared and m_v[0] < own < m_v[1]:
            corners.append(s_vw - s_v * own)
        held = sure
        for _ in range(NARROWINGS):
            slack = event.slack(m_v, m_w, held)
            found = (min(corners) - slack) / below, (max(corners) + slack) / below
            if found[0] > _known(held[1]) or found[1] < _known(held[0]):
                return value, sure
            held = within(found, held)
        low, high = _known(held[0]), _known(held[1])
        return value, (min(low, value), max(high, value))


class _Event:
    """What holds with the stated confidence: the means, and the form's noise."""

    def __init__(self, moments: Moments, sums: _Sums, cell: int, confidence: Fraction) -> None:
        self.moments = moments
        self.sums = sums
        self.cell = cell
        if moments.gaussian:
            missed = outside(confidence)
            self.each = 100 * (1 - missed * FOR_MEANS)
            means = 1 if sums.squared else 2
            self.rest = 100 * (1 - missed * (1 - means * FOR_MEANS))
        else:
            self.each = simultaneous(confidence, len(sums.all))

    def mean(self, index: int) -> tuple[Fraction, Fraction]:
        """About the centre, within the clamp."""
        moments, measure = self.moments, self.moments.measures[index]
        total, count = (
            moments.vectors[index][self.cell],
            moments.vectors[self.sums.count][self.cell],
        )
        sure = measure.low - measure.centre, measure.high - measure.centre
        if moments.gaussian:
            key = index, self.sums.count, self.each
            if key not in moments.intervals:
                moments.intervals[key] = moments.law.intervals(
                    moments.precisions[index], moments.precisions[self.sums.count], self.each
                )
            steps = moments.intervals[key].of(total, count) if count > 0 else None
        else:
            width, rows = self.width(index), self.width(self.sums.count)
            fewest = max(Fraction(1), count - rows)
            steps = boxes.divide(
                (total - width, total + width), (fewest, max(fewest, count + rows))
            )  # type: ignore[assignment]
        if steps is None:
            return sure
        found = within((steps[0] * measure.step, steps[1] * measure.step), sure)
        return _known(found[0]), _known(found[1])

    def width(self, index: int) -> Fraction:
        """In steps, of Laplace noise."""
        return self.moments.law.half_width(self.moments.precisions[index], self.each)

    def slack(self, m_v: Box, m_w: Box, held: Box) -> Fraction:
        """The most that noise can have moved the form, for means and moments in these ranges."""
        sums, moments = self.sums, self.moments
        product = boxes.power(m_v, 2) if sums.squared else boxes.mul(m_v, m_w)
        low, high = product or boxes.ALL
        centre = moments.measures[sums.product].centre
        of_count = max(
            abs(centre + _known(high) - _known(held[0])),
            abs(centre + _known(low) - _known(held[1])),
        )
        of_first, of_second = _size(m_w), _size(m_v)
        weights = {sums.product: Fraction(1), sums.count: of_count}
        for index, by in ((sums.first, of_first), (sums.second, of_second)):
            weights[index] = weights.get(index, Fraction(0)) + by
        scaled = {index: by * moments.measures[index].step for index, by in weights.items()}
        if not moments.gaussian:
            return sum((by * self.width(index) for index, by in scaled.items()), Fraction(0))
        variance = sum(
            (by * by / moments.precisions[index] for index, by in scaled.items()), Fraction(0)
        )
        rounding = sum(scaled.values(), Fraction(0)) * ROUNDING
        return sqrt_up(z(self.rest) ** 2 * variance) + rounding


def _size(box: Box) -> Fraction:
    return max(abs(_known(box[0])), abs(_known(box[1])))


def _known(end: Fraction | None) -> Fraction:
    if end is None:
        raise ValueError("moments of clamped values are bounded")
    return end
