"""What an event costs, in the currency of its dataset.

A mechanism is charged only in a currency in which its loss is proved; anything
else is refused, and so is a law of noise that merely looks like one of ours.
The discrete Gaussian is the case in point: it has a variance, and is not
``D2 / sigma^2``-GDP (``docs/proofs/rounded-gaussian.md``).  Charges are exact
up to the last unit, and that is rounded up.  Why this is apart from the
mechanisms: ``docs/adr/0009-events-and-currencies.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from privlab.accounting.pure import mu2_of_choice, mu2_of_pure
from privlab.errors import IntegrityError
from privlab.terms.events import (
    ChoiceEvent,
    Event,
    FlipEvent,
    GaussianEvent,
    LaplaceEvent,
    PartitionEvent,
    ThresholdEvent,
)
from privlab.terms.loss import CERTAIN, NOTHING, Currency, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian, RoundedLaplace


@dataclass(frozen=True, slots=True)
class Charge:
    """What one or more events cost: rounded up.  ``loss`` is in the dataset's currency."""

    loss: Loss
    delta: Delta = CERTAIN

    def __add__(self, other: Charge) -> Charge:
        return Charge(self.loss + other.loss, self.delta + other.delta)


FREE = Charge(NOTHING)


def charge(event: Event, currency: Currency) -> Charge:
    """The charge of one event.

    :raises IntegrityError: PL410, the mechanism has no proved loss in this
        currency, or its noise is of a law that it does not draw.
    """
    rule = _RULES.get((type(event), currency))
    if rule is None or not _noise_is_its_own(event):
        raise IntegrityError(
            f"a {_called(event)} has no proved loss in {currency}",
            code="PL410",
            hint="tell the steward: this is a defect of privlab, not of the question",
        )
    return rule(event)


def charge_all(events: Iterable[Event], currency: Currency) -> Charge:
    """The charge of all of ``events``: the sum of theirs, each rounded up by itself.

    :raises IntegrityError: PL410, as `charge`.
    """
    return sum((charge(event, currency) for event in events), FREE)


def _gaussian(event: GaussianEvent) -> Charge:
    """Exact: ``D2 / sigma^2``."""
    return Charge(Loss.charge(event.mu2))


def _laplace(event: LaplaceEvent) -> Charge:
    """The mu^2 that covers every mechanism of this epsilon."""
    return Charge(Loss.charge(mu2_of_pure(event.epsilon)))


def _choice(event: ChoiceEvent) -> Charge:
    """That of a bounded range of epsilon, in each group."""
    return Charge(Loss.charge(event.times * mu2_of_choice(event.epsilon)))


def _threshold(event: ThresholdEvent) -> Charge:
    """The counts are paid by their own Gaussian event; here is what can go wrong."""
    return Charge(NOTHING, Delta.charge(event.delta))


def _partition(event: PartitionEvent) -> Charge:
    """Independent choices, one in each group, of an equal part of epsilon and delta."""
    loss = event.groups * mu2_of_pure(event.epsilon / event.groups)
    return Charge(Loss.charge(loss), Delta.charge(event.delta))


def _pure_laplace(event: LaplaceEvent) -> Charge:
    """Exact."""
    return Charge(Loss.charge(event.epsilon))


def _pure_choice(event: ChoiceEvent | FlipEvent) -> Charge:
    """Exact: epsilons of the groups add."""
    return Charge(Loss.charge(event.times * event.epsilon))


_RULES: dict[tuple[type, Currency], Callable[[Any], Charge]] = {
    (GaussianEvent, Currency.GDP): _gaussian,
    (LaplaceEvent, Currency.GDP): _laplace,
    (ChoiceEvent, Currency.GDP): _choice,
    (ThresholdEvent, Currency.GDP): _threshold,
    (PartitionEvent, Currency.GDP): _partition,
    (LaplaceEvent, Currency.PURE): _pure_laplace,
    (ChoiceEvent, Currency.PURE): _pure_choice,
    (FlipEvent, Currency.PURE): _pure_choice,
}
"""By exact class: a subclass may mean something else, so it is not charged as its parent."""

_LAWS: dict[type, tuple[type, ...]] = {
    GaussianEvent: (RoundedGaussian,),
    ThresholdEvent: (RoundedGaussian,),
    LaplaceEvent: (DiscreteLaplace, RoundedLaplace),
}


def _noise_is_its_own(event: Event) -> bool:
    laws = _LAWS.get(type(event))
    return laws is None or type(getattr(event, "noise", None)) in laws


def _called(event: Event) -> str:
    noise = getattr(event, "noise", None)
    name = type(event).__name__
    return name if noise is None else f"{name} with {type(noise).__name__} noise"
