"""What an event costs, in the currency of its dataset.

In a GDP dataset a Gaussian event of mu^2 costs exactly that.  In a PURE dataset
a Laplace event of epsilon costs exactly that, and what is not pure is refused:
a mechanism is charged only in a currency in which its loss is proved.
"""

from __future__ import annotations

from dataclasses import dataclass

from privlab.errors import IntegrityError
from privlab.terms.events import Event, GaussianEvent, LaplaceEvent
from privlab.terms.loss import CERTAIN, Currency, Delta, Loss


@dataclass(frozen=True, slots=True)
class Charge:
    """What one or more events cost: rounded up."""

    loss: Loss
    delta: Delta = CERTAIN

    def __add__(self, other: Charge) -> Charge:
        return Charge(self.loss + other.loss, self.delta + other.delta)


def charge(event: Event, currency: Currency) -> Charge:
    """The charge of one event.

    :raises IntegrityError: PL408, the mechanism has no proved loss in this currency.
    """
    match event, currency:
        case GaussianEvent(), Currency.GDP:
            return Charge(Loss.charge(event.mu2))
        case LaplaceEvent(), Currency.PURE:
            return Charge(Loss.charge(event.epsilon))
        case _:
            raise IntegrityError(
                f"a {type(event).__name__} cannot be charged in {currency}",
                code="PL408",
                hint="tell the steward: this is a defect of privlab, not of the question",
            )
