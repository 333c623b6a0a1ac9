"""What is bought together: measures that cost less jointly than one by one.

A plan's measures are what they are, each with a view of its own; that some of them
are bought as one shows in the measures alone, so a plan says nothing of it.  All
shares of one value (`query.shares`) move together: one row moves their sums by one
number in L1, however many they are.  They are drawn with noise of one scale, in one
event of that sensitivity.  Quantiles of one value that are chosen together
(`mechanisms.quantiles`) are one purchase of as many choices as there are levels.

Whoever holds them has learned at most that sensitivity times the largest of their
precisions, also where she holds only some, or holds them from different purchases:
``sum_j s_j P_j <= max_j P_j sum_j s_j`` for what one unit moves each by.  Of quantiles
that were chosen together every choice counts that one of them shows, once.

Knows no budget and no account.  Start with `purchases`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from privlab.accounting.charge import charge_all
from privlab.query.plan import Measure, Plan, Question
from privlab.query.shares import family_of, whole
from privlab.query.trade import Trade, learned, trade_of
from privlab.terms.bounds import ContributionBound
from privlab.terms.events import Event
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import Mechanism


@dataclass(frozen=True, slots=True)
class Purchase:
    """Measures that are bought as one, most often one alone.

    members: their places in the plan.  sensitivity: of all of them together.
    """

    members: tuple[int, ...]
    sensitivity: int
    trade: Trade

    def event(self, mechanism: Mechanism) -> Event:
        """What buying them with one mechanism means for privacy."""
        return self.trade.event(self.sensitivity, mechanism)


def purchases(question: Question) -> tuple[Purchase, ...]:
    """Every measure of the plan, each in one purchase, in order of their first measures."""
    return of_plan(question.plan, question.currency)


def of_plan(plan: Plan, currency: Currency) -> tuple[Purchase, ...]:
    """As `purchases`."""
    found = []
    for members in _together(plan.measures, currency):
        first = plan.measures[members[0]]
        trade = trade_of(first, currency, thresholded=plan.thresholded)
        alone = trade.sensitivity(first, plan.bound)
        shared = first.share is not None and len(members) > 1
        joint = shares_sensitivity(first, plan.bound) if shared else alone
        found.append(Purchase(members, joint, trade))
    return tuple(found)


def shares_sensitivity(share: Measure, bound: ContributionBound) -> int:
    """The L1 sensitivity of the sums of all shares of a value, exact.

    share: any of them; bound: already `for_cells`.
    """
    if share.share is None:
        raise TypeError("this is no share")
    return bound.most_rows * whole(family_of(share.share), share.reach)


def learned_jointly(
    question: Question, purchase: Purchase, bought: Sequence[Iterable[Mechanism]]
) -> Loss:
    """What somebody has learned who ever bought these mechanisms, per member, rounded up."""
    measures = question.plan.measures
    if len(purchase.members) == 1:
        measure = measures[purchase.members[0]]
        return learned(measure, question.plan.bound, question.currency, bought[0])
    if measures[purchase.members[0]].chosen:
        every = Counter[Mechanism]()
        for each in bought:
            every |= Counter(each)
        return charge_all(map(purchase.event, every.elements()), question.currency).loss
    most = max(sum((one.precision for one in each), Fraction(0)) for each in bought)
    return Loss.charge(purchase.sensitivity * most)


def _together(measures: Sequence[Measure], currency: Currency) -> list[tuple[int, ...]]:
    """Places of measures that are bought as one; of a family all shares or each alone."""
    found: dict[Measure | int, list[int]] = {}
    for at, measure in enumerate(measures):
        found.setdefault(_key(measure, at, measures, currency), []).append(at)
    return [tuple(members) for members in found.values()]


def _key(
    measure: Measure, at: int, measures: Sequence[Measure], currency: Currency
) -> Measure | int:
    """Equal for what is bought as one; else the place."""
    if measure.among:
        every = all(replace(measure, q=q) in measures for q in measure.among)
        return replace(measure, q=None) if every else at
    if measure.share is None or currency is not Currency.PURE:
        return at
    family = family_of(measure.share)
    if all(replace(measure, share=one) in measures for one in family):
        return replace(measure, share=family[0])
    return at
