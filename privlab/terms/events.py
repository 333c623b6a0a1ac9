"""Events: what a mechanism did, as far as its privacy depends on it.

An event holds the parameters that are necessary and sufficient to account for
one use of a mechanism, all public and exact.  `accounting.charge` says what it
costs in a currency; `mechanisms.opendp` asks another library whether that is
enough.  The meaning of an event never changes; new mechanisms get new events.

An event that exists can be charged and drawn: what no mechanism draws is refused
here, since a failure after the charge would be a charge for nothing.  (But for
the length of a selection's table, which only computing it tells: there the
certifier refuses.)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from privlab.terms.exact import positive, whole
from privlab.terms.loss import DELTA_UNITS_PER_ONE
from privlab.terms.noise import LEAST_CHOICE, DiscreteLaplace, RoundedGaussian, RoundedLaplace

LEAST_CHOICE_EPSILON = LEAST_CHOICE
MOST_CHOICE_EPSILON = Fraction(1 << 20)

MOST_SELECTION_EPSILON = 1 << 10
"""Of one of a selection's groups."""

LEAST_SELECTION_DELTA = Fraction(1, 1 << 128)
MOST_SELECTION_GROUPS = 1 << 40

MOST_DELTA = Fraction(1, 2) - Fraction(1, DELTA_UNITS_PER_ONE)
"""The largest that can be charged: rounded up to units, below one half."""


@dataclass(frozen=True, slots=True)
class GaussianEvent:
    """One vector with rounded Gaussian noise.

    squared_sensitivity: D2, the largest squared Euclidean distance that one
    privacy unit can move the vector, in squared steps, exact; at least 1.
    noise: in the same steps.
    """

    squared_sensitivity: int
    noise: RoundedGaussian

    def __post_init__(self) -> None:
        _at_least_one("a squared sensitivity", self.squared_sensitivity)

    @property
    def mu2(self) -> Fraction:
        """D2 / sigma^2, exact (Dong, Roth, Su 2019, arXiv:1905.02383, Theorem 1)."""
        return self.squared_sensitivity * self.noise.precision


@dataclass(frozen=True, slots=True)
class LaplaceEvent:
    """One vector with discrete or rounded Laplace noise.

    sensitivity: the largest L1 distance that one privacy unit can move the
    vector, in steps, exact; at least 1.  noise: in the same steps.
    """

    sensitivity: int
    noise: DiscreteLaplace | RoundedLaplace

    def __post_init__(self) -> None:
        _at_least_one("a sensitivity", self.sensitivity)

    @property
    def epsilon(self) -> Fraction:
        """sensitivity / scale, exact."""
        return self.sensitivity / self.noise.scale


@dataclass(frozen=True, slots=True)
class ChoiceEvent:
    """The exponential mechanism, once in each of ``times`` groups of one unit.

    Weights ``exp(epsilon * score / 2)`` for scores that one unit moves by at
    most one (McSherry, Talwar 2007).  epsilon: in [2^-40, 2^20].
    """

    epsilon: Fraction
    times: int = 1

    def __post_init__(self) -> None:
        if not LEAST_CHOICE_EPSILON <= positive("an epsilon", self.epsilon) <= MOST_CHOICE_EPSILON:
            raise ValueError("an epsilon of a choice is in 2^-40 .. 2^20")
        _at_least_one("a number of groups", self.times)


@dataclass(frozen=True, slots=True)
class FlipEvent:
    """Permute-and-flip, once in each of ``times`` groups of one unit.

    Heads with chance ``exp(-epsilon g / 2)`` for scores that one unit moves by at most
    one, g below the best (McKenna, Sheldon 2020); or several such selections
    whose epsilons add up to this one.  epsilon: in [2^-40, 2^20].
    """

    epsilon: Fraction
    times: int = 1

    def __post_init__(self) -> None:
        if not LEAST_CHOICE_EPSILON <= positive("an epsilon", self.epsilon) <= MOST_CHOICE_EPSILON:
            raise ValueError("an epsilon of a choice is in 2^-40 .. 2^20")
        _at_least_one("a number of groups", self.times)


@dataclass(frozen=True, slots=True)
class ThresholdEvent:
    """Which groups are shown: those whose noisy count of units reaches ``threshold``.

    noise: that of the counts, whose own loss is a `GaussianEvent`.  groups: that
    one unit can be in.  delta: at least the chance that a group which only one
    unit made is shown, in any of them; at most 1/2 - 2^-64.
    """

    noise: RoundedGaussian
    groups: int
    threshold: int
    delta: Fraction

    def __post_init__(self) -> None:
        _at_least_one("a number of groups", self.groups)
        _at_least_one("a threshold", self.threshold)
        _probability(self.delta)


@dataclass(frozen=True, slots=True)
class PartitionEvent:
    """Which groups exist, by truncated geometric selection, without their counts.

    (epsilon, delta): of the whole selection; each of the ``groups`` that one
    unit can be in has an equal part (Desfontaines, Voss, Gipson, Mandayam 2020,
    arXiv:2006.03684).  epsilon: at most 2^10 for each group; delta: in
    2^-128 .. 1/2 - 2^-64; groups: at most 2^40.
    """

    epsilon: Fraction
    delta: Fraction
    groups: int

    def __post_init__(self) -> None:
        positive("an epsilon", self.epsilon)
        _probability(self.delta)
        _at_least_one("a number of groups", self.groups)
        if self.epsilon > MOST_SELECTION_EPSILON * self.groups:
            raise ValueError("the epsilon of a selection is at most 2^10 for each group")
        if self.delta < LEAST_SELECTION_DELTA:
            raise ValueError("the delta of a selection is at least 2^-128")
        if self.groups > MOST_SELECTION_GROUPS:
            raise ValueError("a selection has at most 2^40 groups of one unit")


Event = GaussianEvent | LaplaceEvent | ChoiceEvent | FlipEvent | ThresholdEvent | PartitionEvent
"""Every mechanism there is."""


def _at_least_one(what: str, value: int) -> None:
    if whole(what, value) < 1:
        raise ValueError(f"{what} is at least 1, got {value}")


def _probability(delta: Fraction) -> None:
    if positive("a delta", delta) > MOST_DELTA:
        raise ValueError("a delta is at most one half less 2^-64")
