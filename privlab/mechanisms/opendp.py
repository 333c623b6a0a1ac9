"""OpenDP as certifier: does another library find the charge too small?

For each event OpenDP's own measurement is built and its privacy map asked:

| event | measurement | what its map gives |
|---|---|---|
| `GaussianEvent` | Gaussian on integer vectors | rho of zCDP, and mu^2 is two rho |
| `LaplaceEvent` | Laplace on integer vectors | epsilon |
| `ChoiceEvent` | noisy max with Gumbel noise, which is the exponential mechanism | the rho of a bounded range r, r^2 / 8; a range is an epsilon too |
| `FlipEvent` | noisy max with exponential noise, which is permute-and-flip | epsilon |
| `ThresholdEvent` | Gaussian noise and threshold on counts by key | delta |
| `PartitionEvent` | none: OpenDP has no such mechanism | |

Of a partition its table, as it is drawn from, is checked here in
whole numbers, and `certifier` says so.

Where a GDP dataset needs the mu^2 of an epsilon or of a range, it is computed
here, apart from the code that prices.  OpenDP's arithmetic is 64-bit floats rounded
up; what it is asked about is rounded to the side that costs more.  Only scalar
measurements are used; OpenDP's data frame layer decides nothing here, and
neither it nor `opendp.prelude` is loaded.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from itertools import pairwise
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
from privlab.mechanisms.intervals import down, interval, up
from privlab.mechanisms.partition import ONE, selection
from privlab.mechanisms.threshold import delta_per_group
from privlab.terms.events import (
    ChoiceEvent,
    Event,
    FlipEvent,
    GaussianEvent,
    LaplaceEvent,
    PartitionEvent,
    ThresholdEvent,
)
from privlab.terms.loss import DELTA_UNITS_PER_ONE, UNITS_PER_ONE, Currency, Delta, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian, RoundedLaplace

enable_features("contrib")

OPENDP = f"opendp {version('opendp')}"

LOSS_ERROR = Fraction(1, UNITS_PER_ONE)
"""Part of a loss by which OpenDP's, in floats, may exceed the true one."""

DELTA_ERROR = Fraction(1, 1 << 16)
"""Part of a delta by which OpenDP's may exceed the true one: its erfc is that coarse."""

_INTEGERS = vector_domain(atom_domain(T="i64"))
_BITS = 256
_TABLE_BITS = 512


@dataclass(frozen=True, slots=True)
class Found:
    """What one event is found to cost.

    amount: of the currency; delta: beside it; delta_room: how much of that may be
    OpenDP's own error.
    """

    amount: Fraction
    delta: Fraction = Fraction(0)
    delta_room: Fraction = Fraction(0)


def certify(events: Sequence[Event], loss: Loss, delta: Delta, currency: Currency) -> None:
    """Return if ``loss`` and ``delta`` are found to cover ``events``, all of them.

    The room is what floats can err by, no more: a part in 2^48 of the loss, which
    is less than a unit of any charge below 1, and of each threshold's delta a part
    in 2^16 and ``(groups + 1) 2^-53`` (OpenDP computes ``1 - (1 - q)^groups`` in
    floats, so of deltas as small as that it cannot tell).  Each threshold must
    come with the Gaussian event that pays for its counts, its own.

    :raises IntegrityError: PL408, more is found, or it cannot be told, or the
        counts of a threshold are not paid; PL410, an event has no proved loss in
        this currency.
    """
    found = [opendp_loss(event, currency) for event in events]
    _counts_are_paid(events)
    spent = sum((each.amount for each in found), Fraction(0))
    if spent * (1 - LOSS_ERROR) > loss.amount:
        raise _too_small(
            f"{math.ceil(spent * UNITS_PER_ONE)} units of loss", f"{loss.units} units of loss"
        )
    risk = sum((each.delta - each.delta_room for each in found), Fraction(0))
    if risk > delta.delta:
        raise _too_small(
            f"{math.ceil(risk * DELTA_UNITS_PER_ONE)} units of delta",
            f"{delta.units} units of delta",
        )


def certifier(events: Sequence[Event]) -> str:
    """Who found that a charge covers ``events``, as a release names it."""
    selects = any(isinstance(event, PartitionEvent) for event in events)
    return f"{OPENDP}; privlab's own check of which groups exist" if selects else OPENDP


def opendp_loss(event: Event, currency: Currency) -> Found:
    """What one event costs in ``currency`` as OpenDP computes it, never below the exact loss.

    (Of a partition, as its checked table shows.)

    :raises IntegrityError: PL408, OpenDP does not accept the event at all, or the
        table of a partition cannot be drawn from or is not what the event says; PL410, it has no proved loss in this currency, or its noise is of a law
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


def _range(event: ChoiceEvent) -> Fraction:
    """Of one group: weights exp(score / scale), scores that a unit moves by one.

    rho = r^2 / 8 for a range r (Cesar, Rogers 2021, arXiv:2004.07223, Lemma 3.2).
    """
    measurement: Any = make_noisy_max(
        _INTEGERS,
        linf_distance(T="i64"),
        zero_concentrated_divergence(),
        scale=float_down(2 / event.epsilon),
    )
    return Fraction(sqrt_up(8 * _finite(measurement.map(1))))


def _flip(event: FlipEvent) -> Fraction:
    """Of one group: the largest score with exponential noise, scores that a unit moves by one."""
    measurement: Any = make_noisy_max(
        _INTEGERS,
        linf_distance(T="i64"),
        max_divergence(),
        scale=float_down(2 / event.epsilon),
    )
    return _finite(measurement.map(1))


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
    """Checked here: so many independent choices, each (epsilon / groups, d)-DP by its table."""
    each = delta_per_group(event.delta, event.groups)
    try:
        entries = selection(event)
    except ValueError:
        raise _too_small("a table of which groups exist too long to be drawn from", None) from None
    if not (
        _composes(each, event.groups, event.delta)
        and is_private(entries, event.epsilon / event.groups, each)
    ):
        raise _too_small("a table of which groups exist that costs more than it says", None)
    part = mu2_of_range(2 * event.epsilon / event.groups)
    return Found(event.groups * part, event.delta)


def is_private(entries: Sequence[int], epsilon: Fraction, delta: Fraction) -> bool:
    """Whether chances of 0, 1, ... units, then 1, in units of 2^-192, are (epsilon, delta)-DP.

    None is kept of no units.  Both inequalities between each count and the next, kept and dropped, in whole
    numbers, with e^epsilon rounded down; that they never fall makes the other two.
    """
    bits = _TABLE_BITS + max(0, math.ceil(2 * epsilon))
    with ctx.workprec(bits):
        grown = down(interval(epsilon).exp(), bits)
    step, unit = grown.numerator, grown.denominator
    room = math.floor(delta * ONE * unit)
    return entries[0] == 0 and all(
        fewer <= more
        and more * unit <= step * fewer + room
        and (ONE - fewer) * unit <= step * (ONE - more) + room
        for fewer, more in pairwise([*entries, ONE, ONE])
    )


def _composes(each: Fraction, groups: int, delta: Fraction) -> bool:
    """Whether it is proved that ``1 - (1 - each)^groups <= delta``."""
    if groups == 1:
        return each <= delta
    with ctx.workprec(_TABLE_BITS):
        return bool(-(groups * (-interval(each)).log1p()).expm1() <= interval(delta))


def _counts_are_paid(events: Sequence[Event]) -> None:
    """Each threshold has a Gaussian event of its own noise that its groups do not exceed."""
    paid: dict[RoundedGaussian, list[int]] = defaultdict(list)
    tested: dict[RoundedGaussian, list[int]] = defaultdict(list)
    for event in events:
        if isinstance(event, GaussianEvent):
            paid[event.noise].append(event.squared_sensitivity)
        elif isinstance(event, ThresholdEvent):
            tested[event.noise].append(event.groups)
    for noise, groups in tested.items():
        covered = sorted(paid[noise], reverse=True)
        for at, wanted in enumerate(sorted(groups, reverse=True)):
            if at >= len(covered) or covered[at] < wanted:
                raise _too_small(f"no event that pays the counts of {wanted} groups", None)


_QUESTIONS: dict[tuple[type, Currency], Callable[[Any], Found]] = {
    (GaussianEvent, Currency.GDP): _gaussian,
    (LaplaceEvent, Currency.GDP): lambda event: Found(mu2_of_range(2 * _laplace(event))),
    (LaplaceEvent, Currency.PURE): lambda event: Found(_laplace(event)),
    (ChoiceEvent, Currency.GDP): lambda event: Found(event.times * mu2_of_range(_range(event))),
    (ChoiceEvent, Currency.PURE): lambda event: Found(event.times * _range(event)),
    (FlipEvent, Currency.PURE): lambda event: Found(event.times * _flip(event)),
    (ThresholdEvent, Currency.GDP): _threshold,
    (PartitionEvent, Currency.GDP): _partition,
}


_NONE = (type(None),)
_LAWS: dict[type, tuple[type, ...]] = {
    GaussianEvent: (RoundedGaussian,),
    LaplaceEvent: (DiscreteLaplace, RoundedLaplace),
    ThresholdEvent: (RoundedGaussian,),
    ChoiceEvent: _NONE,
    FlipEvent: _NONE,
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
    facts = {"the certifier finds": found}
    if charge is not None:
        facts["the charge is"] = charge
    return IntegrityError(
        "the certifier finds the charge too small; nothing was charged and no row was read",
        code="PL408",
        hint="tell the steward: this is a defect of privlab, not of the question",
        facts=facts,
    )
