"""What the rest of a budget still buys of a question, beside what its asker holds of it.

Where precisions add, only what is missing to a finer answer is paid; where they
do not, a finer one is paid in full, and one that is no finer is free.  So what is
left buys more than it seems in the first case, and may buy nothing in the other.

In losses, in units; knows no account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.accounting.charge import charge
from privlab.query.allocation import parts
from privlab.query.joint import Purchase, purchases
from privlab.query.plan import Question
from privlab.terms.loss import NOTHING, Loss

PERCENT = Fraction(1, 10**4)
"""Shares are offered in whole ten thousandths of a percent."""

_FINER = 1 + Fraction(1, 1 << 10)
"""What is finer by less than this is no offer."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the precision held of one purchase costs, and whether a finer one is paid on top of it.

    whole: where one purchase of the question is made anew, this one is too.
    weight: its part of a loss that is offered for all (`allocation.parts`).
    """

    loss: Loss = NOTHING
    adds: bool = True
    whole: bool = False
    weight: int = 1

    @property
    def finer(self) -> Fraction:
        """A loss above this, in units, buys what is worth offering."""
        return self.loss.units * _FINER


def holdings(question: Question, held: Sequence[Fraction]) -> tuple[Holding, ...]:
    """What she holds of each purchase.  held: precision, per measure."""
    sold = purchases(question)
    return tuple(
        Holding(
            _loss(question, one, min(held[at] for at in one.members)),
            one.trade.adds,
            question.plan.thresholded,
            weight,
        )
        for one, weight in zip(sold, parts(question, sold), strict=True)
    )


def losses(question: Question, precisions: Sequence[Fraction]) -> tuple[Loss, ...]:
    """What each purchase of these precisions, per measure, costs, rounded down."""
    return tuple(
        _loss(question, one, max(precisions[at] for at in one.members))
        for one in purchases(question)
    )


def _loss(question: Question, one: Purchase, precision: Fraction) -> Loss:
    if not precision:
        return NOTHING
    if not question.plan.measures[one.members[0]].chosen:
        return Loss.budget(one.sensitivity * precision)
    return charge(one.event(one.trade.mechanism(precision)), question.currency).loss


def reach(wanted: Sequence[Loss], holds: Sequence[Holding], left: Loss) -> Fraction | None:
    """The greatest factor of the wanted losses, all alike, that ``left`` pays for.

    None when it buys nothing finer than what is held.
    """
    sold = [(want.units, one) for want, one in zip(wanted, holds, strict=True) if want]
    steps = sorted({Fraction(one.loss.units, want) for want, one in sold}, reverse=True)
    above: Fraction | None = None
    for step in steps:  # between two steps the same measures are bought
        bought = [(want, one) for want, one in sold if one.loss.units <= step * want]
        paid = sum(one.loss.units for _, one in bought if one.adds)
        paid -= sum(one.loss.units for want, one in sold if one.whole and (want, one) not in bought)
        factor = Fraction(left.units + paid, sum(want for want, _ in bought))
        if above is not None:
            factor = min(factor, above)
        if factor > step:
            return factor if any(want * factor > one.finer for want, one in bought) else None
        above = step
    return None


def share(holds: Sequence[Holding], left: Loss, granted: Loss) -> Fraction | None:
    """The greatest share of the grant, in percent, that the rest of it pays for.

    A whole multiple of `PERCENT`; None when no share buys anything finer than what
    is held.  A share is split over the purchases by their weights, as `price` does.
    """
    level = reach([Loss(one.weight) for one in holds], holds, left)
    if level is None or not granted:
        return None
    total = sum(one.weight for one in holds)
    whole = min(int(total * level), granted.units)
    percent = whole * 100 / PERCENT // granted.units * PERCENT
    offered = int(percent * granted.units / 100)
    return percent if any(offered * one.weight // total > one.finer for one in holds) else None
