"""Measurements of one view: which of them an answer is made of, and what all of them cost.

Independent Gaussian measurements of one vector at precisions P1..Pk cost
together exactly what one at P1 + ... + Pk costs (the Gaussian mechanism's mu^2
is linear in precision), and their inverse-variance mean is as precise as that
one (Andersson, Retschmeier, Nelson, Pagh, "Private Lossless Multiple Release",
ICML 2025, arXiv:2505.22449).

Laplace measurements, those of a pure dataset, are never merged: a mean of them
has no simple law, and is worse than one of the epsilon they cost together.  The
finest is held, and a finer one takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.terms.noise import Noise, RoundedGaussian


@dataclass(frozen=True, slots=True)
class Measurement:
    """One noisy vector in steps, and the noise that is in it."""

    noise: Noise
    values: tuple[int, ...]


def held(measurements: Sequence[Measurement]) -> Fraction:
    """The precision of `merged`: the sum of Gaussian ones, the greatest Laplace one."""
    return sum((m.noise.precision for m in shown(measurements)), Fraction(0))


def paid(measurements: Sequence[Measurement]) -> Fraction:
    """The precision all of them cost together: times the sensitivity, the loss."""
    return sum((m.noise.precision for m in measurements), Fraction(0))


def shown(measurements: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """Those that `merged` is made of: every Gaussian one, or the finest Laplace one.

    Of two Laplace ones of one precision, the older.

    :raises ValueError: Gaussian and Laplace noise in one view.
    """
    gaussian = {isinstance(m.noise, RoundedGaussian) for m in measurements}
    if len(gaussian) > 1:
        raise ValueError("a view has measurements of one currency")
    if gaussian <= {True}:
        return tuple(measurements)
    return (max(measurements, key=lambda m: m.noise.precision),)


def merged(measurements: Sequence[Measurement]) -> tuple[Fraction, ...]:
    """What is known of each cell, exact: the inverse-variance mean, or the finest Laplace one.

    :raises ValueError: no measurement, or vectors of different lengths.
    """
    if not measurements:
        raise ValueError("nothing was measured")
    if len({len(m.values) for m in measurements}) > 1:
        raise ValueError("one vector is shorter than another")
    used = shown(measurements)
    total = held(used)
    return tuple(
        sum(
            (m.noise.precision * value for m, value in zip(used, cell, strict=True)),
            Fraction(0),
        )
        / total
        for cell in zip(*(m.values for m in used), strict=True)
    )
