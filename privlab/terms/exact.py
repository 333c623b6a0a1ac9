"""Exact numbers: the one check that keeps floats out of losses, scales and events.

A float that reaches a privacy amount has lost digits already, and may be NaN or
infinite; it is refused by type, whatever its value.
"""

from __future__ import annotations

from fractions import Fraction


def fraction(what: str, value: Fraction | int) -> Fraction:
    """``value`` as a Fraction.

    :raises TypeError: it is neither a Fraction nor an int.
    """
    if type(value) not in (int, Fraction):
        raise TypeError(f"{what} is a Fraction, not {type(value).__name__}")
    return Fraction(value)


def positive(what: str, value: Fraction | int) -> Fraction:
    """``value`` as a Fraction above zero.

    :raises TypeError: it is neither a Fraction nor an int.
    :raises ValueError: it is zero or negative.
    """
    exact = fraction(what, value)
    if exact <= 0:
        raise ValueError(f"{what} is positive")
    return exact


def whole(what: str, value: int) -> int:
    """``value``.

    :raises TypeError: it is not an int; True and False are not either.
    """
    if type(value) is not int:
        raise TypeError(f"{what} is a whole number, not {type(value).__name__}")
    return value
