"""What an answer cost and what is left, in numbers and in words.

All of it is computed from the asker's own account, so that it tells her
nothing about what others asked.
"""

from __future__ import annotations

from typing import Protocol

from privlab.query import words as said
from privlab.query.words import effort_words
from privlab.terms.loss import CERTAIN, Currency, Delta, Loss
from privlab.wire.messages import Receipt


class Account(Protocol):
    """The two amounts of an account, and those of its delta for thresholds."""

    @property
    def granted(self) -> Loss: ...
    @property
    def spent(self) -> Loss: ...
    @property
    def delta_granted(self) -> Delta: ...
    @property
    def delta_spent(self) -> Delta: ...


def receipt(
    dataset: str,
    charge: Loss,
    account: Account,
    currency: Currency = Currency.GDP,
    delta: Delta = CERTAIN,
) -> Receipt:
    """The receipt of a charge, from the account as it stands after it.

    delta: what its threshold cost.
    """
    left = account.granted - account.spent
    free = not charge
    cost = percent(charge, account.granted)
    words = (
        f"free: you hold this already; {remaining(left, account.granted)} left on {dataset}"
        if free
        else f"cost {cost} of your grant on {dataset}; {remaining(left, account.granted)} left; "
        f"{more_like_this(left, charge)}; {effort_words(currency)}{_threshold(delta, account)}"
    )
    return Receipt(
        dataset=dataset,
        charged=charge.text(),
        spent=account.spent.text(),
        granted=account.granted.text(),
        charged_share=cost,
        left_share=remaining(left, account.granted),
        free=free,
        words=words,
    )


def _threshold(delta: Delta, account: Account) -> str:
    """What showing groups cost, where it cost anything."""
    if not delta:
        return ""
    granted, spent = Loss(account.delta_granted.units), Loss(account.delta_spent.units)
    return (
        f"; its threshold cost {percent(Loss(delta.units), granted)} of your delta, "
        f"{remaining(granted - spent, granted)} of it left"
    )


def percent(cost: Loss, of: Loss) -> str:
    """A cost as a percentage, three digits, rounded up: only what is free costs 0 %."""
    return f"{said.percent(cost, of)} %"


def remaining(left: Loss, granted: Loss) -> str:
    """What is left as a percentage, three digits, rounded down: it never promises too much."""
    return f"{said.percent(left, granted, up=False)} %"


def more_like_this(left: Loss, charge: Loss) -> str:
    """How often the same charge still fits."""
    times = left.units // charge.units if charge else 0
    return f"about {times:,} more like this" if times else "no more like this"
