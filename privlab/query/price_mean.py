"""What a half-width of a mean costs: it depends on how many rows a group has.

That is the declared size of the table, or counts that the asker holds; a price
is never worked out from what she does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.query.allocate import (
    SLACK,
    Target,
    for_shares,
    known_rows,
    priced_rows,
    shares_width,
)
from privlab.query.law import law_of
from privlab.query.plan import MeanOut, Out, Plan, Question
from privlab.query.plan_text import decimal
from privlab.query.post.tree import MomentOut, SharesOut, measures_of
from privlab.query.shares import family_of, whole


def price_mean(
    question: Question,
    target: Target,
    confidence: Fraction,
    held: Sequence[Fraction],
    counts: Sequence[Sequence[Fraction] | None] | None,
    wanted: list[Fraction],
) -> None:
    """Raise ``wanted`` to what meets a target on a mean."""
    plan, law = question.plan, law_of(question.currency)
    own = measures_of(target.out)
    of_shares = isinstance(target.out, SharesOut)
    total = target.out.total if isinstance(target.out, MeanOut) else own[0]
    parts = [plan.measures[at] for at in own]
    _narrow(target, plan.measures[total].low, plan.measures[total].high)

    def width(size: Fraction, have: Sequence[Fraction]) -> Fraction:
        if of_shares:
            return shares_width(parts, size, confidence, min(have))
        count = own[0] if total == own[-1] else own[-1]
        both = (have[own.index(at)] for at in (total, count))
        return law.mean_width(plan.measures[total], size, confidence, *both)

    seen = rows_held(plan, target.out, counts)
    if held[total] and seen is not None:
        have = [max(wanted[at], held[at]) for at in own]
        size = known_rows(plan.cells, seen, question.rows)
        if size is not None and target.width * SLACK >= width(size, have):
            for at, one in zip(own, have, strict=True):
                wanted[at] = one
            return
    size = priced_rows(plan.cells, seen, question.rows)
    if size is None:
        raise bad(
            f"what a half-width of {target.name} costs depends on how many rows there are, "
            "which is not known yet",
            "ask with --share 1% first, and then with --within",
        )
    if isinstance(target.out, MeanOut):
        count = target.out.count
        wanted[total], wanted[count] = law.for_mean(
            plan.measures[total], target.width, size, confidence, wanted[total], wanted[count]
        )
        return
    precision = for_shares(parts, target.width, size, confidence)
    for at in own:
        wanted[at] = max(wanted[at], precision)


def _narrow(target: Target, low: Fraction, high: Fraction) -> None:
    """A mean lies in its clamp whatever was drawn: being within that is not for sale."""
    span = high - low
    if target.width >= span:
        raise bad(
            f"any answer is within {decimal(target.width)} of {target.name}: the values are "
            f"clamped to {decimal(low)}..{decimal(high)}",
            f"--within {target.name}={decimal(span / 20)}" if span else "--share 1%",
        )


def rows_held(
    plan: Plan, out: Out, counts: Sequence[Sequence[Fraction] | None] | None
) -> Sequence[Fraction] | None:
    """The rows of each group, as far as the asker holds them."""
    if counts is None:
        return None
    if isinstance(out, MeanOut | MomentOut):
        return counts[out.count]
    parts = [counts[at] for at in measures_of(out)]
    known = [one for one in parts if one is not None]
    share = plan.measures[measures_of(out)[0]]
    if len(known) < len(parts) or share.share is None:
        return None
    unit = whole(family_of(share.share), share.reach)
    return [sum(cell, Fraction(0)) / unit for cell in zip(*known, strict=True)]


def bad(what: str, hint: str) -> BadQuery:
    return BadQuery(what, code="PL108", hint=hint)
