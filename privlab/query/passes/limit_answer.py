"""Refuse an answer that would be too large, before it is priced.

Once charged, a question must be answerable: its table is finished, signed and
recorded whole.
"""

from __future__ import annotations

from privlab.errors import BadQuery
from privlab.query.ask import Source, Span
from privlab.query.plan import MOST_LABEL, KeyOut, MeasureOut, Question
from privlab.query.plan_text import scalar_text
from privlab.query.post.tree import (
    CallOut,
    LiteralOut,
    Out,
    Over,
    WindowOut,
    is_mean,
    is_moment,
    parts,
)

MAX_TEXT = 16 * 1024 * 1024
"""Characters of an answer's text; its signed bundle may have four times as many."""

MAX_VALUES = 2_000_000
"""Values that are worked out for one answer: groups times columns and tests."""

MAX_MEANS = 200_000
"""Averages of one answer; each has an interval of its own, which takes longest."""

MAX_MADE = 100_000
"""Parts that are worked out for values made of others, and moments: a part of an
expression counts once per group, a moment ten times."""

MAX_SEEN = 1_000_000
"""Rows that the windows of one answer look at, one after the other."""

MOMENT = 10

MAX_TESTED = 30
"""Measures of an answer whose groups a threshold shows: all of them are in memory for
every group that rows hold."""

MAX_CHOICES = 50_000
"""Quantiles of one answer; each group's is chosen by itself."""

NUMBER = 32
"""Characters of an estimate and its half-width, with what separates them."""

MARKS = 8
"""Characters around a key."""


def limit_answer(question: Question, source: Source, span: Span | None) -> None:
    """Compare an answer's size, known from public keys alone, with what can be answered.

    :raises BadQuery: PL113, more than 16 MiB of text, 2,000,000 values, 200,000
        averages, 50,000 quantiles, 100,000 parts of values that are made of others, or windows that
        look at 1,000,000 rows.
    """
    plan, finish = question.plan, question.finish
    if plan.thresholded and len(plan.measures) > MAX_TESTED:
        raise _refused(
            f"this answer needs {len(plan.measures)} measures of groups whose keys are not public, "
            f"and one answer has at most {MAX_TESTED}",
            "select fewer columns",
            source,
            span,
        )
    outs = finish.outs
    inner = [part for out in outs for part in parts(out)]
    means = sum(is_mean(part) for part in inner)
    if plan.cells * means > MAX_MEANS:
        raise _refused(
            f"this answer would hold {plan.cells * means:,} averages, "
            f"and one answer has at most {MAX_MEANS:,}",
            "group by fewer or coarser keys, or ask for sums and counts and divide them "
            "on the answer's frame",
            source,
            span,
        )
    choices = plan.cells * sum(one.chosen for one in plan.measures)
    if choices > MAX_CHOICES:
        raise _refused(
            f"this answer would hold {choices:,} quantiles, "
            f"and one answer has at most {MAX_CHOICES:,}",
            "group by fewer or coarser keys",
            source,
            span,
        )
    values = sum(not isinstance(part, CallOut | LiteralOut) for part in inner)
    if plan.cells * values > MAX_VALUES:
        raise _refused(
            f"this answer would hold {plan.cells * values:,} values, "
            f"and one answer has at most {MAX_VALUES:,}",
            "group by fewer or coarser keys, or select fewer columns",
            source,
            span,
        )
    made = sum(_made(one.out) for one in finish.outputs)
    made += sum(MOMENT for out in outs for part in parts(out) if is_moment(part))
    if plan.cells * made > MAX_MADE:
        raise _refused(
            f"this answer would work out {plan.cells * made:,} parts of expressions, "
            f"and one answer has at most {MAX_MADE:,}",
            "group by fewer or coarser keys, or ask for the parts and compute on the "
            "answer's frame",
            source,
            span,
        )
    seen = sum(_seen(question, part) for out in set(outs) for part in parts(out))
    if seen > MAX_SEEN:
        raise _refused(
            f"the windows of this answer would look at {seen:,} rows, "
            f"and one answer has at most {MAX_SEEN:,}",
            "partition by a key, group by fewer or coarser keys, or compute on the answer's frame",
            source,
            span,
        )
    rows = plan.cells if finish.limit is None else min(plan.cells, finish.limit)
    text = rows * sum(_width(question, one.out) for one in finish.outputs)
    if text > MAX_TEXT:
        raise _refused(
            f"{rows:,} groups of {len(finish.outputs)} columns make about "
            f"{-(-text // 2**20):,} MiB of text, and one answer has at most {MAX_TEXT // 2**20}",
            "group by fewer or coarser keys, select fewer columns, or add a limit",
            source,
            span,
        )


def _made(out: Out) -> int:
    """The work of one cell of an output, in parts of an expression."""
    if isinstance(out, KeyOut | MeasureOut) or is_mean(out):
        return 0
    return sum(not (isinstance(part, LiteralOut) or is_moment(part)) for part in parts(out))


def _seen(question: Question, part: Out) -> int:
    """Rows that a window looks at: all of a partition once, or for every row anew."""
    if not isinstance(part, WindowOut):
        return 0
    cells = question.plan.cells
    groups = 1
    for index in () if question.plan.thresholded else part.partition:
        groups *= len(question.plan.keys[index].values)
    size = cells // groups
    again = part.running or isinstance(part.of, CallOut) or part.kind in (Over.MIN, Over.MAX)
    return cells * size if again else cells


def _width(question: Question, out: object) -> int:
    """Characters of the longest value of a column."""
    if isinstance(out, KeyOut):
        values = question.plan.keys[out.index].values
        return MARKS + max((len(scalar_text(value)) for value in values), default=MOST_LABEL)
    return NUMBER


def _refused(what: str, hint: str, source: Source, span: Span | None) -> BadQuery:
    return source.refuse("PL113", what, span, hint)
