"""How close an output will come, before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from privlab.accuracy.confidence import simultaneous
from privlab.accuracy.gaussian import sqrt_up
from privlab.query.allocate import OFF_CENTRE
from privlab.query.law import law_of
from privlab.query.plan import Question
from privlab.query.post.certain import moment_range, shares_range
from privlab.query.post.linear import weights_of
from privlab.query.post.moments import ROOTS
from privlab.query.post.noise import Combined, Noises
from privlab.query.post.tree import Moment, MomentOut, Out, SharesOut
from privlab.query.shares import CORNERS, family_of, whole

ZERO = Fraction(0)

SPREAD = OFF_CENTRE**2
"""A variance that is expected, in squared halves of the clamp."""


def expected_width(
    out: Out,
    question: Question,
    precisions: Sequence[Fraction],
    confidence: Fraction,
    size: Fraction | None,
) -> Fraction | None:
    """The half-width of a linear combination, which is known, and of a moment of about
    ``size`` rows, whose means lie half-way to an end of their clamps; else None."""
    measures = question.plan.measures
    noises = Noises(question.currency, measures, precisions)
    if isinstance(out, MomentOut):
        return None if size is None else _moment(out, question, precisions, confidence, size)
    if isinstance(out, SharesOut):
        return None if size is None else _of_shares(out, question, precisions, confidence, size)
    weights = weights_of(out, measures)
    if weights is None:
        return None
    terms = {(at, 0): by for at, by in weights.items()}
    low, high = noises.interval(
        [(Fraction(1), Combined(Fraction(0), terms))], Fraction(0), confidence
    )
    return None if low is None or high is None else (high - low) / 2


def shares_weights(out: SharesOut, question: Question) -> dict[int, Fraction]:
    """By how much a moment of one row moves if a share moves by one, by its measure.

    Each share moves ``q - m^2`` by what its corner is away from it, about the mean.
    """
    measures, mean = question.plan.measures, OFF_CENTRE
    first = measures[out.parts[0]]
    half = (first.high - first.low) / 2
    by = half**2 / (2 * half * OFF_CENTRE if out.kind in ROOTS else 1)
    weights = {}
    for at in out.parts:
        share = measures[at].share
        if share is None:
            raise TypeError("a mix is of shares")
        y, q = CORNERS[share]
        unit = whole(family_of(share), first.reach)
        weights[at] = by * abs(q - 2 * mean * y + mean**2 - SPREAD) / unit
    return weights


def moment_weights(out: MomentOut, question: Question) -> dict[int, Fraction]:
    """By how much a moment of one row moves if a measure moves by a step."""
    measures = question.plan.measures
    reach = [(measures[index].high - measures[index].low) / 2 for index in (out.first, out.second)]
    square = reach[0] * reach[1] * OFF_CENTRE**2  # of the means, about their centres
    spread = reach[0] ** 2 * SPREAD if out.first == out.second else ZERO
    of_count = abs(measures[out.product].centre + square - spread)
    weights = {out.product: Fraction(1), out.count: of_count}
    for index, other in zip((out.first, out.second), reversed(reach), strict=True):
        weights[index] = weights.get(index, ZERO) + other * OFF_CENTRE
    by = 1 / (2 * reach[0] * OFF_CENTRE) if out.kind in ROOTS else Fraction(1)
    return {at: by * one * measures[at].step for at, one in weights.items() if one}


def _of_shares(
    out: SharesOut,
    question: Question,
    precisions: Sequence[Fraction],
    confidence: Fraction,
    size: Fraction,
) -> Fraction | None:
    measures, law = question.plan.measures, law_of(question.currency)
    each = simultaneous(confidence, len(out.parts))
    weights = shares_weights(out, question)
    width = sum((by * law.half_width(precisions[at], each) for at, by in weights.items()), ZERO)
    width /= size
    low, high = shares_range(out, measures)
    return width if low is None or high is None else min(width, high - low)


def _moment(
    out: MomentOut,
    question: Question,
    precisions: Sequence[Fraction],
    confidence: Fraction,
    size: Fraction,
) -> Fraction | None:
    if out.kind is Moment.CORR:
        return None
    measures, law = question.plan.measures, law_of(question.currency)
    square = ZERO
    for index, by in moment_weights(out, question).items():
        square += (by * law.half_width(precisions[index], confidence)) ** 2
    width = sqrt_up(square) / size
    low, high = moment_range(out, measures)
    return width if low is None or high is None else min(width, high - low)
