"""From released vectors to the table of the answer.

Everything here is post-processing of noisy numbers and costs nothing: decoding,
statistics and arithmetic with their half-widths (``post/``), HAVING, windows,
ORDER BY and LIMIT.  The rows of the table are the public cells; which of them
HAVING keeps is decided by noise too.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from fractions import Fraction

from privlab.query.epoch import dated
from privlab.query.plan import Measure, Question
from privlab.query.post.intervals import Estimate, Intervals
from privlab.query.post.reading import Reading
from privlab.query.post.tree import KeyOut, MeasureOut, Output, Over, WindowOut
from privlab.query.simultaneous import each
from privlab.query.words import decimals_for, plural
from privlab.terms.catalog import Kind
from privlab.terms.groups import ShownGroups
from privlab.terms.release import ResultColumn, ResultTable

PLACES = 4
"""Decimals of a number that has no interval to say how many are worth showing."""

WHOLE = frozenset({Over.RANK, Over.DENSE_RANK, Over.ROW_NUMBER, Over.COUNT})
"""Windows that count rows of the answer."""


def finish(
    question: Question,
    vectors: Sequence[Sequence[Fraction]],
    precisions: Sequence[Fraction],
    confidence: Fraction,
    *,
    together: bool = False,
    groups: ShownGroups | None = None,
) -> ResultTable:
    """The answer's table.

    vectors: per measure, a released value per cell, in steps; precisions: of
    each, as the question's `law` has them; confidence: percent, of each interval, or,
    together, of all at once.  groups: whose cells they are, where a threshold showed
    them.

    Windows see the rows that HAVING keeps.  Ties in ORDER BY, and an answer
    without it, follow the public order of the keys in the order in which they are
    shown; a null key sorts last.

    :raises ValueError: a vector has not one value per cell.
    """
    plan, asked = question.plan, question.finish
    if plan.thresholded is (groups is None):
        raise ValueError("groups that are not public come with their labels")
    cells = plan.cells if groups is None else len(groups.labels)
    if any(len(vector) != cells for vector in vectors) or not (
        len(vectors) == len(precisions) == len(plan.measures)
    ):
        raise ValueError("one vector and one precision per measure, one value per cell")
    level = each(question, confidence, together=together)
    reading = Reading(question, vectors, precisions, level, groups)
    reading.keep(asked.having)
    reading.cells.sort(key=lambda cell: _shown_place(question, reading.places[cell]))
    intervals = Intervals(reading, level)
    columns = [intervals.estimates(one.out) for one in asked.outputs]
    for one in asked.order:
        reading.values(one.by)
    reading.keep(asked.qualify)
    reading.sort(asked.order)
    end = None if asked.limit is None else asked.offset + asked.limit
    rows = [[column[cell] for column in columns] for cell in reading.cells[asked.offset : end]]
    return ResultTable(
        columns=tuple(
            _column(question, one, [row[at] for row in rows])
            for at, one in enumerate(asked.outputs)
        ),
        rows=tuple(tuple(value for value, _ in row) for row in rows),
        half_widths=tuple(tuple(width for _, width in row) for row in rows),
        confidence=confidence,
    )


def _shown_place(question: Question, place: tuple[int, ...]) -> tuple[int, ...]:
    """Positions of the keys that are shown, in that order, then of the others."""
    shown = [one.out.index for one in question.finish.outputs if isinstance(one.out, KeyOut)]
    return (*(place[index] for index in shown), *place)


def _column(question: Question, output: Output, estimates: Sequence[Estimate]) -> ResultColumn:
    plan = question.plan
    match output.out:
        case KeyOut(index=index):
            return ResultColumn(output.name, output.label, plan.keys[index].kind)
        case WindowOut(kind=over) if over in WHOLE:
            return ResultColumn(output.name, output.label, Kind.INT)
    widths = [width for _, width in estimates if width is not None]
    places = decimals_for(statistics.median_low(widths)) if widths else 0
    kind = Kind.FLOAT
    if isinstance(output.out, MeasureOut):
        measure = plan.measures[output.out.index]
        kind = _kind(measure)
        finest = _places_of(measure.step)
        places = 0 if kind is not Kind.FLOAT else finest if measure.chosen else min(places, finest)
    elif estimates and not widths:
        places = PLACES
    word = plural(output.unit_word) if output.unit_word else ""
    return ResultColumn(output.name, output.label, kind, places, word)


def _kind(measure: Measure) -> Kind:
    kind = dated(measure)
    if kind is not None:
        return kind
    return Kind.INT if measure.step.denominator == 1 else Kind.FLOAT


def _places_of(step: Fraction) -> int:
    """Decimals of a step, at most 12."""
    return next((at for at in range(12) if (step * 10**at).denominator == 1), 12)
