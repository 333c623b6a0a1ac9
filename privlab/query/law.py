"""What a currency means for a question: which noise is drawn, what it costs, how far off it is.

In both currencies a measure's loss is its sensitivity times the **precision** of
its noise, so a price is worked out in one way.  What differs:

``gdp``   Gaussian noise, squared L2 sensitivities, precision 1 / variance; the
          precisions of independent measurements add.
``pure``  discrete Laplace noise, L1 sensitivities, precision 1 / scale; nothing
          adds but what is paid, so a finer answer is a new one.

Knows no budget and no account.  Start with `law_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from privlab.accounting import gdp
from privlab.accuracy import gaussian, laplace
from privlab.accuracy.ratio import RatioIntervals
from privlab.accuracy.ratio_box import BoxIntervals
from privlab.query import allocate
from privlab.query.plan import Measure
from privlab.terms.bounds import ContributionBound
from privlab.terms.events import Event, GaussianEvent, LaplaceEvent
from privlab.terms.loss import Currency
from privlab.terms.noise import DiscreteLaplace, Noise, RoundedGaussian


class Intervals(Protocol):
    """Intervals of one mean for many cells."""

    def of(self, total: Fraction, count: Fraction) -> tuple[Fraction, Fraction] | None:
        """(low, high) of a released total over a released count; None when unbounded."""


@dataclass(frozen=True, slots=True)
class Law:
    """The noise of one currency.  Precisions are of its noise, half-widths are in steps.

    finest: the greatest precision that is sold; more is worthless on whole steps.
    adds: what is missing to a precision can be bought alone, and is merged.
    sensitivity: of a measure under a bound that is already `for_cells`.
    noise: on the sampler's grid, of the precision next below; ValueError when it
    is out of reach.  event: what drawing it means for privacy.
    amount: (epsilon, delta) to the largest loss that is as private, alone.
    precision_for: (half-width, confidence) to the least precision that meets it;
    ValueError when none does.  half_width: (precision, confidence) to how far a
    released value is from the exact one.
    for_linear: see `allocate.for_linear`.  for_mean, mean_width: see `allocate.for_mean` and `allocate.expected_width`.
    intervals: of means, from the precisions of total and count and a confidence.
    """

    finest: Fraction
    adds: bool
    sensitivity: Callable[[Measure, ContributionBound], int]
    noise: Callable[[Fraction], Noise]
    event: Callable[[int, Noise], Event]
    amount: Callable[[Fraction, Fraction], Fraction]
    precision_for: Callable[[Fraction, Fraction], Fraction]
    half_width: Callable[[Fraction, Fraction], Fraction]
    for_linear: allocate.ForLinear
    for_mean: allocate.ForMean
    mean_width: allocate.MeanWidth
    intervals: Callable[[Fraction, Fraction, Fraction], Intervals]


def law_of(currency: Currency) -> Law:
    """The law of a currency."""
    return _LAWS[currency]


def _gaussian_event(sensitivity: int, noise: Noise) -> Event:
    if not isinstance(noise, RoundedGaussian):
        raise TypeError("a gdp dataset has Gaussian noise")
    return GaussianEvent(sensitivity, noise)


def _laplace_event(sensitivity: int, noise: Noise) -> Event:
    if isinstance(noise, RoundedGaussian):
        raise TypeError("a pure dataset has Laplace noise")
    return LaplaceEvent(sensitivity, noise)


_LAWS = {
    Currency.GDP: Law(
        finest=Fraction(1 << 40),
        adds=True,
        sensitivity=Measure.squared_sensitivity,
        noise=RoundedGaussian.at_most,
        event=_gaussian_event,
        amount=gdp.mu2_of,
        precision_for=gaussian.precision_for,
        half_width=lambda precision, confidence: gaussian.half_width(1 / precision, confidence),
        for_linear=allocate.for_linear,
        for_mean=allocate.for_mean,
        mean_width=allocate.expected_width,
        intervals=lambda total, count, confidence: RatioIntervals(1 / total, 1 / count, confidence),
    ),
    Currency.PURE: Law(
        finest=Fraction(64),
        adds=False,
        sensitivity=Measure.sensitivity,
        noise=DiscreteLaplace.at_most,
        event=_laplace_event,
        amount=lambda epsilon, _: epsilon,
        precision_for=laplace.rate_for,
        half_width=lambda precision, confidence: laplace.half_width(
            DiscreteLaplace.at_most(precision), confidence
        ),
        for_linear=allocate.for_boxed_linear,
        for_mean=allocate.for_boxed_mean,
        mean_width=allocate.boxed_width,
        intervals=lambda total, count, confidence: BoxIntervals(
            DiscreteLaplace.at_most(total), DiscreteLaplace.at_most(count), confidence
        ),
    ),
}
