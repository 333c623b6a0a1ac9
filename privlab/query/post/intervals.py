"""How far off every output of every cell may be.

Three kinds of intervals, the best that the shape of an output allows: exact ones
of what is linear in the noise or a ratio of such; those of means and moments;
and, for everything else, interval arithmetic over intervals of its parts that
all hold together.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from privlab.accuracy.confidence import simultaneous
from privlab.accuracy.shown import ShownIntervals
from privlab.query.plan import MeasureKind
from privlab.query.post import boxes, functions
from privlab.query.post.boxes import Box, within
from privlab.query.post.functions import Value
from privlab.query.post.linear import ONE, Rational
from privlab.query.post.reading import Reading
from privlab.query.post.tree import (
    CallOut,
    KeyOut,
    LiteralOut,
    MeanOut,
    MeasureOut,
    MomentOut,
    Out,
    OutOp,
    Over,
    SharesOut,
    WindowOut,
)
from privlab.query.post.windows import shifted

Estimate = tuple[Value, Fraction | None]
"""A value and its half-width, which a key has not."""

Boxed = dict[int, Box | None]
RANKS = frozenset({Over.RANK, Over.DENSE_RANK, Over.ROW_NUMBER})
EVERY: frozenset[bool | None] = frozenset({True, False, None})


class Intervals:
    """Intervals of what a `Reading` reads, for the cells that it has left."""

    def __init__(self, reading: Reading, confidence: Fraction) -> None:
        self.reading = reading
        self.confidence = confidence
        self.measures = reading.measures

    @property
    def cells(self) -> list[int]:
        return self.reading.cells

    def estimates(self, out: Out) -> dict[int, Estimate]:
        """The value of each cell, and a half-width that reaches the farther end."""
        values = self.reading.values(out)
        if isinstance(out, KeyOut) or self.chosen(out):
            return {cell: (values[cell], None) for cell in self.cells}
        held = self.intervals(out)
        found: dict[int, Estimate] = {}
        for cell in self.cells:
            value = functions.number(values[cell])
            low, high = held.get(cell) or boxes.ALL
            if value is None or low is None or high is None:
                found[cell] = value, None
            else:
                found[cell] = value, max(high - value, value - low)
        return found

    def chosen(self, out: Out) -> bool:
        """Whether it is a quantile: ranks are known, and of its value only the range."""
        return isinstance(out, MeasureOut) and self.measures[out.index].chosen

    def intervals(self, out: Out) -> Boxed:
        """An interval of each cell at the asked confidence."""
        parts = self.atoms(out)
        if parts <= 1:
            return self.boxed(out, self.confidence)
        return self.boxed(out, simultaneous(self.confidence, 1, parts))

    def atoms(self, out: Out) -> int:
        """How many intervals an interval of ``out`` is made of."""
        return len(self._atoms(out, 1))

    def _atoms(self, out: Out, copies: int) -> set[tuple[Out, int]]:
        """Parts with intervals of their own; each once for every row a window sees."""
        if self.reading.tested(out):
            return {(out, copy) for copy in range(copies)}
        if self.reading.shape(out) is not None or isinstance(out, MeanOut | MomentOut | SharesOut):
            noisy = not (isinstance(out, LiteralOut))
            return {(out, copy) for copy in range(copies)} if noisy else set()
        match out:
            case CallOut(args=args):
                return set().union(*(self._atoms(arg, copies) for arg in args))
            case WindowOut(of=of) if of is not None:
                if out.kind is Over.SHIFT:
                    return self._atoms(of, max(2, copies))
                found = self.reading.frames(out)
                most = max((len(found.whole[cell]) for cell in self.cells), default=1)
                return self._atoms(of, max(copies, most))
        return set()

    def boxed(self, out: Out, confidence: Fraction) -> Boxed:
        """What each cell may be, parts being inside their intervals of ``confidence``."""
        match out:
            case LiteralOut() | KeyOut():
                values = self.reading.values(out)
                exact = {cell: functions.number(value) for cell, value in values.items()}
                return {cell: None if v is None else (v, v) for cell, v in exact.items()}
            case MeanOut() | MomentOut() | SharesOut():
                return {
                    cell: self.reading.statistic(out, cell, confidence)[1] for cell in self.cells
                }
        if self.chosen(out):
            return dict.fromkeys(self.cells, self.reading.sure(out))
        if self.reading.tested(out):
            return self._tested(confidence)
        shape = self.reading.shape(out)
        if shape is not None:
            return self._exact(out, shape, confidence)
        match out:
            case CallOut(op=OutOp.CASE, args=args):
                return self._choice(args, confidence)
            case CallOut(op=OutOp.COALESCE, args=args):
                return self._first(args, confidence)
            case CallOut(op=op, args=args) if op not in functions.CONDITIONS:
                inner = [self.boxed(arg, confidence) for arg in args]
                given = [one.value if isinstance(one, LiteralOut) else None for one in args]
                sure = self.reading.sure(out)
                found: Boxed = {}
                for cell in self.cells:
                    box = functions.box(op, [one.get(cell) for one in inner], given)
                    found[cell] = within(box or boxes.ALL, sure)
                return found
            case WindowOut():
                return self._boxed_over(out, confidence)
        return {}

    def _tested(self, confidence: Fraction) -> Boxed:
        """Of the count that a threshold tested, given that the group is shown.

        Where only the largest are shown, what the others' noisy counts are given a group is
        shown from the smallest of them on: that is its threshold then.
        """
        reading, groups = self.reading, self.reading.groups
        if groups is None:
            raise TypeError("no threshold was tested")
        at = reading.plan.tested
        least = min(reading.vectors[at], default=groups.threshold) if reading.full else 0
        threshold = max(groups.threshold, int(least))
        shown = ShownIntervals(1 / reading.precisions[at], threshold, confidence)
        found: Boxed = {}
        for cell in self.cells:
            low, high = shown.of(int(reading.vectors[at][cell]))
            found[cell] = Fraction(low), Fraction(high)
        return found

    def _exact(self, out: Out, shape: Rational, confidence: Fraction) -> Boxed:
        """Of what is linear, or a ratio."""
        quick = self._quick(out, shape, confidence)
        if quick is not None:
            return quick
        sure = boxes.ALL if shape.linear else self.reading.sure(out)
        found: Boxed = {}
        constants = shape.top.get(ONE, Fraction(0)), shape.bottom.get(ONE, Fraction(0))
        for cell in self.cells:
            top, bottom = (self.reading.parts(one, cell) for one in (shape.top, shape.bottom))
            if top is None or bottom is None:
                found[cell] = None
            elif shape.linear:
                found[cell] = self.reading.noises.interval(top, constants[0], confidence)
            else:
                ratio = self.reading.noises.ratio(top, bottom, constants, confidence)
                found[cell] = within(ratio or boxes.ALL, sure)
        return found

    def _quick(self, out: Out, shape: Rational, confidence: Fraction) -> Boxed | None:
        """One computation for all cells, where each has the same noise; else None."""
        leaves = [leaf for leaf in shape.top if leaf != ONE]
        if not self.cells or not all(isinstance(leaf, MeasureOut) for leaf in leaves):
            return None
        constant = shape.top.get(ONE, Fraction(0))
        if shape.linear:
            low, high = self.reading.noises.interval(
                self.reading.parts(shape.top, self.cells[0]) or [], constant, confidence
            )
            width = _width(low, high) / 2
            values = {cell: self.reading.total(shape.top, cell) for cell in self.cells}
            return {
                cell: None if value is None else (value - width, value + width)
                for cell, value in values.items()
            }
        below, sure = list(shape.bottom), self.reading.sure(out)
        above = [leaf for leaf in leaves if leaf not in below]
        if len(below) > 1 or len(above) != 1 or constant:
            return None
        count, total = below[0], above[0]
        if not isinstance(total, MeasureOut) or not isinstance(count, MeasureOut):
            return None
        counts = self.measures[count.index].kind is not MeasureKind.SUM
        if not (counts or self.reading.noises.gaussian):
            return None
        under = shape.bottom[count]
        by, plus = shape.top[total] / under, shape.top.get(count, Fraction(0)) / under
        scale = by * self.measures[total.index].step / self.measures[count.index].step
        found: Boxed = {}
        for cell in self.cells:
            ends = self.reading.ratio(total.index, count.index, cell, confidence)
            box = boxes.ALL if ends is None else _moved(ends, scale, plus)
            found[cell] = within(box, sure)
        return found

    def _choice(self, args: Sequence[Out], confidence: Fraction) -> Boxed:
        """All that a CASE may give: what its conditions may be decides."""
        tests = [self.truths(one, confidence) for one in args[:-1:2]]
        values = [self.boxed(one, confidence) for one in (*args[1::2], args[-1])]
        empty = [one == LiteralOut(None) for one in (*args[1::2], args[-1])]
        found: Boxed = {}
        for cell in self.cells:
            reached: list[Box | None] = []
            for at, column in enumerate(values):
                can = tests[at][cell] if at < len(tests) else frozenset({True})
                if True in can and not empty[at]:
                    reached.append(column.get(cell))
                if can == {True}:
                    break
            known = [box for box in reached if box is not None]
            found[cell] = boxes.hull(known) if known and len(known) == len(reached) else None
        return found

    def _first(self, args: Sequence[Out], confidence: Fraction) -> Boxed:
        """What COALESCE may give: all that may be null give way to those after them."""
        listed = [(one, self.boxed(one, confidence), self.reading.values(one)) for one in args]
        found: Boxed = {}
        for cell in self.cells:
            reached: list[Box | None] = []
            for arg, column, values in listed:
                if _settled(arg):
                    if values[cell] is None:
                        continue  # a row that is not there, whatever the noise
                    reached.append(column.get(cell))
                    break
                reached.append(column.get(cell))
            known = [box for box in reached if box is not None]
            found[cell] = boxes.hull(known) if known and len(known) == len(reached) else None
        return found

    def truths(self, out: Out, confidence: Fraction) -> dict[int, frozenset[bool | None]]:
        """Which of true, false and null a condition may be."""
        if not _noisy(out):
            values = self.reading.values(out)
            return {cell: frozenset({_truth(values[cell])}) for cell in self.cells}
        match out:
            case CallOut(op=OutOp.AND | OutOp.OR | OutOp.NOT as op, args=args):
                inner = [self.truths(arg, confidence) for arg in args]
                return {cell: _joint(op, [one[cell] for one in inner]) for cell in self.cells}
            case CallOut(op=op, args=args) if op in functions.COMPARISONS:
                boxed = [self.boxed(arg, confidence) for arg in args]
                return {
                    cell: EVERY
                    if any(one.get(cell) is None for one in boxed)
                    else frozenset(functions.outcomes(op, [one.get(cell) for one in boxed]))
                    for cell in self.cells
                }
        return dict.fromkeys(self.cells, EVERY)

    def _boxed_over(self, out: WindowOut, confidence: Fraction) -> Boxed:
        """A window over what is not linear: every row is inside its interval."""
        if out.of is None or out.kind in RANKS or out.kind is Over.COUNT:
            return {}
        inner, frame, sure = (
            self.boxed(out.of, confidence),
            self.reading.frames(out),
            self.reading.sure(out),
        )
        values = self.reading.values(out.of)
        found: Boxed = {}
        for cell in self.cells:
            if out.kind is Over.SHIFT:
                at = shifted(out, frame, cell)
                found[cell] = None if at is None else inner.get(at)
                continue
            seen = [inner.get(one) for one in frame.seen(cell) if values[one] is not None]
            known = [box for box in seen if box is not None]
            box = _joined(out.kind, known) if known and len(known) == len(seen) else None
            found[cell] = within(box or boxes.ALL, sure)
        return found


def _width(low: Fraction | None, high: Fraction | None) -> Fraction:
    if low is None or high is None:
        raise ValueError("a linear combination has an interval")
    return high - low


def _moved(ends: tuple[Fraction, Fraction], by: Fraction, plus: Fraction) -> Box:
    both = [by * end + plus for end in ends]
    return min(both), max(both)


def _joined(kind: Over, known: list[Box]) -> Box:
    if kind is Over.MIN:
        return boxes.least([low for low, _ in known]), min(
            (high for _, high in known if high is not None), default=None
        )
    if kind is Over.MAX:
        return max((low for low, _ in known if low is not None), default=None), boxes.most(
            [high for _, high in known]
        )
    total = known[0]
    for one in known[1:]:
        total = boxes.add(total, one)
    by = Fraction(1, len(known) if kind is Over.MEAN else 1)
    return boxes.mul(total, boxes.point(by))


def _noisy(out: Out) -> bool:
    match out:
        case CallOut(args=args):
            return any(map(_noisy, args))
        case KeyOut() | LiteralOut():
            return False
    return True


def _joint(op: OutOp, outcomes: list[frozenset[bool | None]]) -> frozenset[bool | None]:
    """What AND, OR and NOT can be, whatever their parts have to do with each other."""
    if op is OutOp.NOT:
        return frozenset(functions.condition(op, [one]) for one in outcomes[0])
    found = outcomes[0]
    for one in outcomes[1:]:
        found = frozenset(functions.condition(op, [a, b]) for a in found for b in one)
    return found


def _truth(value: Value) -> bool | None:
    return value if isinstance(value, bool) else None


def _settled(out: Out) -> bool:
    """Whether noise does not decide if it is null: public rows and keys alone do."""
    match out:
        case WindowOut(kind=Over.SHIFT, of=of) if of is not None:
            return _settled(of)
        case KeyOut() | LiteralOut() | MeasureOut() | MeanOut() | MomentOut() | SharesOut():
            return True
        case CallOut(op=OutOp.ADD | OutOp.MUL | OutOp.NEG, args=args):
            return all(map(_settled, args))
    return False
