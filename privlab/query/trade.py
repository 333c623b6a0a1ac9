"""What one measure is bought as: which mechanism answers it, what it costs, what a loss buys.

Sums and counts have the noise of their dataset's currency (`query.law`).  A
quantile has the exponential mechanism in either currency, or, in a pure dataset,
permute-and-flip where `Measure.size` says so: its precision is the
epsilon of one choice, its sensitivity the number of groups one unit is in, and a
finer one is a new one, paid in full.

Knows no budget and no account.  Start with `trade_of`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from privlab.accounting.charge import charge_all
from privlab.accounting.pure import epsilon_like
from privlab.query.law import Law, law_of
from privlab.query.plan import Measure
from privlab.terms.bounds import ContributionBound
from privlab.terms.events import ChoiceEvent, Event, FlipEvent
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import Choice, Flip, Mechanism

FINEST_CHOICE = Fraction(64)
"""Epsilon of the finest choice that is sold: its answers are exact but for one in 10^13"""

MOST_MU = Fraction(16)
"""Beyond what `FINEST_CHOICE` costs."""

_ROOT_BITS = 64
_MARGIN = 1 - Fraction(1, 1 << 32)


@dataclass(frozen=True, slots=True)
class Trade:
    """How a measure is bought.  Precisions are of its mechanism.

    finest: the greatest precision that is sold.  adds: what is missing to a
    precision can be bought alone, and is merged.  sensitivity: of a measure under
    a bound that is already `for_cells`.  affords: (loss, sensitivity) to the
    greatest precision that costs no more.  mechanism: of the precision next below;
    ValueError when it is out of reach.  event: what using it means for privacy.
    """

    finest: Fraction
    adds: bool
    sensitivity: Callable[[Measure, ContributionBound], int]
    affords: Callable[[Fraction, int], Fraction]
    mechanism: Callable[[Fraction], Mechanism]
    event: Callable[[int, Mechanism], Event]


def trade_of(measure: Measure, currency: Currency, *, thresholded: bool = False) -> Trade:
    """How ``measure`` is bought in a dataset of this currency.

    thresholded: a threshold shows its groups.  Another measurement would show others,
    and pays its own delta, so precisions do not add there.
    """
    if measure.chosen:
        return _CHOICES[currency, measure.size > 0]
    trade = _noisy(law_of(currency))
    return replace(trade, adds=False) if thresholded else trade


def learned(
    measure: Measure, bound: ContributionBound, currency: Currency, bought: Iterable[Mechanism]
) -> Loss:
    """What somebody has learned of a measure who bought all these, rounded up."""
    trade = trade_of(measure, currency)
    sensitivity = trade.sensitivity(measure, bound)
    if measure.chosen:
        return charge_all((trade.event(sensitivity, one) for one in bought), currency).loss
    precision = sum((one.precision for one in bought), Fraction(0))
    return Loss.charge(sensitivity * precision)


def _noisy(law: Law) -> Trade:
    def event(sensitivity: int, mechanism: Mechanism) -> Event:
        if isinstance(mechanism, Choice):
            raise TypeError("a sum has noise")
        return law.event(sensitivity, mechanism)

    return Trade(
        finest=law.finest,
        adds=law.adds,
        sensitivity=law.sensitivity,
        affords=lambda loss, sensitivity: loss / sensitivity,
        mechanism=law.noise,
        event=event,
    )


def _choice_event(times: int, mechanism: Mechanism) -> Event:
    if not isinstance(mechanism, Choice):
        raise TypeError("a quantile is chosen")
    return (FlipEvent if type(mechanism) is Flip else ChoiceEvent)(mechanism.epsilon, times)


def choice_for(loss: Fraction, times: int) -> Fraction:
    """The epsilon whose mu^2, ``times`` over, is next below ``loss``.

    A choice is of range epsilon, so it costs what a pure mechanism of half its
    epsilon costs (``docs/proofs/pure.md``).  The margin covers what the charge rounds up.
    """
    scaled = loss.numerator * (1 << (2 * _ROOT_BITS)) // (loss.denominator * times)
    mu = Fraction(math.isqrt(scaled), 1 << _ROOT_BITS) * _MARGIN
    return 2 * epsilon_like(min(mu, MOST_MU)) if mu else Fraction(0)


def _choices(affords: Callable[[Fraction, int], Fraction], law: type[Choice] = Choice) -> Trade:
    return Trade(
        finest=FINEST_CHOICE,
        adds=False,
        sensitivity=Measure.sensitivity,
        affords=affords,
        mechanism=law.at_most,
        event=_choice_event,
    )


_CHOICES = {
    (Currency.GDP, False): _choices(choice_for),
    (Currency.PURE, False): _choices(lambda loss, times: loss / times),
    (Currency.PURE, True): _choices(lambda loss, times: loss / times, Flip),
}
