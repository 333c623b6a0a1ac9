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

Nor are measurements whose groups a threshold showed: another one shows others.  The
newest is held, which was bought because it is finer, for all measures at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from privlab.terms.groups import ShownGroups
from privlab.terms.noise import Choice, Flip, Mechanism, RoundedGaussian


@dataclass(frozen=True, slots=True)
class Measurement:
    """One noisy vector in steps, and the noise that is in it, or the choices it is made of.

    groups: whose cells they are, where a threshold showed them; else the plan's.
    """

    noise: Mechanism
    values: tuple[int, ...]
    groups: ShownGroups | None = None


def held(measurements: Sequence[Measurement]) -> Fraction:
    """The precision of `merged`: the sum of Gaussian ones, else the greatest."""
    return sum((m.noise.precision for m in shown(measurements)), Fraction(0))


def shown(measurements: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """Those that `merged` is made of: every Gaussian one, or the finest other one.

    Of two others of one precision, the older; of thresholded ones the newest, so that
    all measures of a question are of one purchase.

    :raises ValueError: measurements of several laws in one view.
    """
    if any(m.groups is not None for m in measurements):
        return (measurements[-1],)
    laws = {type(m.noise) for m in measurements}
    if len(laws) > 1 and laws & {RoundedGaussian, Choice, Flip}:
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
    used = shown(measurements)
    if len({len(m.values) for m in used}) > 1:
        raise ValueError("one vector is shorter than another")
    total = held(used)
    return tuple(
        sum(
            (m.noise.precision * value for m, value in zip(used, cell, strict=True)),
            Fraction(0),
        )
        / total
        for cell in zip(*(m.values for m in used), strict=True)
    )


def groups(views: Sequence[Sequence[Measurement]]) -> ShownGroups | None:
    """Whose cells the vectors of one question are; None: the plan's.

    :raises ValueError: its measures are not of one purchase.
    """
    found = {m.groups for view in views for m in shown(view)}
    if len(found) != 1:
        raise ValueError("the measures of a question have one set of groups")
    return found.pop()
