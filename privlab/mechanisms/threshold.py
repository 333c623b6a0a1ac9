"""Which groups may be shown when their keys are not public: thresholds of noisy counts.

A group is shown when its noisy count of privacy units, a whole number, reaches
a whole threshold T.  A group that a single unit made has the count 1, so it is
shown with probability ``q = P(1 + round(N) >= T) = P(N >= T - 3/2)``; a unit is
in at most ``groups`` of them, whose noise is independent, so any is shown with
probability at most ``1 - (1 - q)^groups``: the delta that a threshold costs
(Wilson et al. 2020, arXiv:1909.01917, there for Laplace noise;
``docs/proofs/thresholds.md``).  The counts' own loss is that of their noise.

Everything is computed in Arb intervals, with log1p and expm1 where ones would
cancel, and each result is rounded to the side that shows less or charges more.

Which threshold a question pays for is worked out in `privlab.query.selection`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from flint import arb, ctx

from privlab.mechanisms.intervals import down, interval, up
from privlab.terms.events import LEAST_SELECTION_DELTA, MOST_SELECTION_GROUPS
from privlab.terms.exact import fraction, positive, whole
from privlab.terms.noise import RoundedGaussian

DELTA_BITS = 256
"""Deltas are whole multiples of 2^-256."""


_BITS = (192, 384, 768, 1536, 3072)


@lru_cache(maxsize=1024, typed=True)
def gaussian_threshold(noise: RoundedGaussian, delta: Fraction, groups: int) -> int:
    """The smallest whole T that costs at most ``delta``.

    delta: in [2^-128, 1/2); groups: that one unit can be in, at least 1.

    :raises TypeError: delta is neither a Fraction nor an int, or groups no int.
    :raises ValueError: delta or groups is out of range.
    """
    _check(delta, groups)
    near = gaussian_limit(noise.variance, delta, groups)
    with ctx.workprec(_BITS[0]):
        threshold = int(down(near + arb(1) / 2, 0)) - 1  # too low
    while not _costs_at_most(noise, threshold, delta, groups):
        threshold += 1
    return threshold


def delta_of_threshold(noise: RoundedGaussian, threshold: int, groups: int) -> Fraction:
    """The chance that any of ``groups`` groups of a single unit is shown, rounded up.

    A whole multiple of 2^-256, and never zero.

    :raises TypeError: threshold or groups is no int.
    :raises ValueError: groups is out of range.
    """
    if not 1 <= whole("a number of groups", groups) <= MOST_SELECTION_GROUPS:
        raise ValueError("a number of groups is in 1 .. 2^40")
    whole("a threshold", threshold)
    with ctx.workprec(_BITS[1]):
        chance = _shown(noise, threshold, groups)
        if not chance.is_finite():  # q is one, as far as the interval can tell
            return Fraction(1)
        return min(up(chance, DELTA_BITS), Fraction(1))


def gaussian_limit(variance: Fraction, delta: Fraction, groups: int) -> arb:
    """The threshold that costs exactly ``delta`` for noise that is not rounded.

    ``1 + sigma z``, z the upper quantile of ``1 - (1 - delta)^(1 / groups)``, as
    an interval.  T - 1/2 of a whole threshold T is at least this.
    """
    _check(delta, groups)
    with ctx.workprec(_BITS[0]):
        z = arb(2).sqrt() * (2 * _per_group(delta, groups)).erfcinv()
        return 1 + interval(positive("a variance", variance)).sqrt() * z


def laplace_limit(rate: Fraction, delta: Fraction, groups: int) -> arb:
    """The same for Laplace noise of scale ``groups / rate`` in each group.

    rate: the epsilon of all groups together.  Not drawn by any query of ours, as
    a pure dataset has no thresholds; kept to compare with what others print.
    """
    _check(delta, groups)
    with ctx.workprec(_BITS[0]):
        each = _per_group(delta, groups)
        return 1 - groups / interval(positive("a rate", rate)) * (2 * each).log()


@lru_cache(maxsize=1024, typed=True)
def delta_per_group(delta: Fraction, groups: int) -> Fraction:
    """The largest d on a grid of 2^-256 with ``1 - (1 - d)^groups <= delta``, proved.

    So many independent parts of d each have one delta of all together
    (Kairouz, Oh, Viswanath 2015, arXiv:1311.0776, Theorem 3.3 with i = 0).
    """
    _check(delta, groups)
    if groups == 1 and (delta * (1 << DELTA_BITS)).denominator == 1:
        return fraction("a delta", delta)
    with ctx.workprec(_BITS[1]):
        return down(_per_group(delta, groups), DELTA_BITS)


def _costs_at_most(noise: RoundedGaussian, threshold: int, delta: Fraction, groups: int) -> bool:
    """Whether it is proved that ``threshold`` costs at most ``delta``."""
    return _proved(lambda: _shown(noise, threshold, groups), delta)


def _proved(chance: Callable[[], arb], delta: Fraction) -> bool:
    for bits in _BITS:
        with ctx.workprec(bits):
            found, limit = chance(), interval(delta)
            if found <= limit:
                return True
            if found > limit:
                return False
    return False


def _shown(noise: RoundedGaussian, threshold: int, groups: int) -> arb:
    """1 - (1 - q)^groups, q = P(N >= threshold - 3/2)."""
    beyond = interval(Fraction(2 * threshold - 3, 2)) / (2 * interval(noise.variance)).sqrt()
    one = beyond.erfc() / 2
    return -(groups * (-one).log1p()).expm1()


def _per_group(delta: Fraction, groups: int) -> arb:
    """1 - (1 - delta)^(1 / groups)."""
    return -((-interval(delta)).log1p() / groups).expm1()


def _check(delta: Fraction, groups: int) -> None:
    if not LEAST_SELECTION_DELTA <= positive("a delta", delta) < Fraction(1, 2):
        raise ValueError("a delta is in 2^-128 .. 1/2")
    if not 1 <= whole("a number of groups", groups) <= MOST_SELECTION_GROUPS:
        raise ValueError("a number of groups is in 1 .. 2^40")
