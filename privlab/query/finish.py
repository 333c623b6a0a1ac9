"""From released vectors to the table of the answer.

Everything here is post-processing of noisy numbers and costs nothing: decoding
steps, means as ratios, half-widths, HAVING, ORDER BY and LIMIT.  The rows of the
table are the public cells; which of them HAVING keeps is decided by noise too.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from privlab.query.law import Intervals, law_of
from privlab.query.plan import (
    KeyOut,
    MeanOut,
    Measure,
    MeasureOut,
    Op,
    Order,
    Out,
    Question,
    Test,
)
from privlab.query.words import decimals_for, plural
from privlab.terms.catalog import Kind, Scalar
from privlab.terms.release import ResultColumn, ResultTable

Estimate = tuple[Scalar | None, Fraction | None]
"""A value and its half-width, which a key has not."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One cell of the plan: its place, its key positions, and its outputs."""

    place: tuple[int, ...]
    shown: tuple[Estimate, ...]


def finish(
    question: Question,
    vectors: Sequence[Sequence[Fraction]],
    precisions: Sequence[Fraction],
    confidence: Fraction,
) -> ResultTable:
    """The answer's table.

    vectors: per measure, a released value per cell, in steps; precisions: of
    each, as the question's `law` has them; confidence: percent.

    Ties in ORDER BY, and an answer without it, follow the public order of the
    keys in the order in which they are shown; a null key sorts last.

    :raises ValueError: a vector has not one value per cell.
    """
    plan = question.plan
    if any(len(vector) != plan.cells for vector in vectors) or not (
        len(vectors) == len(precisions) == len(plan.measures)
    ):
        raise ValueError("one vector and one precision per measure, one value per cell")
    decoder = _Decoder(question, vectors, precisions, confidence)
    rows = [
        _Row(place, tuple(decoder.value(one.out, cell, place) for one in question.finish.outputs))
        for cell, place in enumerate(_places(question))
        if all(decoder.passes(test, cell, place) for test in question.finish.having)
    ]
    rows.sort(key=lambda row: _shown_place(question, row))
    for order in reversed(question.finish.order):
        rows = _sorted(rows, order)
    rows = rows[: question.finish.limit]
    return ResultTable(
        columns=tuple(_column(question, at, rows) for at in range(len(question.finish.outputs))),
        rows=tuple(tuple(value for value, _ in row.shown) for row in rows),
        half_widths=tuple(tuple(width for _, width in row.shown) for row in rows),
        confidence=confidence,
    )


def _places(question: Question) -> Iterator[tuple[int, ...]]:
    """For each cell, the position of its value in each key; the last key runs fastest."""
    return itertools.product(*(range(len(key.values)) for key in question.plan.keys))


def _shown_place(question: Question, row: _Row) -> tuple[int, ...]:
    """Positions of the keys that are shown, in that order, then of the others."""
    shown = [one.out.index for one in question.finish.outputs if isinstance(one.out, KeyOut)]
    return (*(row.place[index] for index in shown), *row.place)


def _sorted(rows: list[_Row], order: Order) -> list[_Row]:
    """Stable: earlier sorts break ties.  Null keys come last either way."""

    def rank(row: _Row) -> Any:
        """A key's own value, or an estimate: comparable within one column."""
        return row.shown[order.output][0]

    def is_known(row: _Row) -> bool:
        return row.shown[order.output][0] is not None

    known = sorted((row for row in rows if is_known(row)), key=rank, reverse=order.descending)
    return known + [row for row in rows if not is_known(row)]


class _Decoder:
    """Reads cells of the released vectors in the columns' own units."""

    def __init__(
        self,
        question: Question,
        vectors: Sequence[Sequence[Fraction]],
        precisions: Sequence[Fraction],
        confidence: Fraction,
    ) -> None:
        self.plan = question.plan
        self.vectors = vectors
        self.law = law_of(question.currency)
        self.precisions = precisions
        self.confidence = confidence
        self.intervals: dict[tuple[int, int], Intervals] = {}
        self.widths = [
            None  # where values are sparse, a rank may be off by any amount
            if measure.chosen
            else self.law.half_width(precision, confidence) * measure.step
            for precision, measure in zip(precisions, self.plan.measures, strict=True)
        ]

    def value(self, out: Out, cell: int, place: tuple[int, ...]) -> Estimate:
        match out:
            case KeyOut(index=index):
                return self.plan.keys[index].values[place[index]], None
            case MeasureOut(index=index):
                measure = self.plan.measures[index]
                return self.vectors[index][cell] * measure.step, self.widths[index]
            case MeanOut(total=total, count=count):
                return self.mean(total, count, cell)

    def mean(self, total: int, count: int, cell: int) -> Estimate:
        """centre + step * total / count, within what clamped values allow.

        Every cell gets a value and an interval, whatever its noise: were some
        left out for their noise, the intervals of the others would not cover.
        The interval is Fieller's within the clamp, where the exact mean lies;
        all of the clamp where Fieller's is unbounded or lies outside of it.
        The half-width reaches the farther end.
        """
        measure = self.plan.measures[total]
        low = (measure.low - measure.centre) / measure.step
        high = (measure.high - measure.centre) / measure.step
        top, bottom = self.vectors[total][cell], self.vectors[count][cell]
        if bottom <= 0:
            ratio, interval = (low + high) / 2, None
        else:
            ratio, interval = top / bottom, self.interval(total, count, top, bottom)
        if interval is not None and interval[0] < high and low < interval[1]:
            low, high = max(low, interval[0]), min(high, interval[1])
        ratio = min(max(ratio, low), high)
        reach = max(high - ratio, ratio - low)
        return measure.centre + measure.step * ratio, measure.step * reach

    def interval(
        self, total: int, count: int, top: Fraction, bottom: Fraction
    ) -> tuple[Fraction, Fraction] | None:
        """Fieller's; what the cells of one mean share is worked out once."""
        if (total, count) not in self.intervals:
            self.intervals[total, count] = self.law.intervals(
                self.precisions[total], self.precisions[count], self.confidence
            )
        return self.intervals[total, count].of(top, bottom)

    def passes(self, test: Test, cell: int, place: tuple[int, ...]) -> bool:
        """Whether the estimate passes; what is no number passes nothing."""
        value, _ = self.value(test.out, cell, place)
        if not isinstance(value, (int, Fraction)):
            return False
        bound = test.value
        outcomes = {
            Op.EQ: value == bound,
            Op.NE: value != bound,
            Op.LT: value < bound,
            Op.LE: value <= bound,
            Op.GT: value > bound,
            Op.GE: value >= bound,
        }
        return outcomes[test.op]


def _column(question: Question, at: int, rows: Sequence[_Row]) -> ResultColumn:
    output = question.finish.outputs[at]
    plan = question.plan
    if isinstance(output.out, KeyOut):
        return ResultColumn(output.name, output.label, plan.keys[output.out.index].kind)
    widths = [width for row in rows if (width := row.shown[at][1]) is not None]
    places = decimals_for(statistics.median_low(widths)) if widths else 0
    kind = Kind.FLOAT
    if isinstance(output.out, MeasureOut):
        measure = plan.measures[output.out.index]
        kind = _kind(measure)
        finest = _places_of(measure.step)
        places = 0 if kind is Kind.INT else finest if measure.chosen else min(places, finest)
    word = plural(output.unit_word) if output.unit_word else ""
    return ResultColumn(output.name, output.label, kind, places, word)


def _kind(measure: Measure) -> Kind:
    return Kind.INT if measure.step.denominator == 1 else Kind.FLOAT


def _places_of(step: Fraction) -> int:
    """Decimals of a step, at most 12."""
    return next((at for at in range(12) if (step * 10**at).denominator == 1), 12)
