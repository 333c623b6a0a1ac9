"""Works out the value of every output for every cell of the released vectors.

Values are exact functions of what was released.  Which rows are left, and in
which order windows see them, is decided here too; how far off a value may be is
for ``intervals``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

from privlab.query.epoch import dated, value_of
from privlab.query.labels import with_labels
from privlab.query.law import Intervals, law_of
from privlab.query.plan import Question
from privlab.query.post import functions
from privlab.query.post.boxes import Box, clamped
from privlab.query.post.certain import certain
from privlab.query.post.functions import Value
from privlab.query.post.linear import ONE, Combination, Rational, rational
from privlab.query.post.mixes import Mixes
from privlab.query.post.moments import Moments
from privlab.query.post.noise import Combined, Noises, merged
from privlab.query.post.tree import (
    CallOut,
    KeyOut,
    LiteralOut,
    MeanOut,
    MeasureOut,
    MomentOut,
    Order,
    Out,
    OutOp,
    Over,
    SharesOut,
    WindowOut,
    parts,
)
from privlab.query.post.windows import Frames, frames, ranked, shifted, sorted_by
from privlab.terms.groups import ShownGroups


class Reading:
    """Reads cells of released vectors.  ``cells``: those windows see, in public order.

    full: as many groups are shown as may be, so there may be others that reached the threshold.
    """

    def __init__(
        self,
        question: Question,
        vectors: Sequence[Sequence[Fraction]],
        precisions: Sequence[Fraction],
        confidence: Fraction,
        groups: ShownGroups | None = None,
    ) -> None:
        self.plan = question.plan
        self.groups = groups
        self.full = groups is not None and len(groups.labels) >= question.plan.cells
        self.places: list[tuple[int, ...]] = []
        if groups is not None:
            self.plan, self.places = with_labels(question.plan, groups.labels)
        self.measures = question.plan.measures
        self.vectors = vectors
        self.precisions = precisions
        self.confidence = confidence
        self.law = law_of(question.currency)
        self.noises = Noises(question.currency, self.measures, precisions)
        self.moments = Moments(question.currency, self.measures, vectors, precisions)
        self.mixes = Mixes(self.law, self.measures, vectors, precisions)
        if groups is None:
            self.places = list(
                itertools.product(*(range(len(key.values)) for key in self.plan.keys))
            )
        self.cells: list[int] = list(range(len(self.places)))
        self.ratios: dict[tuple[int, int, Fraction], Intervals] = {}
        self.columns: dict[Out, dict[int, Value]] = {}
        self.combinations: dict[tuple[Out, int], Combined | None] = {}
        self.windows: dict[Out, Frames] = {}
        self.shapes: dict[Out, Rational | None] = {}
        self.ranges: dict[Out, Box] = {}

    # --- which rows, and in which order ---

    def keep(self, conditions: Sequence[Out]) -> None:
        """Only cells for which every condition is known to hold."""
        for one in conditions:
            values = self.values(one)
            self.cells = [cell for cell in self.cells if values[cell] is True]

    def sort(self, order: Sequence[Order]) -> None:
        """Stable: what is equal keeps its order."""
        self.cells = sorted_by(self.cells, order, self.values)

    # --- values ---

    def values(self, out: Out) -> dict[int, Value]:
        """The value of each cell that is left; of all where no window takes part."""
        if out not in self.columns:
            self.columns[out] = self._values(out)
        return self.columns[out]

    def _values(self, out: Out) -> dict[int, Value]:
        shape = self.shape(out)
        match out:
            case KeyOut(index=index):
                values = self.plan.keys[index].values
                return {cell: values[self.places[cell][index]] for cell in self.cells}
            case LiteralOut(value=value):
                return dict.fromkeys(self.cells, value)
            case MeasureOut(index=index):
                step, kind = self.measures[index].step, dated(self.measures[index])
                numbers = {cell: self.vectors[index][cell] * step for cell in self.cells}
                if kind is None:
                    return {**numbers}
                return {cell: value_of(number, kind) for cell, number in numbers.items()}
            case MeanOut() | MomentOut() | SharesOut():
                return {cell: self.statistic(out, cell, self.confidence)[0] for cell in self.cells}
            case WindowOut():
                return self._over(out)
        if shape is not None and not shape.linear:
            return {cell: self.quotient(out, shape, cell) for cell in self.cells}
        match out:
            case CallOut(op=op, args=args):
                columns = [self.arguments(op, arg) for arg in args]
                return {
                    cell: functions.value(op, [column[cell] for column in columns])
                    for cell in self.cells
                }
        raise TypeError(out)

    def arguments(self, op: OutOp, arg: Out) -> dict[int, Value]:
        """The values a function is given: within what is certain, for a root's sake."""
        values = self.values(arg)
        if op not in (OutOp.SQRT, OutOp.LN, OutOp.POWER):
            return values
        sure = self.sure(arg)
        numbers = {cell: functions.number(value) for cell, value in values.items()}
        return {
            cell: None if value is None else clamped(value, sure) for cell, value in numbers.items()
        }

    def quotient(self, out: Out, shape: Rational, cell: int) -> Value:
        """A ratio within what is certain; the middle of that where nothing divides."""
        sure = self.sure(out)
        top, bottom = (self.total(one, cell) for one in (shape.top, shape.bottom))
        if top is None or bottom is None:
            return None
        positive = self.positive(shape.bottom)
        if bottom == 0 or (positive and bottom < 0):
            low, high = sure
            return None if low is None or high is None else (low + high) / 2
        return functions.shown(clamped(top / bottom, sure))

    def positive(self, combination: Combination) -> bool:
        """Whether it is certainly not negative."""
        lows = [Fraction(0) if leaf == ONE else self.sure(leaf)[0] for leaf in combination]
        return all(low is not None and low >= 0 for low in lows) and min(combination.values()) >= 0

    def total(self, combination: Combination, cell: int) -> Fraction | None:
        found = combination.get(ONE, Fraction(0))
        for leaf, by in combination.items():
            if leaf != ONE:
                one = self.combined(leaf, cell)
                if one is None:
                    return None
                found += by * one.value
        return found

    # --- windows ---

    def frames(self, out: WindowOut) -> Frames:
        if out not in self.windows:
            self.windows[out] = frames(
                out,
                self.cells,
                lambda cell: tuple(self.places[cell][key] for key in out.partition),
                self.values,
            )
        return self.windows[out]

    def _over(self, out: WindowOut) -> dict[int, Value]:
        found = self.frames(out)
        if out.kind in (Over.RANK, Over.DENSE_RANK, Over.ROW_NUMBER):
            return {cell: ranked(out, found, cell) for cell in self.cells}
        if out.of is None:
            return {cell: len(found.seen(cell)) for cell in self.cells}
        values = self.values(out.of)
        if out.kind is Over.SHIFT:
            moved = {cell: shifted(out, found, cell) for cell in self.cells}
            return {cell: None if at is None else values[at] for cell, at in moved.items()}
        return _folded(out, found, values, self.cells)

    # --- shapes ---

    def shape(self, out: Out) -> Rational | None:
        """A ratio of linear combinations of noise; None for what is none.

        The count that a threshold tested has no such noise in the groups that are shown.
        """
        if out not in self.shapes:
            hidden = any(self.tested(part) for part in parts(out))
            self.shapes[out] = None if hidden else rational(out, self.measures)
        return self.shapes[out]

    def tested(self, out: Out) -> bool:
        """Whether it is the count that decided which groups are shown."""
        return (
            self.groups is not None
            and isinstance(out, MeasureOut)
            and out.index == self.plan.tested
        )

    def sure(self, out: Out) -> Box:
        if out not in self.ranges:
            self.ranges[out] = certain(out, self.measures)
        return self.ranges[out]

    def combined(self, leaf: Out, cell: int) -> Combined | None:
        """The released numbers a leaf is made of; None for a row that is not there."""
        key = leaf, cell
        if key not in self.combinations:
            self.combinations[key] = self._combined(leaf, cell)
        return self.combinations[key]

    def _combined(self, leaf: Out, cell: int) -> Combined | None:
        if isinstance(leaf, MeasureOut):
            step = self.measures[leaf.index].step
            terms = {(leaf.index, cell): step}
            return Combined(self.vectors[leaf.index][cell] * step, terms)
        if not isinstance(leaf, WindowOut) or leaf.of is None:
            raise TypeError(leaf)
        shape, found = self.shape(leaf.of), self.frames(leaf)
        if shape is None:
            raise TypeError(leaf)
        if leaf.kind is Over.SHIFT:
            at = shifted(leaf, found, cell)
            return None if at is None else self.added(shape.top, [at], Fraction(1))
        seen = found.seen(cell)
        first = found.whole[cell][0]
        if not leaf.running and cell != first:
            return self.combined(leaf, first)  # one for all rows of the partition
        by = Fraction(1, len(seen)) if leaf.kind is Over.MEAN else Fraction(1)
        before = found.first[cell]
        if leaf.running and before and leaf.kind is Over.SUM:
            sum_before = self.combinations.get((leaf, found.whole[cell][before - 1]))
            new = self.added(shape.top, seen[before:], by)
            if sum_before is not None and new is not None:  # rows are apart: nothing adds up twice
                return Combined(sum_before.value + new.value, {**sum_before.terms, **new.terms})
        return self.added(shape.top, seen, by)

    def added(
        self, combination: Combination, cells: Sequence[int], by: Fraction
    ) -> Combined | None:
        """A linear combination, added up over cells; a row that is not there adds nothing."""
        parts: list[tuple[Fraction, Combined]] = []
        constant = Fraction(0)
        for cell in cells:
            own = self.parts(combination, cell)
            if own is not None:
                parts += own
                constant += combination.get(ONE, Fraction(0))
        if not parts:
            return None
        value = constant + sum(factor * one.value for factor, one in parts)
        return Combined(by * value, {term: by * factor for term, factor in merged(parts).items()})

    def parts(self, combination: Combination, cell: int) -> list[tuple[Fraction, Combined]] | None:
        """Coefficients and what they multiply; None when a part is not there."""
        found = [(by, self.combined(leaf, cell)) for leaf, by in combination.items() if leaf != ONE]
        known = [(by, one) for by, one in found if one is not None]
        return known if len(known) == len(found) else None

    # --- means and moments ---

    def statistic(
        self, out: MeanOut | MomentOut | SharesOut, cell: int, confidence: Fraction
    ) -> tuple[Fraction, Box]:
        if isinstance(out, SharesOut):
            return self.mixes.of(out, cell, confidence)
        if isinstance(out, MomentOut):
            return self.moments.of(out, cell, confidence)
        return self.mean(out.total, out.count, cell, confidence)

    def mean(self, total: int, count: int, cell: int, confidence: Fraction) -> tuple[Fraction, Box]:
        """centre + step * total / count, within what clamped values allow.

        Every cell gets a value and an interval, whatever its noise: were some
        left out for their noise, the intervals of the others would not cover.
        The interval is Fieller's within the clamp, where the exact mean lies;
        all of the clamp where Fieller's is unbounded or lies outside of it.
        """
        measure = self.measures[total]
        low = (measure.low - measure.centre) / measure.step
        high = (measure.high - measure.centre) / measure.step
        top, bottom = self.vectors[total][cell], self.vectors[count][cell]
        interval = None if bottom <= 0 else self.ratio(total, count, cell, confidence)
        ratio = (low + high) / 2 if bottom <= 0 else top / bottom
        if interval is not None and interval[0] < high and low < interval[1]:
            low, high = max(low, interval[0]), min(high, interval[1])
        ratio = min(max(ratio, low), high)
        found = [measure.centre + measure.step * one for one in (ratio, low, high)]
        return found[0], (found[1], found[2])

    def ratio(
        self, total: int, count: int, cell: int, confidence: Fraction
    ) -> tuple[Fraction, Fraction] | None:
        """In steps; what the cells of one ratio share is worked out once."""
        key = total, count, confidence
        if key not in self.ratios:
            self.ratios[key] = self.law.intervals(
                self.precisions[total], self.precisions[count], confidence
            )
        return self.ratios[key].of(self.vectors[total][cell], self.vectors[count][cell])


def _fold(kind: Over, seen: list[Fraction]) -> Value:
    if kind is Over.COUNT:
        return len(seen)
    if not seen:
        return None
    if kind in (Over.MIN, Over.MAX):
        return min(seen) if kind is Over.MIN else max(seen)
    total = sum(seen, Fraction(0))
    return functions.shown(total if kind is Over.SUM else total / len(seen))


def _folded(
    out: WindowOut, found: Frames, values: dict[int, Value], cells: Sequence[int]
) -> dict[int, Value]:
    """Sums and the like of numbers; what is null takes no part."""
    known: dict[tuple[int, int], Value] = {}
    result: dict[int, Value] = {}
    for cell in cells:
        key = found.whole[cell][0], found.ends[cell]
        if key not in known:
            numbers = [functions.number(values[one]) for one in found.seen(cell)]
            seen = [one for one in numbers if one is not None]
            known[key] = _fold(out.kind, seen)
        result[cell] = known[key]
    return result
