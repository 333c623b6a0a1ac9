"""What is drawn and what it costs: noise events."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from privlab.terms.loss import Loss
from privlab.terms.noise import RoundedGaussian


@dataclass(frozen=True, slots=True)
class NoiseEvent:
    """One noisy vector.

    squared_sensitivity: D2, the largest squared Euclidean distance that one
    privacy unit can move the vector, in squared steps, exact; at least 1.
    noise: in the same steps.
    """

    squared_sensitivity: int
    noise: RoundedGaussian

    def __post_init__(self) -> None:
        if self.squared_sensitivity < 1:
            raise ValueError(f"a squared sensitivity is at least 1, got {self.squared_sensitivity}")

    @property
    def mu2(self) -> Fraction:
        """D2 / sigma^2, exact (Dong, Roth, Su 2019, arXiv:1905.02383, Theorem 1)."""
        return self.squared_sensitivity * self.noise.precision

    @property
    def charge(self) -> Loss:
        """mu2 in units of the ledger, rounded up."""
        return Loss.charge(self.mu2)
