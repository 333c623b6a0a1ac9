"""Half-widths of any noise, and the noise that a wanted half-width allows.

Half-widths by the class of the noise (`query.law` has them by currency).  A single
measurement has the exact quantile of its law, which is whole; a mean of several
Gaussian ones is known by its variance, and its rounding errors are bounded instead.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeVar

from privlab.accuracy import gaussian, laplace
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian, RoundedLaplace

Law = TypeVar("Law", RoundedGaussian, DiscreteLaplace, RoundedLaplace)


def half_width(noise: Noise | Fraction, confidence: Fraction) -> Fraction:
    """h with P(|released - exact| <= h) >= confidence, in steps.

    noise: of a single measurement, or the variance in steps^2 of a mean of
    measurements with Gaussian noise; confidence: percent, in (0, 100).

    :raises ValueError: the variance is negative; the confidence, see `outside`.
    """
    match noise:
        case RoundedGaussian():
            return gaussian.whole_half_width(noise.variance, confidence)
        case DiscreteLaplace() | RoundedLaplace():
            return laplace.half_width(noise, confidence)
        case _:
            return gaussian.half_width(noise, confidence)


def widest(law: type[Law], half_width: Fraction, confidence: Fraction) -> Law:
    """The noise of ``law`` that costs least among those within this half-width.

    half_width: in steps.  Of a Gaussian it holds also as one part of a mean that
    has the same precision in all, so half a step is set aside for rounding.

    :raises ValueError: no noise is that narrow; the confidence, see `outside`.
    """
    if law is RoundedGaussian:
        return law.at_most(gaussian.precision_for(half_width, confidence))
    if law is RoundedLaplace:
        return law.at_most(laplace.rate_for(half_width, confidence, RoundedLaplace))
    return law.at_most(laplace.rate_for(half_width, confidence))
