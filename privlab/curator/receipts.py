"""What an answer cost and what is left, in numbers and in words.

All of it is computed from the asker's own account, so that it tells her
nothing about what others asked.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Protocol

from privlab.query.words import effort_words
from privlab.terms.loss import Currency, Loss
from privlab.wire.messages import Receipt


class Account(Protocol):
    """The two amounts of an account."""

    @property
    def granted(self) -> Loss: ...
    @property
    def spent(self) -> Loss: ...


def receipt(
    dataset: str, charge: Loss, account: Account, currency: Currency = Currency.GDP
) -> Receipt:
    """The receipt of a charge, from the account as it stands after it."""
    left = account.granted - account.spent
    free = not charge
    cost = percent(charge, account.granted)
    words = (
        f"free: you hold this already; {remaining(left, account.granted)} left on {dataset}"
        if free
        else f"cost {cost} of your grant on {dataset}; {remaining(left, account.granted)} left; "
        f"{more_like_this(left, charge)}; {effort_words(currency)}"
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


def percent(amount: Loss, of: Loss, *, rounding: str = ROUND_HALF_UP) -> str:
    """``amount`` as a percentage of ``of``, to three digits below the first."""
    if not of:
        return "0 %"
    share = Fraction(100 * amount.units, of.units)
    exact = Decimal(share.numerator) / Decimal(share.denominator)
    places = 2 if exact < 10 else 1
    text = format(exact.quantize(Decimal(1).scaleb(-places), rounding=rounding), "f")
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def remaining(left: Loss, granted: Loss) -> str:
    """What is left as a percentage, rounded down: it never promises too much."""
    return percent(left, granted, rounding=ROUND_DOWN)


def more_like_this(left: Loss, charge: Loss) -> str:
    """How often the same charge still fits."""
    times = left.units // charge.units if charge else 0
    return f"about {times:,} more like this" if times else "no more like this"
