"""Roots, logarithms and exponentials between two Fractions.

The decimal module rounds exp and ln correctly to the digits it is given, so the
exact value is at most one unit of the last of them away.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction

from privlab.accuracy.gaussian import sqrt_up as sqrt_up

_DIGITS = 50
_CONTEXT = Context(prec=_DIGITS, Emax=10_000, Emin=-10_000)
_CLOSE = Fraction(1, 10 ** (_DIGITS - 3))
_BITS = 128

MOST_EXPONENT = 70
"""exp of more is larger than any number that is shown."""


def sqrt_down(square: Fraction) -> Fraction:
    """A Fraction at most the root of ``square``, within one part in 2^63 or 2^-128."""
    lift = max(_BITS, _BITS + square.denominator.bit_length())
    return Fraction(math.isqrt((square.numerator << (2 * lift)) // square.denominator), 1 << lift)


def ln_ends(value: Fraction) -> tuple[Fraction, Fraction]:
    """Around the logarithm of a positive number."""
    found = Fraction(_decimal(value).ln(_CONTEXT))
    slack = (abs(found) + 1) * _CLOSE
    return found - slack, found + slack


def exp_ends(value: Fraction) -> tuple[Fraction, Fraction] | None:
    """Around the exponential; None where it is too large."""
    if value > MOST_EXPONENT:
        return None
    if value < -MOST_EXPONENT:
        return Fraction(0), Fraction(1, 10**30)
    found = Fraction(_decimal(value).exp(_CONTEXT))
    slack = found * (1 + abs(value)) * _CLOSE
    return found - slack, found + slack


def _decimal(value: Fraction) -> Decimal:
    """The nearest decimal of 50 digits: off by one part in 10^49."""
    return _CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))
