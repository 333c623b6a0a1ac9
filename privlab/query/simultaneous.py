"""The confidence of each interval, so that all of one answer hold at once.

An interval holds for its own cell.  Where all are to hold together, each needs
a higher confidence, which a half-width pays for; how much higher depends on the
question alone.  It knows nothing of what the noise is.
"""

from __future__ import annotations

from fractions import Fraction

from privlab.accuracy.confidence import simultaneous
from privlab.errors import BadQuery
from privlab.query.plan import KeyOut, MeasureOut, Question
from privlab.query.post.tree import LiteralOut, Out, Over, WindowOut, has_window

RANKS = frozenset({Over.RANK, Over.DENSE_RANK, Over.ROW_NUMBER, Over.COUNT})
"""Windows without an interval."""


def each(question: Question, confidence: Fraction, *, together: bool) -> Fraction:
    """The confidence of one interval of the answer, in percent.

    confidence: as it was asked for, in percent; together: for all intervals at
    once, those of cells that HAVING, QUALIFY or LIMIT leave out too.  The noise
    of different cells is independent (Sidak); columns of one cell may share
    noise, and a window lets rows share it (Bonferroni).  Where a threshold shows
    groups, those of the most there can be: how many it will show is not known.

    :raises BadQuery: PL108, a window is over rows that noise chose: what it
        should be is not known beforehand.
    """
    if not together:
        return confidence
    cells, columns = question.plan.cells, max(1, _columns(question))
    if not any(has_window(one.out) for one in question.finish.outputs):
        return simultaneous(confidence, cells, columns)
    if question.finish.having:
        raise BadQuery(
            "intervals that hold at once are not known for windows over rows that HAVING chooses",
            code="PL108",
            hint="leave out HAVING, or --simultaneous",
        )
    return simultaneous(confidence, 1, cells * columns)


def _columns(question: Question) -> int:
    """How many intervals a cell has: columns with one, and quantiles, whose ranks are told."""
    outs = {one.out for one in question.finish.outputs}
    chosen = sum(one.chosen for one in question.plan.measures)
    return chosen + sum(_has_interval(question, out) for out in outs)


def _has_interval(question: Question, out: Out) -> bool:
    match out:
        case KeyOut() | LiteralOut():
            return False
        case MeasureOut(index=index):
            return not question.plan.measures[index].chosen
        case WindowOut(kind=kind):
            return kind not in RANKS
    return True


def together_words(question: Question) -> str:
    """What a caption says: ``the half-widths of all 5 groups hold at once``."""
    cells, columns = question.plan.cells, _columns(question)
    groups = "groups that are shown" if question.plan.thresholded else f"{cells:,} groups"
    of = [f"all {groups}"] if cells > 1 else []
    of += [f"all {columns} columns"] if columns > 1 else []
    return f"the half-widths of {' and '.join(of) or 'the answer'} hold at once"
