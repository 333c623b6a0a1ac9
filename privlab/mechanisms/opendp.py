"""OpenDP as certifier: does another library find the charge too small?

For each event OpenDP's own measurement is built and its privacy map asked:

| event | measurement | what its map gives |
|---|---|---|
| `GaussianEvent` | Gaussian on integer vectors | rho of zCDP, and mu^2 is two rho |
| `LaplaceEvent` | Laplace on integer vectors | epsilon |
| `ChoiceEvent` | noisy max with Gumbel noise, which is the exponential mechanism | epsilon; or the rho of a bounded range r, r^2 / 8 |
| `ThresholdEvent` | Gaussian noise and threshold on counts by key | delta |
| `PartitionEvent` | none: OpenDP has no such mechanism | |

Where a GDP dataset needs the mu^2 of an epsilon or of a range, it is computed
here, apart from the code that prices.  Its arithmetic is 64-bit floats rounded
up; what it is asked about is rounded to the side that costs more.  Only scalar
measurements are used; OpenDP's data frame layer decides nothing here, and
neither it nor `opendp.prelude` is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import ctx
from opendp.domains import atom_domain, map_domain, vector_domain
from opendp.measurements import (
    make_gaussian,
    make_gaussian_threshold,
    make_laplace,
    make_noisy_max,
)
from opendp.measures import max_divergence, zero_concentrated_divergence
from opendp.metrics import (
    absolute_distance,
    l02inf_distance,
    l1_distance,
    l2_distance,
    linf_distance,
)
from opendp.mod import OpenDPException, enable_features

from privlab.errors import IntegrityError
from privlab.mechanisms.floats import float_down, float_up, sqrt_down, sqrt_up
from privlab.mechanisms.intervals import interval, up
from privlab.terms.events import (
    ChoiceEvent,
    Event,
    GaussianEvent,
    LaplaceEvent,
    PartitionEvent,
    ThresholdEvent,
)
from privlab.terms.loss import DELTA_UNITS_PER_ONE, UNITS_PER_ONE, Currency, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian, RoundedLaplace

enable_features("contrib")

DELTA_ERROR = Fraction(1, 1 << 16)
"""Part of a delta by which OpenDP's may exceed the true one: its erfc is that coarse."""

_INTEGERS = vector_domain(atom_domain(T="i64"))
_BITS = 256


@dataclass(frozen=True, slots=True)
class Found:
    """What OpenDP finds one event to cost.

    amount: of the currency; delta: beside it; delta_room: how much of that may be
    OpenDP's own error; known: whether OpenDP has the mechanism at all.
    """

    amount: Fraction
    delta: Fraction = Fraction(0)
    delta_room: Fraction = Fraction(0)
    known: bool = True


def certify(
    events: Sequence[Event], loss: Loss, delta: Delta, currency: Currency
) -> tuple[Event, ...]:
    """Return if OpenDP agrees that ``loss`` and ``delta`` cover ``events``.

    Returns the events that OpenDP has no measurement for.  Of these it is only
    checked that their own epsilon and delta are covered, so for them there is no
    second opinion.

    OpenDP may say one unit of loss more per event, which is what its floats can
    err by; for an event above 1 its error grows with the amount, and so does the
    room.  Of delta it may say one unit per event, a part in 2^16, and
    ``(groups + 1) 2^-53`` more: it computes ``1 - (1 - q)^groups`` in floats, so of
    deltas as small as that it cannot tell.

    :raises IntegrityError: PL408, OpenDP finds more, or cannot tell; PL410, an
        event has no proved loss in this currency.
    """
    found = [opendp_loss(event, currency) for event in events]
    spent = sum((each.amount for each in found), Fraction(0))
    room = sum(max(1, math.ceil(each.amount)) for each in found)
    if spent * UNITS_PER_ONE > loss.units + room:
        raise _too_small(
            f"{math.ceil(spent * UNITS_PER_ONE)} units of loss", f"{loss.units} units of loss"
        )
    risk = sum((each.delta - each.delta_room for each in found), Fraction(0))
    if risk * DELTA_UNITS_PER_ONE > delta.units + len(found):
        raise _too_small(
            f"{math.ceil(risk * DELTA_UNITS_PER_ONE)} units of delta",
            f"{delta.units} units of delta",
        )
    return tuple(event for event, each in zip(events, found, strict=True) if not each.known)


def opendp_loss(event: Event, currency: Currency) -> Found:
    """What one event costs in ``currency`` as OpenDP computes it, never below the exact loss.

    :raises IntegrityError: PL408, OpenDP does not accept the event at all;
        PL410, it has no proved loss in this currency, or its noise is of a law
        that it does not draw.
    """
    ask = _QUESTIONS.get((type(event), currency))
    if ask is None or type(getattr(event, "noise", None)) not in _LAWS[type(event)]:
        raise IntegrityError(
            f"a {type(event).__name__} has no proved loss in {currency}",
            code="PL410",
            hint="tell the steward: this is a defect of privlab, not of the question",
        )
    try:
        return ask(event)
    except (OpenDPException, OverflowError, ValueError):
        raise _too_small("no finite number of units", None) from None


def _gaussian(event: GaussianEvent) -> Found:
    """rho = (d / sigma)^2 / 2 (Bun, Steinke 2016, arXiv:1605.02065, Proposition 1.6)."""
    measurement: Any = make_gaussian(
        _INTEGERS, l2_distance(T="f64"), scale=sqrt_down(event.noise.variance)
    )
    return Found(2 * _finite(measurement.map(sqrt_up(Fraction(event.squared_sensitivity)))))


def _laplace(event: LaplaceEvent) -> Fraction:
    measurement: Any = make_laplace(
        _INTEGERS, l1_distance(T="f64"), scale=float_down(event.noise.scale)
    )
    return _finite(measurement.map(float_up(Fraction(event.sensitivity))))


def _choice(event: ChoiceEvent, measure: Any) -> Fraction:
    """Of one group: weights exp(score / scale), scores that a unit moves by one."""
    measurement: Any = make_noisy_max(
        _INTEGERS, linf_distance(T="i64"), measure, scale=float_down(2 / event.epsilon)
    )
    return _finite(measurement.map(1))


def _choice_mu2(event: ChoiceEvent) -> Found:
    """rho = r^2 / 8 for a range r (Cesar, Rogers 2021, arXiv:2004.07223, Lemma 3.2)."""
    rho = _choice(event, zero_concentrated_divergence())
    return Found(event.times * mu2_of_range(Fraction(sqrt_up(8 * rho))))


def _threshold(event: ThresholdEvent) -> Found:
    """delta alone: the counts' own loss is another event.

    A rounded count reaches T exactly if the unrounded one reaches T - 1/2, so
    it is the threshold of real counts that is asked about.
    """
    counts: Any = map_domain(atom_domain(T="String"), atom_domain(T="f64", nan=False))
    measurement: Any = make_gaussian_threshold(
        counts,
        l02inf_distance(absolute_distance(T="f64")),
        scale=sqrt_down(event.noise.variance),
        threshold=float_down(Fraction(2 * event.threshold - 1, 2)),
    )
    rho, found = measurement.map((event.groups, sqrt_up(Fraction(event.groups)), 1.0))
    _finite(rho)
    delta = _finite(found)
    return Found(
        Fraction(0), delta, min(delta, delta * DELTA_ERROR + Fraction(event.groups + 1, 1 << 53))
    )


def _partition(event: PartitionEvent) -> Found:
    """OpenDP has none; what the event itself says, so many equal parts of pure epsilon."""
    part = mu2_of_range(2 * event.epsilon / event.groups)
    return Found(event.groups * part, event.delta, known=False)


_QUESTIONS: dict[tuple[type, Currency], Callable[[Any], Found]] = {
    (GaussianEvent, Currency.GDP): _gaussian,
    (LaplaceEvent, Currency.GDP): lambda event: Found(mu2_of_range(2 * _laplace(event))),
    (LaplaceEvent, Currency.PURE): lambda event: Found(_laplace(event)),
    (ChoiceEvent, Currency.GDP): _choice_mu2,
    (ChoiceEvent, Currency.PURE): lambda event: Found(
        event.times * _choice(event, max_divergence())
    ),
    (ThresholdEvent, Currency.GDP): _threshold,
    (PartitionEvent, Currency.GDP): _partition,
}


_NONE = (type(None),)
_LAWS: dict[type, tuple[type, ...]] = {
    GaussianEvent: (RoundedGaussian,),
    LaplaceEvent: (DiscreteLaplace, RoundedLaplace),
    ThresholdEvent: (RoundedGaussian,),
    ChoiceEvent: _NONE,
    PartitionEvent: _NONE,
}
"""Whose proofs the events rest on: by exact class."""


def mu2_of_range(width: Fraction) -> Fraction:
    """mu^2 of a mechanism whose log likelihood ratio lies in an interval of this width.

    ``8 erfcinv(2 / (1 + e^(width / 2)))^2``, rounded up; an epsilon is a width
    of twice that (``docs/proofs/pure.md``).
    """
    with ctx.workprec(_BITS):
        odds = 1 + (interval(width) / 2).exp()
        return up(8 * (2 / odds).erfcinv() ** 2, _BITS)


def _finite(found: float) -> Fraction:
    if not math.isfinite(found):
        raise OverflowError("no finite loss")
    return Fraction(found)


def _too_small(found: str, charge: str | None) -> IntegrityError:
    facts = {"OpenDP finds": found}
    if charge is not None:
        facts["the charge is"] = charge
    return IntegrityError(
        "the certifier finds the charge too small; nothing was charged and no row was read",
        code="PL408",
        hint="tell the steward: this is a defect of privlab, not of the question",
        facts=facts,
    )
