"""Measurements of one view: which of them an answer is made of.

Independent Gaussian measurements of one vector at precisions P1..Pk cost
together exactly what one at P1 + ... + Pk costs (the Gaussian mechanism's mu^2
is linear in precision), and their inverse-variance mean is as precise as that
one (Andersson, Retschmeier, Nelson, Pagh, "Private Lossless Multiple Release",
ICML 2025, arXiv:2505.22449).

Laplace measurements, those of a pure dataset, are never merged: a mean of them
has no simple law, and is worse than one of the epsilon they cost together.  Nor
are choices, in any dataset: the mean of two medians is no median.  The finest is
held, and a finer one takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.terms.noise import Choice, Mechanism, RoundedGaussian


@dataclass(frozen=True, slots=True)
class Measurement:
    """One noisy vector in steps, and the noise that is in it, or the choices it is made of."""

    noise: Mechanism
    values: tuple[int, ...]


def held(measurements: Sequence[Measurement]) -> Fraction:
    """The precision of `merged`: the sum of Gaussian ones, else the greatest."""
    return sum((m.noise.precision for m in shown(measurements)), Fraction(0))


def shown(measurements: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """Those that `merged` is made of: every Gaussian one, or the finest other one.

    Of two others of one precision, the older.

    :raises ValueError: measurements of several laws in one view.
    """
    laws = {type(m.noise) for m in measurements}
    if len(laws) > 1 and laws & {RoundedGaussian, Choice}:
        raise ValueError("a view has measurements of one currency and of one kind")
    if laws <= {RoundedGaussian}:
        return tuple(measurements)
    return (max(measurements, key=lambda m: m.noise.precision),)


def merged(measurements: Sequence[Measurement]) -> tuple[Fraction, ...]:
    """What is known of each cell, exact: the inverse-variance mean, or the finest other one.

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
