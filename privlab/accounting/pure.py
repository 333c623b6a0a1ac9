"""Pure epsilon, read as mu^2 and as an attack.

Every mechanism whose log likelihood ratio is within [-epsilon, epsilon] is a
post-processing of randomized response, so what randomized response reveals
bounds it (Kairouz, Oh, Viswanath 2015, arXiv:1311.0776).  Where the
ratio stays within some interval of length r, a pair of two outcomes takes its
place (Dong, Durfee, Rogers 2020, arXiv:1909.13830, section 4); the exponential
mechanism is of range epsilon.  ``docs/proofs/pure.md`` has the mu of either.
Arb intervals, always to the safe side.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from flint import arb, ctx

from privlab.accounting.intervals import down, interval, up
from privlab.terms.exact import fraction, positive

MU2_GRID = 1 << 64
"""Losses are whole multiples of 2^-64."""

LARGE_EPSILON = 1 << 10
"""From here on ``8 epsilon`` stands for the mu^2: above it by less than 1 in 100."""

_BITS = 192


def mu2_of_pure(epsilon: Fraction) -> Fraction:
    """A mu^2 that covers every epsilon-DP mechanism, and the least that does.

    ``(2 Phi^-1(e^epsilon / (1 + e^epsilon)))^2``, rounded up to a multiple of
    2^-64; above an epsilon of 2^10, ``8 epsilon``.

    :raises TypeError: epsilon is neither a Fraction nor an int.
    :raises ValueError: epsilon is not positive.
    """
    return _covering(positive("an epsilon", epsilon))


def mu2_of_choice(epsilon: Fraction) -> Fraction:
    """A mu^2 that covers every mechanism of range epsilon, and the least that does.

    Such is one use of the exponential mechanism with weights
    ``exp(epsilon * score / 2)``: half the epsilon of a pure mechanism.

    :raises TypeError: epsilon is neither a Fraction nor an int.
    :raises ValueError: epsilon is not positive.
    """
    return _covering(positive("an epsilon", epsilon) / 2)


def epsilon_like(mu: Fraction) -> Fraction:
    """The epsilon whose best attack has the advantage of the best attack at ``mu``.

    ``ln(Phi(mu / 2) / Phi(-mu / 2))``, rounded down to a multiple of 2^-64, so
    ``mu2_of_pure`` of it is at most mu^2 but for its own rounding.  mu: in
    (0, 64].

    :raises TypeError: mu is neither a Fraction nor an int.
    :raises ValueError: mu is out of range.
    """
    if positive("a mu", mu) > 64:
        raise ValueError("a mu is at most 64")
    with ctx.workprec(_BITS):
        tail = interval(mu) / arb(8).sqrt()
        # Two forms of one number: the first keeps its digits near 0, the second far out.
        odds = 2 * tail.erf().atanh() if mu < 1 else ((-tail).erfc() / tail.erfc()).log()
        return down(odds, MU2_GRID)


def advantage(epsilon: Fraction) -> float:
    """How far above chance an attacker's balanced accuracy can be, times two.

    ``tanh(epsilon / 2)``, in [0, 1].  For display, rounded to nearest.

    :raises TypeError: epsilon is neither a Fraction nor an int.
    :raises ValueError: epsilon is not positive.
    """
    with ctx.workprec(_BITS):
        return float((interval(positive("an epsilon", epsilon)) / 2).tanh())


def true_positives_interval(epsilon: Fraction, false_positives: Fraction) -> arb:
    """What part of the units in the data the best test finds, as an Arb interval.

    ``min(e^epsilon a, 1 - e^-epsilon (1 - a))`` for a rate a of false positives
    in (0, 1) (Wasserman, Zhou 2010, arXiv:0811.2501), at the precision of the
    caller's context.

    :raises TypeError: an argument is neither a Fraction nor an int.
    :raises ValueError: an argument is out of range.
    """
    if not 0 < fraction("a rate of false positives", false_positives) < 1:
        raise ValueError("a rate of false positives is in (0, 1)")
    rate, growth = interval(false_positives), interval(positive("an epsilon", epsilon)).exp()
    return (growth * rate).min(1 - (1 - rate) / growth)


@lru_cache(maxsize=4096)
def _covering(epsilon: Fraction) -> Fraction:
    """``8 erfcinv(2 / (1 + e^epsilon))^2``, rounded up."""
    if epsilon > LARGE_EPSILON:
        return Fraction(math.ceil(8 * epsilon * MU2_GRID), MU2_GRID)
    with ctx.workprec(_BITS):
        at = interval(epsilon)
        # Two forms of one number: the first keeps its digits near 0, the second far out.
        root = (at / 2).tanh().erfinv() if epsilon < 1 else (2 / (1 + at.exp())).erfcinv()
        return up(8 * root**2, MU2_GRID)
