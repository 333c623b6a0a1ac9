"""The cheaper neighbours of a question: what would tell nearly the same for less.

Each is worked out for the question at hand, from its sensitivities, its cells and
its confidence, and says what to type.  It knows no row: whether a narrower clip
cuts much off, or whether months tell enough, is for the asker to judge.

Start with `neighbours`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.query.ask import Source, Span, Surface
from privlab.query.law import law_of
from privlab.query.passes.key_space import key_space
from privlab.query.plan import (
    Call,
    Key,
    Measure,
    MeasureKind,
    MeasureOut,
    Op,
    Question,
    Ref,
)
from privlab.query.plan_text import decimal, expression_text
from privlab.query.post.tree import CallOut, MeanOut, MomentOut, OutOp, measures_of, parts
from privlab.query.price import Priced
from privlab.query.relations import Scan
from privlab.query.trade import trade_of
from privlab.query.words import plural, significant
from privlab.terms.catalog import Kind, Scalar, Table
from privlab.terms.loss import Currency

WORTHWHILE = Fraction(2)
"""What saves less than this is not worth changing a question for."""

MOST = 2
"""Neighbours that are named."""

FEWEST_STEPS = 8
"""A clamp of fewer steps than this is not halved."""

FEWEST_NUMBERS = 20
"""Whole numbers of a key from which on tens are a grouping of their own."""

CONFIDENCES = (Fraction(99), Fraction(95), Fraction(90))


class Way(StrEnum):
    """How a neighbour differs; of each way only the best is named."""

    UNITS = "units"  # units are counted, not their rows
    CLIP = "clip"  # a clamp half as wide
    MEAN = "mean"  # a mean, not a sum and a count
    COARSER = "coarser"  # larger groups
    CONFIDENCE = "confidence"  # the same half-width, less surely


@dataclass(frozen=True, slots=True)
class Neighbour:
    """saving: how many times less it costs.  typed: what stands in the question instead."""

    way: Way
    saving: Fraction
    typed: str
    words: str


def neighbours(
    question: Question, priced: Priced, table: Table, *, within: bool
) -> tuple[Neighbour, ...]:
    """The best neighbours of a priced question, the cheapest first; none where none is much cheaper.

    within: the price is half-widths, which a lower confidence makes cheaper; a share
    costs what it costs.
    """
    every = [
        *_counts(question, priced, table),
        *_means(question, priced),  # of equal ones first: it leaves nothing out
        *_clips(question, priced),
        *_coarser(question, priced, table),
        *(_less_surely(question, priced) if within else ()),
    ]
    every = sorted((one for one in every if one.saving >= WORTHWHILE), key=_saving, reverse=True)
    best: dict[Way, Neighbour] = {}
    for one in every:
        best.setdefault(one.way, one)
    return tuple(best.values())[:MOST]


def _saving(neighbour: Neighbour) -> Fraction:
    return neighbour.saving


def _part(saving: Fraction) -> str:
    """ "1/64": never less than it costs."""
    return f"1/{significant(saving, 3, up=False)}"


def _bought(question: Question, priced: Priced) -> list[int]:
    """Measures that noise is bought for; what is held costs nothing."""
    return [
        at
        for at, measure in enumerate(question.plan.measures)
        if priced.noises[at] is not None and not measure.chosen
    ]


def _used_as(question: Question, index: int, kind: type[MeasureOut | MeanOut | MomentOut]) -> bool:
    """Whether every use of a measure is of this kind, so that it could be another one."""
    leaves = [
        part
        for out in question.finish.outs
        for part in parts(out)
        if isinstance(part, MeasureOut | MeanOut | MomentOut) and index in measures_of(part)
    ]
    return bool(leaves) and all(isinstance(leaf, kind) for leaf in leaves)


def _sensitivity(question: Question, measure: Measure) -> int:
    trade = trade_of(measure, question.currency)
    return trade.sensitivity(measure, question.plan.bound)


def _cheaper(question: Question, index: int, other: Measure) -> Fraction:
    """What ``other`` saves at the same half-width; their steps are the same."""
    mine, its = _sensitivity(question, question.plan.measures[index]), _sensitivity(question, other)
    return Fraction(mine, its)


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _counts(question: Question, priced: Priced, table: Table) -> Iterator[Neighbour]:
    """Units instead of rows: a unit is one, however many rows it has."""
    measures = question.plan.measures
    if any(measure.kind is MeasureKind.UNITS for measure in measures):
        return
    if not isinstance(question.plan.source, Scan):
        return  # what is typed may not see the unit there, and rows are not the table's
    for at in _bought(question, priced):
        if measures[at].kind is MeasureKind.ROWS and _used_as(question, at, MeasureOut):
            saving = _cheaper(question, at, replace(measures[at], kind=MeasureKind.UNITS))
            unit = table.unit
            typed = (
                f"COUNT(DISTINCT {unit if unit.isidentifier() else _quoted(unit)})"
                if question.sql
                else f"pl.col({_quoted(unit)}).n_unique()"
            )
            same = "" if measures[at].of is None else " under the same condition"
            words = (
                f"counting {plural(table.unit_word)}, {typed}{same}, costs {_part(saving)} of "
                f"counting {table.name} at the same half-width"
            )
            yield Neighbour(Way.UNITS, saving, typed, words)


def _clips(question: Question, priced: Priced) -> Iterator[Neighbour]:
    """A clamp half as wide, at the end that is farther from zero."""
    measures = question.plan.measures
    for at in _bought(question, priced):
        measure = measures[at]
        mean = _used_as(question, at, MeanOut)
        if measure.kind is not MeasureKind.SUM or not isinstance(measure.of, Ref):
            continue
        if not mean and not _used_as(question, at, MeasureOut):
            continue
        narrow = _halved(measure)
        if narrow is None:
            continue
        saving = _cheaper(question, at, narrow)
        column, low, high = measure.of, decimal(narrow.low), decimal(narrow.high)
        if question.sql:
            call, name = "AVG" if mean else "SUM", expression_text(column)
            typed = f"{call}(LEAST(GREATEST({name}, {low}), {high}))"
        else:
            call = "mean" if mean else "sum"
            typed = f"pl.col({_quoted(column.column)}).clip({low}, {high}).{call}()"
        ends = [high] * (narrow.high != measure.high) + [low] * (narrow.low != measure.low)
        words = (
            f"clipping {column.column} to {low}..{high} instead of "
            f"{decimal(measure.low)}..{decimal(measure.high)}, {typed}, costs {_part(saving)} at the "
            f"same half-width; what lies beyond then counts as {' or '.join(ends)}"
        )
        yield Neighbour(Way.CLIP, saving, typed, words)


def _halved(measure: Measure) -> Measure | None:
    """The measure with half of its range, on its own grid; None of one too narrow to halve."""
    step = measure.step
    low, high = int(measure.low / step), int(measure.high / step)
    if high - low < FEWEST_STEPS:
        return None
    if low >= 0:
        high = low + (high - low) // 2
    elif high <= 0:
        low = high - (high - low) // 2
    else:
        low, high = -(-low // 2), high // 2
    centre = (low + high) // 2 if measure.centre else 0
    return replace(measure, low=low * step, high=high * step, centre=centre * step)


def _means(question: Question, priced: Priced) -> Iterator[Neighbour]:
    """A mean, where a sum and a count may be meant as one: its sum is about the middle."""
    measures = question.plan.measures
    counted = [
        at
        for at in range(len(measures))
        if measures[at].kind is MeasureKind.ROWS and _used_as(question, at, MeasureOut)
    ]
    for at in _bought(question, priced):
        measure = measures[at]
        if measure.kind is not MeasureKind.SUM or not isinstance(measure.of, Ref):
            continue
        if not _used_as(question, at, MeasureOut) or not _together(question, at, counted):
            continue
        low, high = int(measure.low / measure.step), int(measure.high / measure.step)
        saving = _cheaper(question, at, replace(measure, centre=(low + high) // 2 * measure.step))
        column = measure.of
        if question.sql:
            name = expression_text(column)
            typed, instead = f"AVG({name})", f"SUM({name})"
        else:
            name = f"pl.col({_quoted(column.column)})"
            typed, instead = f"{name}.mean()", f"{name}.sum()"
        words = (
            f"if it is the average you are after: the sum under {typed} costs {_part(saving)} of "
            f"{instead} at the same half-width"
        )
        yield Neighbour(Way.MEAN, saving, typed, words)


def _together(question: Question, total: int, counts: list[int]) -> bool:
    """Whether a sum and a count stand beside each other, or one is divided by the other."""
    outs = question.finish.outs
    if any(MeasureOut(total) == out for out in outs):
        return any(MeasureOut(count) in outs for count in counts)
    return any(
        isinstance(part, CallOut)
        and part.op is OutOp.DIVIDE
        and total in measures_of(part.args[0])
        and any(count in measures_of(part.args[1]) for count in counts)
        for out in outs
        for part in parts(out)
    )


COARSER: dict[Op | None, tuple[str, Op, str, str]] = {
    None: ("day", Op.TO_MONTH, "month", "1mo"),
    Op.TO_DATE: ("day", Op.TO_MONTH, "month", "1mo"),
    Op.WEEK: ("week", Op.TO_QUARTER, "quarter", "1q"),
    Op.TO_MONTH: ("month", Op.TO_QUARTER, "quarter", "1q"),
    Op.TO_QUARTER: ("quarter", Op.TO_YEAR, "year", "1y"),
}
"""Per grain of a key: what it is called, and the next one that is much coarser."""


def _coarser(question: Question, priced: Priced, table: Table) -> Iterator[Neighbour]:
    """Larger groups.  The half-width stays, so of their size it is a smaller part."""
    plan, bought = question.plan, _bought(question, priced)
    for key in () if plan.thresholded else plan.keys:  # how many groups there are is not public
        found = _coarser_key(question, key, table)
        if found is None or not bought:
            continue
        fine, coarse, typed, words = found
        cells = plan.cells // len(key.values) * coarse
        if cells == 1:
            continue
        size = Fraction(plan.cells, cells)
        bound = plan.bound.for_cells(cells)
        dearer = max(
            Fraction(
                trade_of(plan.measures[at], question.currency).sensitivity(
                    plan.measures[at], bound
                ),
                _sensitivity(question, plan.measures[at]),
            )
            for at in bought
        )
        saving = (size if question.currency is Currency.PURE else size**2) / dearer
        words = (
            f"grouping by {words} instead of by {fine}, {typed}, makes {cells:,} groups instead of "
            f"{plan.cells:,}, on average {significant(size, 2, up=False)} times as large: the same "
            f"error in percent of a group costs {_part(saving)}"
        )
        yield Neighbour(Way.COARSER, saving, typed, words)


def _coarser_key(question: Question, key: Key, table: Table) -> tuple[str, int, str, str] | None:
    """What a key is by now, how many values the coarser one has, how to type it, its name."""
    column, op = _grained(key)
    if column is None:
        return None
    if column.kind.is_time and op in COARSER and isinstance(question.plan.source, Scan):
        fine, coarse, name, every = COARSER[op]
        if question.sql:
            typed = f"DATE_TRUNC('{name}', {expression_text(column)})"
        else:
            typed = f'pl.col({_quoted(column.column)}).dt.truncate("{every}")'
        other, where = Call(coarse, (column,)), question.plan.where
        try:
            values = key_space(other, table, where, Source("", Surface.SQL), Span(0, 0)).values
        except BadQuery:
            return None
        return fine, len(values), typed, name
    known = [value for value in key.values if value is not None]
    if column.kind is Kind.INT and op is None and _in_a_row(known):
        tens = len({int(value) // 10 for value in known if isinstance(value, int)})
        if question.sql:
            typed = f"FLOOR({expression_text(column)} / 10) * 10"
        else:
            typed = f"pl.col({_quoted(column.column)}) // 10 * 10"
        return column.column, tens + len(key.values) - len(known), typed, "tens"
    return None


def _grained(key: Key) -> tuple[Ref | None, Op | None]:
    """The column under a key, and the grain of a date."""
    match key.expr:
        case Ref() as column:
            return column, None
        case Call(op=op, args=(Ref() as column,)):
            return column, op
    return None, None


def _in_a_row(values: list[Scalar]) -> bool:
    whole = [value for value in values if type(value) is int]
    return len(whole) == len(values) >= FEWEST_NUMBERS and all(
        after - before == 1 for before, after in itertools.pairwise(whole)
    )


def _less_surely(question: Question, priced: Priced) -> Iterator[Neighbour]:
    """The same half-widths, which hold less often."""
    law, now = law_of(question.currency), priced.confidence
    bought = _bought(question, priced)
    for lower in CONFIDENCES:
        if lower >= now or not bought or priced.together:
            continue
        saving = min(
            priced.wanted[at] / law.precision_for(law.half_width(priced.wanted[at], now), lower)
            for at in bought
        )
        if saving >= WORTHWHILE:
            typed = f"--confidence {decimal(lower)}"
            words = (
                f"{typed} instead of {decimal(now)} costs {_part(saving)} at the same half-widths, "
                f"which then hold {decimal(lower)} times in 100"
            )
            yield Neighbour(Way.CONFIDENCE, saving, typed, words)
            return
