"""Gaussian differential privacy, read as epsilon and delta, and as an attack.

A mechanism of loss mu^2 is (epsilon, delta)-DP exactly for

    delta >= Phi(-epsilon / mu + mu / 2) - e^epsilon Phi(-epsilon / mu - mu / 2)

(Dong, Roth, Su 2019, arXiv:1905.02383, Corollary 2.13; the same curve as
Balle, Wang 2018, arXiv:1805.06530, Theorem 8).  The right side falls in epsilon
and grows with mu, so both can be found by bisection.  Every comparison is made
with Arb intervals: a bound is returned only if its interval proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from functools import lru_cache

from flint import arb, ctx

from privlab.accounting.intervals import figure, interval
from privlab.terms.exact import fraction

EPSILON_GRID = 1 << 32
"""Epsilons are whole multiples of 2^-32, so they are exact as floats."""

MU2_GRID = 1 << 64
"""Budgets are whole multiples of 2^-64 of mu^2."""

MOST_MU2 = 1 << 20
"""Largest loss that is read as an epsilon."""

MOST_EPSILON = 1000
"""Largest epsilon that is read as a loss."""

_BITS = (128, 256, 512, 1024, 2048)


def epsilon_of(mu2: Fraction, delta: Fraction) -> float:
    """The smallest epsilon on a grid of 2^-32 for which ``mu2`` is (epsilon, delta)-DP.

    mu2: at least 0, at most 2^20; delta: in (0, 1).  Rounded up; 0 for a loss
    of 0, and wherever delta alone covers the loss.  For display: epsilons of
    parts do not add up to the epsilon of the whole.

    :raises TypeError: an argument is neither a Fraction nor an int.
    :raises ValueError: an argument is out of range.
    """
    # Checked out here: a cache takes 0.5 for an earlier Fraction(1, 2).
    _check_delta(delta)
    if not 0 <= fraction("mu^2", mu2) <= MOST_MU2:
        raise ValueError(f"mu^2 must be in 0..2^20, got {figure(mu2)}")
    return _epsilon_of(Fraction(mu2), Fraction(delta))


def mu2_of(epsilon: Fraction, delta: Fraction) -> Fraction:
    """The largest mu^2 on a grid of 2^-64 that is (epsilon, delta)-DP.

    epsilon: in [0, 1000]; delta: in (0, 1).  Rounded down.

    :raises TypeError: an argument is neither a Fraction nor an int.
    :raises ValueError: an argument is out of range.
    """
    _check_delta(delta)
    if not 0 <= fraction("an epsilon", epsilon) <= MOST_EPSILON:
        raise ValueError(f"epsilon must be in 0..1000, got {figure(epsilon)}")
    return _mu2_of(Fraction(epsilon), Fraction(delta))


def within(epsilon: Fraction, mu2: Fraction, delta: Fraction) -> bool:
    """Whether it is proved that a loss of ``mu2`` is (epsilon, delta)-DP.

    epsilon, mu2: not negative; delta: in [0, 1].

    :raises TypeError: an argument is neither a Fraction nor an int.
    """
    return _within(
        fraction("an epsilon", epsilon), fraction("mu^2", mu2), fraction("a delta", delta)
    )


@lru_cache(maxsize=4096)
def _epsilon_of(mu2: Fraction, delta: Fraction) -> float:
    if mu2 == 0:
        return 0.0
    enough = _first(lambda k: _within(Fraction(k, EPSILON_GRID), mu2, delta))
    return enough / EPSILON_GRID


@lru_cache(maxsize=256)
def _mu2_of(epsilon: Fraction, delta: Fraction) -> Fraction:
    too_much = _first(lambda k: not _within(epsilon, Fraction(k, MU2_GRID), delta))
    return Fraction(too_much - 1, MU2_GRID)


def _within(epsilon: Fraction, mu2: Fraction, delta: Fraction) -> bool:
    if mu2 == 0:
        return True
    for bits in _BITS:
        with ctx.workprec(bits):
            curve, limit = _delta_at(epsilon, mu2), interval(delta)
            if curve <= limit:
                return True
            if curve > limit:
                return False
    return False


def delta_of(mu2: Fraction, epsilon: Fraction) -> float:
    """The delta at ``epsilon`` of a loss of ``mu2``, for display: not rounded up.  For tests.

    :raises TypeError: an argument is neither a Fraction nor an int.
    :raises ValueError: an argument is negative.
    """
    if fraction("an epsilon", epsilon) < 0:
        raise ValueError("epsilon is not negative")
    _check_mu2(mu2)
    if mu2 == 0:
        return 0.0
    with ctx.workprec(_BITS[2]):
        return max(0.0, float(_delta_at(epsilon, mu2)))


def advantage(mu2: Fraction) -> float:
    """How far above chance an attacker's balanced accuracy can be, times two.

    ``2 Phi(mu / 2) - 1``, in [0, 1]: true positives less false positives of the
    best test for one privacy unit.  For display, rounded to nearest.

    :raises TypeError: mu2 is neither a Fraction nor an int.
    :raises ValueError: mu2 is negative.
    """
    _check_mu2(mu2)
    with ctx.workprec(_BITS[0]):
        return float((interval(mu2) / 8).sqrt().erf())


def true_positives(mu2: Fraction, false_positives: Fraction) -> float:
    """What part of the units in the data the best test finds.

    false_positives: in (0, 1), the part of the others that it falsely names.
    ``Phi(Phi^-1(false_positives) + mu)`` (the trade-off curve ``G_mu``, Dong,
    Roth, Su 2019, Definition 2.6).  For display, rounded to nearest.

    :raises TypeError: an argument is neither a Fraction nor an int.
    :raises ValueError: an argument is out of range.
    """
    with ctx.workprec(_BITS[0]):
        return float(true_positives_interval(mu2, false_positives))


def true_positives_interval(mu2: Fraction, false_positives: Fraction) -> arb:
    """`true_positives` as an Arb interval, at the precision of the caller's context."""
    _check_mu2(mu2)
    if not 0 < fraction("a rate of false positives", false_positives) < 1:
        raise ValueError("a rate of false positives is in (0, 1)")
    quantile = -arb(2).sqrt() * (2 * interval(false_positives)).erfcinv()
    return _phi(quantile + interval(mu2).sqrt())


def _delta_at(epsilon: Fraction, mu2: Fraction) -> arb:
    mu = interval(mu2).sqrt()
    at = interval(epsilon)
    return _phi(-at / mu + mu / 2) - at.exp() * _phi(-at / mu - mu / 2)


def _phi(x: arb) -> arb:
    return (-x / arb(2).sqrt()).erfc() / 2


def _check_delta(delta: Fraction) -> None:
    if not 0 < fraction("a delta", delta) < 1:
        raise ValueError(f"delta must be in (0, 1), got {figure(delta)}")


def _check_mu2(mu2: Fraction) -> None:
    if fraction("mu^2", mu2) < 0:
        raise ValueError("mu^2 is not negative")


def _first(holds: Callable[[int], bool]) -> int:
    """The smallest k >= 0 with ``holds(k)``, for a test that stays true once true."""
    if holds(0):
        return 0
    low, high = 0, 1
    while not holds(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high


def epsilon_text(mu2: Fraction, delta: Fraction, places: int) -> str:
    """`epsilon_of` with so many decimals, rounded up: what is printed never flatters."""
    exact = Decimal(epsilon_of(mu2, delta))
    return format(exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_CEILING), "f")
