"""A loss in words: what the best attack on one person would achieve.

Both currencies bound the whole trade-off between naming people who are in the
data and naming people who are not, whatever else the attacker knows.  A sentence
quotes one point of that curve, rounded against us.  The delta of thresholds is
not part of it: with that probability nothing is promised.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb, ctx

from privlab.accounting import gdp, pure
from privlab.accounting.intervals import up
from privlab.terms.loss import Currency, Loss

FALSE_POSITIVES = Fraction(1, 100)
"""The part of the others that the attack we speak of falsely names."""

_BITS = 128


def attack_words(loss: Loss, currency: Currency) -> str:
    """One sentence without its full stop, for a loss of this currency."""
    return (
        f"the best attack on one person finds {found_words(loss, currency)} "
        "while falsely naming 1 in 100 of the others"
    )


def found_words(loss: Loss, currency: Currency) -> str:
    """`found` in words: ``3.4 in 100``."""
    return f"{float(100 * found(loss, currency)):g} in 100"


def found(loss: Loss, currency: Currency) -> Fraction:
    """The part of those in the data that the best attack finds.

    A multiple of 1/1000 in [1/100, 1], proved to be no less than the exact part;
    it falsely names `FALSE_POSITIVES` of the others.
    """
    if not loss:
        return FALSE_POSITIVES
    with ctx.workprec(_BITS):
        return min(Fraction(1), up(_found(loss, currency), 1000))


def _found(loss: Loss, currency: Currency) -> arb:
    match currency:
        case Currency.GDP:
            return gdp.true_positives_interval(loss.amount, FALSE_POSITIVES)
        case Currency.PURE:
            return pure.true_positives_interval(loss.amount, FALSE_POSITIVES)
