"""What a half-width of a variance, a deviation or a covariance costs.

As of a mean it depends on how many rows a group has, which is the declared size of
the table or what the asker holds, and on where the values lie, which is guessed as
`post.expected` guesses it.  A correlation also depends on how small its variances
are, so it has no price.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from privlab.accuracy import laplace
from privlab.accuracy.confidence import simultaneous
from privlab.query.allocate import SLACK, Target, known_rows, priced_rows
from privlab.query.law import law_of
from privlab.query.plan import Question
from privlab.query.plan_text import decimal
from privlab.query.post.certain import certain
from privlab.query.post.expected import expected_width, moment_weights, shares_weights
from privlab.query.post.tree import Moment, MomentOut, SharesOut, measures_of
from privlab.query.price_mean import bad, rows_held

SHARE = "--share 1%"


def price_moment(
    question: Question,
    target: Target,
    confidence: Fraction,
    held: Sequence[Fraction],
    counts: Sequence[Sequence[Fraction] | None] | None,
    wanted: list[Fraction],
) -> None:
    """Raise ``wanted`` to what meets a target on a moment.

    :raises BadQuery: PL108, any answer is within the target, the rows are not known,
        no noise is as small, or it is a correlation.
    """
    plan, out = question.plan, target.out
    if isinstance(out, MomentOut) and out.kind is Moment.CORR:
        raise bad(
            f"how far off {target.name} is depends on the variances of both values, so a "
            "half-width has no price",
            f"ask with {SHARE}, or for COVAR_POP and VAR_POP with half-widths",
        )
    _narrow(question, target)
    own = measures_of(out)
    seen = rows_held(plan, out, counts)
    if all(held[at] for at in own) and seen is not None:
        have = [max(pair) for pair in zip(wanted, held, strict=True)]
        size = known_rows(plan.cells, seen, question.rows)
        width = expected_width(out, question, have, confidence, size)
        if width is not None and target.width * SLACK >= width:
            for at in own:
                wanted[at] = have[at]
            return
    size = priced_rows(plan.cells, seen, question.rows)
    if size is None:
        raise bad(
            f"what a half-width of {target.name} costs depends on how many rows there are, "
            "which is not known yet",
            f"ask with {SHARE} first, and then with --within",
        )
    try:
        found = _precisions(question, target, size, confidence)
    except ValueError:
        raise bad(
            f"no noise is within {decimal(target.width)} of {target.name}: it is made of whole steps",
            "offer a wider half-width",
        ) from None
    for at, precision in found.items():
        wanted[at] = max(wanted[at], precision)


def _precisions(
    question: Question, target: Target, size: Fraction, confidence: Fraction
) -> dict[int, Fraction]:
    """By measure.

    :raises ValueError: rounding alone can move it that far.
    """
    plan, law, room = question.plan, law_of(question.currency), target.width * size
    if isinstance(target.out, SharesOut):
        weights = shares_weights(target.out, question)
        each = simultaneous(confidence, len(weights))
        rate = laplace.rate_for(room / sum(weights.values()), each)
        return dict.fromkeys(weights, rate)
    if not isinstance(target.out, MomentOut):
        raise TypeError("a moment is priced")
    weights = moment_weights(target.out, question)
    costs = {at: law.sensitivity(plan.measures[at], plan.bound) for at in weights}
    found = law.for_linear(weights, costs, room, confidence)
    least = min(found.values())
    return {at: found.get(at, least) for at in measures_of(target.out)}


def _narrow(question: Question, target: Target) -> None:
    """A moment of clamped values has a range whatever was drawn: that is not for sale."""
    low, high = certain(target.out, question.plan.measures)
    if low is None or high is None:
        return
    if target.width >= high - low:
        span = high - low
        raise bad(
            f"any answer is within {decimal(target.width)} of {target.name}: of the clamped "
            f"values it lies in {decimal(low)}..{decimal(high)}",
            f"--within {target.name}={decimal(span / 20)}" if span else SHARE,
        )
