"""OpenDP as certifier: does another library find the charge too small?

For each noisy vector OpenDP's own Gaussian measurement over integer vectors is
built and its privacy map asked.  Its unit is zCDP, ``rho = (d / sigma)^2 / 2``
(Bun, Steinke 2016, arXiv:1605.02065, Proposition 1.6), so mu^2 is two rho; its
arithmetic is 64-bit floats rounded up.  Only scalar measurements are used;
OpenDP's data frame layer decides nothing here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from opendp.domains import atom_domain, vector_domain
from opendp.measurements import make_gaussian
from opendp.metrics import l2_distance
from opendp.mod import OpenDPException, enable_features

from privlab.errors import IntegrityError
from privlab.terms.events import GaussianEvent
from privlab.terms.loss import Loss

enable_features("contrib")


def certify(events: Sequence[GaussianEvent], charge: Loss) -> None:
    """Return if OpenDP agrees that ``charge`` covers ``events``.

    OpenDP may say one unit more per event, which is what its floats can err by;
    for an event of mu^2 above 1 its error grows with mu^2, and so does the room.

    :raises IntegrityError: PL408, OpenDP finds more.
    """
    found = Fraction(0)
    room = 0
    for event in events:
        found += opendp_mu2(event)
        room += max(1, math.ceil(event.mu2))
    most = Loss(charge.units + room)
    if found > most.mu2:
        raise _too_small(str(Loss.charge(found).units), charge)


def opendp_mu2(event: GaussianEvent) -> Fraction:
    """mu^2 of one event as OpenDP computes it, never below the exact one.

    :raises IntegrityError: PL408, OpenDP does not accept the event at all.
    """
    distance = sqrt_up(Fraction(event.squared_sensitivity))
    scale = sqrt_down(event.noise.variance)
    try:
        gaussian: Any = make_gaussian(
            vector_domain(atom_domain(T="i64")), l2_distance(T="f64"), scale=scale
        )
        rho = gaussian.map(distance)
    except OpenDPException:
        raise _too_small("no finite number of", None) from None
    if not math.isfinite(rho):
        raise _too_small("no finite number of", None)
    return 2 * Fraction(rho)


def sqrt_up(square: Fraction) -> float:
    """The smallest float whose square is at least ``square``."""
    root = _sqrt_near(square)
    while Fraction(root) ** 2 < square:
        root = math.nextafter(root, math.inf)
    while Fraction(math.nextafter(root, 0.0)) ** 2 >= square:
        root = math.nextafter(root, 0.0)
    return root


def sqrt_down(square: Fraction) -> float:
    """The largest float whose square is at most ``square``."""
    root = sqrt_up(square)
    return root if Fraction(root) ** 2 == square else math.nextafter(root, 0.0)


def _sqrt_near(square: Fraction) -> float:
    """A float within a few steps of the root: 64 exact bits, then one rounding."""
    lift = 64 + (square.denominator.bit_length() - square.numerator.bit_length() + 1) // 2
    lift = max(lift, 0)
    return math.ldexp(math.isqrt((square.numerator << (2 * lift)) // square.denominator), -lift)


def _too_small(found: str, charge: Loss | None) -> IntegrityError:
    facts = {"OpenDP finds": f"{found} units of mu^2"}
    if charge is not None:
        facts["the charge is"] = f"{charge.units} units of mu^2"
    return IntegrityError(
        "the certifier finds the charge too small; nothing was charged and no row was read",
        code="PL408",
        hint="tell the steward: this is a defect of privlab, not of the question",
        facts=facts,
    )
