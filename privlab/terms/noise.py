"""What is drawn: the public parameters of a mechanism."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

MAX_MULTIPLIER = 1 << 48
"""Largest multiplier of a scale, so that noise on int64 sums stays inside int64."""

FINE_MULTIPLIER = 1 << 32
"""`at_most` goes above this only where the shift is 0 already: sigma over 2^33 steps."""

MAX_SHIFT = 62


@dataclass(frozen=True, slots=True)
class RoundedGaussian:
    """A Gaussian of variance ``8 * (multiplier / 2^shift)^2``, rounded to integers.

    Rounding is post-processing of the continuous Gaussian added to an integer,
    so ``mu^2 = D2 * precision`` holds exactly (DESIGN of the sampler:
    ``mechanisms/gaussian.py``).  Unit: one step of the measure it is added to.
    """

    multiplier: int
    shift: int

    def __post_init__(self) -> None:
        if not 1 <= self.multiplier <= MAX_MULTIPLIER:
            raise ValueError(f"multiplier must be in 1..2^48, got {self.multiplier}")
        if not 0 <= self.shift <= MAX_SHIFT:
            raise ValueError(f"shift must be in 0..{MAX_SHIFT}, got {self.shift}")

    @classmethod
    def at_most(cls, precision: Fraction) -> RoundedGaussian:
        """The noise on our grid whose precision is next below this, or equal.

        Where sigma is at least 2^-29 steps the multiplier is at least 2^31, so
        the precision given up is below one part in 2^29.

        :raises ValueError: precision is not positive, or out of reach.
        """
        if precision <= 0:
            raise ValueError("a precision is positive")
        wanted = 1 / (8 * precision)  # S^2
        shift = MAX_SHIFT
        while True:
            # smallest M with (M / 2^shift)^2 >= wanted
            square = math.ceil(wanted * (1 << (2 * shift)))
            multiplier = math.isqrt(square - 1) + 1
            if multiplier <= FINE_MULTIPLIER or (shift == 0 and multiplier <= MAX_MULTIPLIER):
                return cls(multiplier, shift)
            if shift == 0:
                break
            shift = max(0, shift - max(1, multiplier.bit_length() - 33))
        raise ValueError("this much noise is out of reach")

    @property
    def variance(self) -> Fraction:
        """sigma^2 of the continuous Gaussian, exact."""
        return Fraction(8 * self.multiplier**2, 1 << (2 * self.shift))

    @property
    def precision(self) -> Fraction:
        """1 / sigma^2, exact."""
        return 1 / self.variance
