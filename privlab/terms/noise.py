"""What is drawn: the public parameters of a law of noise, or of a choice.

Each law of noise is on the integers, in steps of the measure it is added to, and its
scale is ``multiplier / 2^shift``: dyadic, so that the sampler multiplies and
shifts and never divides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from privlab.terms.exact import positive, whole

MAX_MULTIPLIER = 1 << 48
"""Largest multiplier of a scale, so that noise on int64 sums stays inside int64."""

FINE_MULTIPLIER = 1 << 32
"""`at_most` goes above this only where the shift is 0 already: sigma over 2^33 steps."""

MAX_SHIFT = 62


@dataclass(frozen=True, slots=True)
class RoundedGaussian:
    """A Gaussian of variance ``8 * (multiplier / 2^shift)^2``, rounded to integers.

    Rounding is post-processing of the continuous Gaussian added to an integer,
    so ``mu^2 = D2 * precision`` holds exactly (``docs/proofs/rounded-gaussian.md``).  Unit: one step of the measure it is added to.
    """

    multiplier: int
    shift: int

    def __post_init__(self) -> None:
        _check_grid(self.multiplier, self.shift)

    @classmethod
    def at_most(cls, precision: Fraction) -> RoundedGaussian:
        """The noise on our grid whose precision is next below this, or equal.

        Where sigma is at least 2^-29 steps the multiplier is at least 2^31, so
        the precision given up is below one part in 2^29.

        :raises ValueError: precision is not positive, or out of reach.
        """
        wanted = 1 / (8 * positive("a precision", precision))  # S^2
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


@dataclass(frozen=True, slots=True)
class _Laplace:
    """A scale of ``multiplier / 2^shift`` steps, on the grid of the sampler."""

    multiplier: int
    shift: int

    def __post_init__(self) -> None:
        _check_grid(self.multiplier, self.shift)

    @classmethod
    def at_most(cls, rate: Fraction) -> Self:
        """The noise on our grid whose ``1 / scale`` is next below ``rate``, or equal.

        :raises ValueError: rate is not positive, or out of reach.
        """
        return cls(*_scale_at_least(rate))

    @property
    def scale(self) -> Fraction:
        """Exact, in steps."""
        return Fraction(self.multiplier, 1 << self.shift)

    @property
    def precision(self) -> Fraction:
        """1 / scale, exact: times an L1 sensitivity it is epsilon."""
        return 1 / self.scale


class DiscreteLaplace(_Laplace):
    """``P(k) ~ exp(-|k| / scale)`` on the integers, ``scale = multiplier / 2^shift``.

    Adding it to an integer of sensitivity D (L1) is ``(D / scale, 0)``-DP
    (Ghosh, Roughgarden, Sundararajan 2009, "Universally utility-maximizing
    privacy mechanisms", section 2).  Unit: one step.
    """

    __slots__ = ()


class RoundedLaplace(_Laplace):
    """A Laplace variable of this scale, rounded to integers.

    Post-processing of the continuous Laplace mechanism (Dwork, McSherry, Nissim,
    Smith 2006), so all that is known of that mechanism holds: ``epsilon = D / scale``
    for an L1 sensitivity D.  Unit: one step.  Exact and drawn, and sold by no
    currency today.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """The exponential mechanism, of ``epsilon = multiplier / 2^shift`` in each cell.

    Nothing is added: one of the possible answers is chosen, each with a weight of
    ``exp(epsilon * score / 2)`` (``mechanisms/choose.py``).
    """

    multiplier: int
    shift: int

    def __post_init__(self) -> None:
        _check_grid(self.multiplier, self.shift)
        if not LEAST_CHOICE <= self.epsilon <= MOST_CHOICE:
            raise ValueError("an epsilon of a choice is in 2^-40 .. 2^10")

    @classmethod
    def at_most(cls, epsilon: Fraction) -> Self:
        """The choice on our grid whose epsilon is next below this, or equal.

        Less than one part in 2^21 is given up, above 2^-14 less than one in 2^45.

        :raises ValueError: epsilon is out of range.
        """
        if not LEAST_CHOICE <= positive("an epsilon", epsilon) <= MOST_CHOICE:
            raise ValueError("an epsilon of a choice is in 2^-40 .. 2^10")
        above = epsilon.numerator.bit_length() - epsilon.denominator.bit_length() + 1
        shift = min(MAX_SHIFT, 48 - above)  # epsilon is below 2^above
        return cls(math.floor(epsilon * (1 << shift)), shift)

    @property
    def epsilon(self) -> Fraction:
        """Of one cell, exact."""
        return Fraction(self.multiplier, 1 << self.shift)

    @property
    def precision(self) -> Fraction:
        """epsilon: what a finer choice has more of."""
        return self.epsilon


class Flip(Choice):
    """Permute-and-flip, of ``epsilon = multiplier / 2^shift`` in each cell.

    One of the possible answers is chosen, as by the exponential mechanism but closer
    (``mechanisms/thinned.py``).  Its likelihood ratios have no range of epsilon: it is
    for pure datasets.
    """

    __slots__ = ()


LEAST_CHOICE = Fraction(1, 1 << 40)
MOST_CHOICE = Fraction(1 << 10)
"""Finer than anything is sold; the sampler itself draws up to 2^20."""

Noise = RoundedGaussian | DiscreteLaplace | RoundedLaplace
"""Every law that is drawn and added."""

Mechanism = Noise | Choice
"""Everything that a cell of an answer may come from."""

LAWS: Mapping[
    str,
    type[RoundedGaussian]
    | type[DiscreteLaplace]
    | type[RoundedLaplace]
    | type[Choice]
    | type[Flip],
] = {
    "rounded-gaussian": RoundedGaussian,
    "discrete-laplace": DiscreteLaplace,
    "rounded-laplace": RoundedLaplace,
    "exponential-choice": Choice,
    "permute-and-flip": Flip,
}
"""Each law by the name it is written under."""


def law_name(mechanism: Mechanism) -> str:
    """The name of the mechanism's law in `LAWS`."""
    return next(name for name, law in LAWS.items() if type(mechanism) is law)


def mechanism_of(law: str, multiplier: int, shift: int) -> Mechanism:
    """The mechanism that is written as these three.

    :raises ValueError: there is no such law, or a number is out of its range.
    """
    if law not in LAWS:
        raise ValueError("there is no law of noise of this name")
    return LAWS[law](multiplier, shift)


def _check_grid(multiplier: int, shift: int) -> None:
    whole("a multiplier", multiplier)
    whole("a shift", shift)
    if not 1 <= multiplier <= MAX_MULTIPLIER:
        raise ValueError(f"multiplier must be in 1..2^48, got {multiplier}")
    if not 0 <= shift <= MAX_SHIFT:
        raise ValueError(f"shift must be in 0..{MAX_SHIFT}, got {shift}")


def _scale_at_least(rate: Fraction) -> tuple[int, int]:
    """The finest (multiplier, shift) whose scale is next above ``1 / rate``, or equal."""
    wanted = 1 / positive("a rate", rate)
    shift = MAX_SHIFT
    while True:
        multiplier = math.ceil(wanted * (1 << shift))
        if multiplier <= FINE_MULTIPLIER or (shift == 0 and multiplier <= MAX_MULTIPLIER):
            return multiplier, shift
        if shift == 0:
            raise ValueError("this much noise is out of reach")
        shift = max(0, shift - max(1, multiplier.bit_length() - 33))
