"""Arb intervals of exact numbers, and whole numbers from their ends.

Everything is at the precision of the caller's ``ctx.workprec``.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb, fmpq


def interval(value: Fraction | int) -> arb:
    """An interval that holds ``value``."""
    return arb(fmpq(value.numerator, value.denominator))


def least(bound: arb) -> Fraction:
    """The lower end, exact.

    :raises ValueError: it is not finite.
    """
    return _end(bound.lower())


def most(bound: arb) -> Fraction:
    """The upper end, exact.

    :raises ValueError: it is not finite.
    """
    return _end(bound.upper())


def _end(point: arb) -> Fraction:
    if not point.is_finite():
        raise ValueError("the interval is not finite")
    mantissa, exponent = (int(part) for part in point.man_exp())
    return Fraction(mantissa << max(exponent, 0), 1 << max(-exponent, 0))
