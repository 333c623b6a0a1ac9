"""Privacy loss as the ledger counts it: integers of mu^2.

Gaussian noise of variance ``sigma^2`` on a query of squared sensitivity ``D2``
costs ``mu^2 = D2 / sigma^2`` (Dong, Roth, Su, "Gaussian Differential Privacy",
2019, arXiv:1905.02383, Theorem 1 and Corollary 2), and costs add.  One unit is
2^-48 of mu^2.  A charge is rounded up to units, a budget is rounded down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

UNITS_PER_ONE = 1 << 48
"""Units in a loss of mu^2 = 1."""


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """An amount of mu^2, in whole units of 2^-48.  Never negative."""

    units: int

    def __post_init__(self) -> None:
        if isinstance(self.units, bool) or not isinstance(self.units, int):
            raise TypeError(f"a loss is a whole number of units, not {type(self.units).__name__}")
        if self.units < 0:
            raise ValueError(f"a loss cannot be negative, got {self.units}")

    @classmethod
    def charge(cls, mu2: Fraction) -> Self:
        """The smallest loss that covers ``mu2``: rounded up."""
        return cls(math.ceil(mu2 * UNITS_PER_ONE))

    @classmethod
    def budget(cls, mu2: Fraction) -> Self:
        """The largest loss that ``mu2`` covers: rounded down."""
        return cls(math.floor(mu2 * UNITS_PER_ONE))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `text()` back: a decimal string, as in every JSON."""
        if not text.isascii() or not text.isdigit():
            raise ValueError("a loss is written as a decimal string of units")
        return cls(int(text))

    def text(self) -> str:
        """The units as a decimal string (a JSON number would lose digits)."""
        return str(self.units)

    @property
    def mu2(self) -> Fraction:
        """The exact mu^2."""
        return Fraction(self.units, UNITS_PER_ONE)

    def __add__(self, other: Loss) -> Loss:
        return Loss(self.units + other.units)

    def __sub__(self, other: Loss) -> Loss:
        return Loss(self.units - other.units)

    def __bool__(self) -> bool:
        return self.units > 0


NOTHING = Loss(0)
