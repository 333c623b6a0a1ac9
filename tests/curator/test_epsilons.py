"""A loss is read as epsilon and as mu^2, never to its favour."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.accounting.gdp import epsilon_of
from privlab.curator.epsilons import delta_text, epsilon_text, mu2
from privlab.terms.loss import NOTHING, UNITS_PER_ONE, Currency, Delta, Loss

DELTA = Fraction(1, 10**6)
losses = st.integers(0, (1 << 63) - 1).map(Loss)


@given(loss=losses, places=st.integers(0, 6))
def test_a_pure_loss_is_printed_as_its_epsilon_rounded_up(loss: Loss, places: int) -> None:
    text = epsilon_text(loss, Currency.PURE, Fraction(0), places)
    assert loss.amount <= Fraction(text) < loss.amount + Fraction(1, 10**places)
    assert len(text.partition(".")[2]) == places


def test_one_unit_of_epsilon_is_never_printed_as_none() -> None:
    assert epsilon_text(Loss(1), Currency.PURE, Fraction(0), 4) == "0.0001"
    assert epsilon_text(NOTHING, Currency.PURE, Fraction(0), 4) == "0.0000"


def test_a_gdp_loss_is_read_at_what_thresholds_left_of_delta() -> None:
    loss, used = Loss(UNITS_PER_ONE // 4), Delta.charge(DELTA / 2)
    whole = epsilon_text(loss, Currency.GDP, DELTA, 4)
    rest = epsilon_text(loss, Currency.GDP, DELTA, 4, used)
    assert Decimal(rest) > Decimal(whole) >= Decimal(epsilon_of(loss.amount, DELTA))
    assert epsilon_text(loss, Currency.GDP, DELTA, 4, Delta.charge(DELTA)) == "∞"


@pytest.mark.parametrize(("currency", "text"), [(Currency.GDP, "1e-6"), (Currency.PURE, "0")])
def test_a_pure_dataset_has_no_delta_to_show(currency: Currency, text: str) -> None:
    assert delta_text(DELTA, currency) == text


@pytest.mark.parametrize(
    ("delta", "text"),
    [("1.49e-6", "1.5e-6"), ("9.96e-7", "1e-6"), ("1e-15", "1e-15"), ("0.25", "2.5e-1")],
)
def test_a_delta_is_shown_with_two_digits_rounded_up(delta: str, text: str) -> None:
    assert delta_text(Fraction(delta), Currency.GDP) == text


@given(st.fractions(Fraction(1, 10**15), Fraction(1, 2)))
def test_a_shown_delta_is_never_below_the_true_one(delta: Fraction) -> None:
    assert delta <= Fraction(delta_text(delta, Currency.GDP)) <= delta * Fraction(11, 10)


def test_a_policy_reads_a_pure_loss_as_the_mu2_of_the_same_attack() -> None:
    """Of epsilon 1: (2 Phi^-1(e / (1 + e)))^2."""
    exact = (2 * NormalDist().inv_cdf(math.e / (1 + math.e))) ** 2
    assert mu2(NOTHING, Currency.PURE) == NOTHING
    assert float(mu2(Loss(UNITS_PER_ONE), Currency.PURE).amount) == pytest.approx(exact)
    assert mu2(Loss(7), Currency.GDP) == Loss(7)


@given(one=losses, two=losses)
def test_more_epsilon_is_never_less_to_a_policy(one: Loss, two: Loss) -> None:
    """So that what is held after a charge is at least the charge in mu^2 too."""
    low, high = min(one, two), max(one, two)
    assert mu2(low, Currency.PURE) <= mu2(high, Currency.PURE)
