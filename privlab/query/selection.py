"""How groups that a threshold shows are bought: all measures at once, and a delta with them.

What one measurement shows belongs together, so a finer answer is a whole new one:
every measure is drawn anew, none less precise than before, and the delta is paid
again.  That delta is the same part of an account's delta as the loss is of its loss,
so that both last for as many questions.

Knows no account but two of its amounts.  Start with `tested`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from privlab.accuracy.gaussian import whole_half_width
from privlab.errors import BudgetExceeded
from privlab.mechanisms.threshold import delta_of_threshold, gaussian_threshold
from privlab.query.joint import Purchase
from privlab.query.plan import Plan, Question
from privlab.query.words import percent
from privlab.terms.events import MOST_DELTA, ThresholdEvent
from privlab.terms.loss import Currency, Delta, Loss
from privlab.terms.noise import Mechanism, RoundedGaussian

LEAST_DELTA = Delta(1 << 8)
"""What a threshold pays at least: below it rounding up to whole units would show."""


def counted_too(plan: Plan, wanted: Sequence[Fraction], sold: Sequence[Purchase]) -> list[Fraction]:
    """Precisions with one for the count that is tested, where nobody asked for it.

    sold: how the plan's measures are bought.  It then costs what the dearest of the
    others costs.
    """
    found, at = list(wanted), plan.tested
    if not found[at]:
        costs = {one.members[0]: one.sensitivity for one in sold}
        dearest = max(
            wanted[place] * cost for place, cost in costs.items() if not plan.measures[place].chosen
        )
        found[at] = dearest / costs[at]
    return found


def tested(
    question: Question, noise: Mechanism, cost: Loss, granted: Loss, thresholds: Delta
) -> ThresholdEvent:
    """The threshold of a purchase, as low as its part of the delta allows.

    noise: of the count that is tested.  cost, granted: of the account's loss;
    thresholds: the delta it was granted.

    :raises BudgetExceeded: PL210, no delta was granted.
    """
    if not isinstance(noise, RoundedGaussian) or question.currency is not Currency.GDP:
        raise TypeError("a threshold tests a count with Gaussian noise")
    groups = question.plan.bound.groups
    if not thresholds:
        raise no_delta(question.plan.dataset)
    part = thresholds.delta * min(Fraction(1), cost.amount / granted.amount if granted else 1)
    paid = max(Delta.budget(min(part, MOST_DELTA)), LEAST_DELTA)
    return threshold_event(noise, groups, gaussian_threshold(noise, paid.delta, groups))


def threshold_event(noise: Mechanism, groups: int, threshold: int) -> ThresholdEvent:
    """What a threshold means for privacy, its delta worked out from where it stands."""
    if not isinstance(noise, RoundedGaussian):
        raise TypeError("a threshold tests a count with Gaussian noise")
    delta = min(delta_of_threshold(noise, threshold, groups), MOST_DELTA)
    return ThresholdEvent(noise, groups, threshold, delta)


def threshold_words(threshold: ThresholdEvent | None, thresholds: Delta) -> list[str]:
    """Where a threshold stands, which groups it shows, and what part of the delta it costs.

    thresholds: the delta that was granted.  Example: ``groups are shown from a noisy count
    of 44 units on: one of 27 in 1 of 20 answers, of 44 in every second, of 61 in 19 of 20;
    it costs 1 % of your delta, and a finer answer pays it again``.
    """
    if threshold is None:
        return []
    seldom, often = (
        size_shown(threshold, chance) for chance in (Fraction(1, 20), Fraction(19, 20))
    )
    part = percent(Loss(Delta.charge(threshold.delta).units), Loss(thresholds.units))
    sizes = (
        f"groups are shown from a noisy count of {threshold.threshold:,} units on: one of "
        f"{seldom:,} in 1 of 20 answers, of {threshold.threshold:,} in every second, of "
        f"{often:,} in 19 of 20"
    )
    return [
        sizes,
        f"this costs {part} % of your delta, and a finer answer pays in full again",
    ]


def size_shown(threshold: ThresholdEvent, chance: Fraction) -> int:
    """How many units a group has that is shown with this chance, other than a half; at least 1."""
    off = int(whole_half_width(threshold.noise.variance, 100 * abs(2 * chance - 1)))
    return max(1, threshold.threshold + (off if 2 * chance > 1 else -off))


def no_delta(dataset: str) -> BudgetExceeded:
    """PL210 where thresholds were granted nothing."""
    return BudgetExceeded(
        "these group keys are not public, so a threshold has to decide which groups are shown, "
        f"and you were granted no delta for thresholds on {dataset}",
        hint=f"ask the steward to run: privlab budget thresholds {dataset} --share 10%",
    )
