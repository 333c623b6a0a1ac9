"""The certifier agrees where it should and objects where it must."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.errors import IntegrityError
from privlab.mechanisms.opendp import certify, opendp_mu2, sqrt_down, sqrt_up
from privlab.terms.events import GaussianEvent
from privlab.terms.loss import Loss
from privlab.terms.noise import RoundedGaussian


@st.composite
def events(draw: st.DrawFn) -> GaussianEvent:
    """mu^2 from 10^-9 to 100, sensitivities up to those of sums with a fine step."""
    squared = draw(st.integers(1, 10**18))
    mu2 = draw(st.fractions(Fraction(1, 10**9), 100, max_denominator=10**9))
    return GaussianEvent(squared, RoundedGaussian.at_most(mu2 / squared))


@given(st.lists(events(), min_size=1, max_size=4))
def test_an_honest_charge_is_certified(drawn: list[GaussianEvent]) -> None:
    """Summed exactly and rounded up once, as a price does it."""
    certify(drawn, Loss.charge(sum((event.mu2 for event in drawn), Fraction(0))))


@given(events())
def test_opendp_never_says_less_than_the_exact_loss(event: GaussianEvent) -> None:
    """Its floats are rounded up, so its word is worth having; and it is close."""
    found = opendp_mu2(event)
    assert event.mu2 <= found <= event.mu2 * (1 + Fraction(1, 1 << 49))


@given(st.lists(events(), min_size=1, max_size=3))
def test_a_charge_that_is_too_small_is_found(drawn: list[GaussianEvent]) -> None:
    """A part in a million too little, or one more unit than the room it leaves."""
    mu2 = sum((event.mu2 for event in drawn), Fraction(0))
    short = Loss.charge(mu2 * Fraction(999_999, 1_000_000))
    room = sum(max(1, -(-event.mu2 // 1)) for event in drawn)
    if Loss.charge(mu2).units - short.units > room:
        with pytest.raises(IntegrityError) as caught:
            certify(drawn, short)
        assert caught.value.code == "PL408"


def test_two_units_short_is_too_short() -> None:
    """The message names both amounts."""
    event = GaussianEvent(1, RoundedGaussian.at_most(Fraction(1, 100)))
    certify([event], Loss(Loss.charge(event.mu2).units - 1))
    with pytest.raises(IntegrityError, match="nothing was charged") as caught:
        certify([event], Loss(Loss.charge(event.mu2).units - 2))
    assert caught.value.facts["the charge is"].startswith(str(Loss.charge(event.mu2).units - 2))


def test_no_event_needs_no_charge() -> None:
    """An answer made of views held costs nothing."""
    certify([], Loss(0))


def test_what_opendp_cannot_express_is_not_certified() -> None:
    """A distance beyond every float."""
    event = GaussianEvent(1 << 2046, RoundedGaussian(1, 62))
    with pytest.raises(IntegrityError) as caught:
        certify([event], Loss(1 << 4000))
    assert caught.value.code == "PL408"


@given(st.fractions(min_value=0, max_value=10**40).filter(lambda f: f > 0))
def test_roots_are_rounded_to_the_stated_side(square: Fraction) -> None:
    """Next floats up and down."""
    down, up = sqrt_down(square), sqrt_up(square)
    assert Fraction(down) ** 2 <= square <= Fraction(up) ** 2
    assert up - down <= up * 2**-51
