"""Losses as epsilon, for reading, and as mu^2, for the policy: always rounded up.

In a gdp dataset epsilon is read off the curve of mu^2 at a delta, and epsilons
of parts do not add up to that of the whole.  In a pure dataset the loss is
epsilon, no delta belongs to it, and epsilons add.  A policy's limits are on mu^2,
which a pure loss has too: the least that covers it.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, localcontext
from fractions import Fraction

from privlab.accounting import gdp
from privlab.accounting.pure import mu2_of_pure
from privlab.terms.loss import CERTAIN, Currency, Delta, Loss


def epsilon_text(
    loss: Loss, currency: Currency, delta: Fraction, places: int, thresholds: Delta = CERTAIN
) -> str:
    """The smallest epsilon of so many decimals that covers ``loss``.

    delta: of the dataset; thresholds: what they used up of it, and where that is
    all no epsilon does.  Neither plays a part in a pure dataset.
    """
    if currency is Currency.GDP:
        rest = delta - thresholds.delta
        return gdp.epsilon_text(loss.amount, rest, places) if rest > 0 else "∞"
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(loss.units) / (1 << 48)  # 48 binary digits behind the point, exact
        return format(exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_CEILING), "f")


def mu2(loss: Loss, currency: Currency) -> Loss:
    """The loss as mu^2: what a policy compares with its limits."""
    if currency is Currency.GDP or not loss:
        return loss
    return Loss.charge(mu2_of_pure(loss.amount))


def delta_text(delta: Fraction, currency: Currency) -> str:
    """The delta that goes with it, two digits, rounded up: ``1e-6``, ``1.5e-6``; "0" in pure."""
    if currency is Currency.PURE:
        return "0"
    with localcontext() as context:
        context.prec, context.rounding = 2, ROUND_CEILING
        shown = Decimal(delta.numerator) / Decimal(delta.denominator)
    digits, _, power = f"{shown:.1e}".partition("e")
    return f"{digits.removesuffix('.0')}e{int(power)}"
