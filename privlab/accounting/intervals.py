"""From Fractions to Arb intervals and back, rounded outwards.

Every bound of this package is worked out in intervals at some precision and
leaves it as a Fraction on a grid, to the side that is safe.  (`mechanisms.intervals`
has `interval`, `up` and `down` too; the two packages share no code, so that one can
check the other.)
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from flint import arb, fmpq


def interval(value: Fraction | int) -> arb:
    """An interval that holds ``value``, at the precision of the caller's context."""
    return arb(fmpq(value.numerator, value.denominator))


def up(bound: arb, grid: int) -> Fraction:
    """The smallest multiple of ``1 / grid`` that is at least all of ``bound``.

    :raises ValueError: the interval has no finite upper end.
    """
    return Fraction(-_floor(-bound, grid), grid)


def down(bound: arb, grid: int) -> Fraction:
    """The largest multiple of ``1 / grid`` that is at most all of ``bound``.

    :raises ValueError: the interval has no finite lower end.
    """
    return Fraction(_floor(bound, grid), grid)


def figure(value: Fraction) -> str:
    """Six digits of a number that a float might not hold, for messages."""
    return f"{(Decimal(value.numerator) / Decimal(value.denominator)).normalize():.6g}"


def _floor(bound: arb, grid: int) -> int:
    if not bound.is_finite():
        raise ValueError("the interval is not finite")
    mantissa, exponent = (int(part) for part in bound.lower().man_exp())
    scaled = mantissa * grid
    return scaled << exponent if exponent >= 0 else scaled >> -exponent
