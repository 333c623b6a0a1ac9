"""Measurements of one view, and their merging.

Independent Gaussian measurements of one vector at precisions P1..Pk cost
together exactly what one at P1 + ... + Pk costs (the Gaussian mechanism's mu^2
is linear in precision), and their inverse-variance mean is as precise as that
one (Andersson, Retschmeier, Nelson, Pagh, "Private Lossless Multiple Release",
ICML 2025, arXiv:2505.22449).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.terms.noise import RoundedGaussian


@dataclass(frozen=True, slots=True)
class Measurement:
    """One noisy vector in steps, and the noise that is in it."""

    noise: RoundedGaussian
    values: tuple[int, ...]


def held(measurements: Sequence[Measurement]) -> Fraction:
    """The precision these measurements have together, in 1 / steps^2."""
    return sum((m.noise.precision for m in measurements), Fraction(0))


def merged(measurements: Sequence[Measurement]) -> tuple[Fraction, ...]:
    """The inverse-variance mean, cell by cell, exact.

    :raises ValueError: no measurement, or vectors of different lengths.
    """
    if not measurements:
        raise ValueError("nothing was measured")
    total = held(measurements)
    return tuple(
        sum(
            (m.noise.precision * value for m, value in zip(measurements, cell, strict=True)),
            Fraction(0),
        )
        / total
        for cell in zip(*(m.values for m in measurements), strict=True)
    )
