"""From Fractions to Arb intervals and back, rounded outwards.

Bounds of this package are worked out in intervals at some precision and leave
it, still at that precision, as Fractions on a grid, to the side that is safe.  (`accounting.intervals` does
the same; the two packages share no code, so that one can check the other.)
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb, fmpq


def interval(value: Fraction | int) -> arb:
    """An interval that holds ``value``, at the precision of the caller's context."""
    return arb(fmpq(value.numerator, value.denominator))


def up(bound: arb, bits: int) -> Fraction:
    """The smallest multiple of 2^-bits that is at least all of ``bound``.

    :raises ValueError: the interval has no finite upper end.
    """
    return Fraction(-_floor(-bound, bits), 1 << bits)


def down(bound: arb, bits: int) -> Fraction:
    """The largest multiple of 2^-bits that is at most all of ``bound``.

    :raises ValueError: the interval has no finite lower end.
    """
    return Fraction(_floor(bound, bits), 1 << bits)


def _floor(bound: arb, bits: int) -> int:
    if not bound.is_finite():
        raise ValueError("the interval is not finite")
    mantissa, exponent = (int(part) for part in bound.lower().man_exp())
    exponent += bits
    return mantissa << exponent if exponent >= 0 else mantissa >> -exponent
