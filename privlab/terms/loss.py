"""Privacy loss as the ledger counts it: integers of the dataset's currency.

In a `Currency.GDP` dataset an amount is mu^2: Gaussian noise of variance
``sigma^2`` on a query of squared sensitivity ``D2`` costs ``D2 / sigma^2``
(Dong, Roth, Su, "Gaussian Differential Privacy", 2019, arXiv:1905.02383,
Theorem 1 and Corollary 2).  In a `Currency.PURE` dataset it is epsilon.  Either
way costs add.  One unit is 2^-48.  A charge is rounded up to units, a budget is
rounded down.  What a threshold adds to delta is counted beside it, in 2^-64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Self

from privlab.terms.exact import fraction, whole

UNITS_PER_ONE = 1 << 48
"""Units in a loss of 1."""

DELTA_UNITS_PER_ONE = 1 << 64
"""Units in a delta of 1."""


class Currency(StrEnum):
    """What the losses of a dataset are amounts of; fixed for the dataset's life.

    GDP: mu^2, with a delta for thresholds beside it.  PURE: epsilon, no delta.
    """

    GDP = "gdp"
    PURE = "pure"


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """An amount of the currency, in whole units of 2^-48.  Never negative."""

    units: int

    def __post_init__(self) -> None:
        whole("a loss in units", self.units)
        if self.units < 0:
            raise ValueError(f"a loss cannot be negative, got {self.units}")

    @classmethod
    def charge(cls, amount: Fraction) -> Self:
        """The smallest loss that covers ``amount``: rounded up."""
        return cls(math.ceil(fraction("an amount", amount) * UNITS_PER_ONE))

    @classmethod
    def budget(cls, amount: Fraction) -> Self:
        """The largest loss that ``amount`` covers: rounded down."""
        return cls(math.floor(fraction("an amount", amount) * UNITS_PER_ONE))

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
    def amount(self) -> Fraction:
        """The exact amount: mu^2 or epsilon, as the currency has it."""
        return Fraction(self.units, UNITS_PER_ONE)

    @property
    def mu2(self) -> Fraction:
        """The exact mu^2 of a loss in a GDP dataset."""
        return self.amount

    def __add__(self, other: Loss) -> Loss:
        return Loss(self.units + other.units)

    def __sub__(self, other: Loss) -> Loss:
        return Loss(self.units - other.units)

    def __bool__(self) -> bool:
        return self.units > 0


NOTHING = Loss(0)


@dataclass(frozen=True, slots=True, order=True)
class Delta:
    """A probability of failure, in whole units of 2^-64; below one half."""

    units: int

    def __post_init__(self) -> None:
        whole("a delta in units", self.units)
        if not 0 <= self.units < DELTA_UNITS_PER_ONE // 2:
            raise ValueError("a delta is at least 0 and below one half")

    @classmethod
    def charge(cls, delta: Fraction) -> Self:
        """The smallest that covers ``delta``: rounded up."""
        return cls(math.ceil(fraction("an amount", delta) * DELTA_UNITS_PER_ONE))

    @classmethod
    def budget(cls, delta: Fraction) -> Self:
        """The largest that ``delta`` covers: rounded down."""
        return cls(math.floor(fraction("an amount", delta) * DELTA_UNITS_PER_ONE))

    @property
    def delta(self) -> Fraction:
        """The exact probability."""
        return Fraction(self.units, DELTA_UNITS_PER_ONE)

    def __add__(self, other: Delta) -> Delta:
        return Delta(self.units + other.units)

    def __bool__(self) -> bool:
        return self.units > 0


CERTAIN = Delta(0)
"""No failure at all."""
