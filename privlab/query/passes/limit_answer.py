"""Refuse an answer that would be too large, before it is priced.

Once charged, a question must be answerable: its table is finished, signed and
recorded whole.
"""

from __future__ import annotations

from privlab.errors import BadQuery
from privlab.query.ask import Source, Span
from privlab.query.plan import KeyOut, MeanOut, Question
from privlab.query.plan_text import scalar_text

MAX_TEXT = 16 * 1024 * 1024
"""Characters of an answer's text; its signed bundle may have four times as many."""

MAX_VALUES = 2_000_000
"""Values that are worked out for one answer: groups times columns and tests."""

MAX_MEANS = 200_000
"""Averages of one answer; each has an interval of its own, which takes longest."""

MAX_CHOICES = 50_000
"""Quantiles of one answer; each group's is chosen by itself."""

NUMBER = 32
"""Characters of an estimate and its half-width, with what separates them."""

MARKS = 8
"""Characters around a key."""


def limit_answer(question: Question, source: Source, span: Span | None) -> None:
    """Compare an answer's size, known from public keys alone, with what can be answered.

    :raises BadQuery: PL113, more than 16 MiB of text, 2,000,000 values,
        200,000 averages, or 50,000 quantiles.
    """
    plan, finish = question.plan, question.finish
    outs = [*(one.out for one in finish.outputs), *(test.out for test in finish.having)]
    means = sum(isinstance(out, MeanOut) for out in outs)
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
    if plan.cells * len(outs) > MAX_VALUES:
        raise _refused(
            f"this answer would hold {plan.cells * len(outs):,} values, "
            f"and one answer has at most {MAX_VALUES:,}",
            "group by fewer or coarser keys, or select fewer columns",
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


def _width(question: Question, out: object) -> int:
    """Characters of the longest value of a column."""
    if isinstance(out, KeyOut):
        values = question.plan.keys[out.index].values
        return MARKS + max(len(scalar_text(value)) for value in values)
    return NUMBER


def _refused(what: str, hint: str, source: Source, span: Span | None) -> BadQuery:
    return source.refuse("PL113", what, span, hint)
