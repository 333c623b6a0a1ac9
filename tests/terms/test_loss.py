"""Losses are whole units; a charge is rounded up and a budget down."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.terms.loss import UNITS_PER_ONE, Loss

amounts = st.fractions(min_value=0, max_value=4)


@given(amounts)
def test_a_charge_covers_and_a_budget_is_covered(mu2: Fraction) -> None:
    assert Loss.budget(mu2).mu2 <= mu2 <= Loss.charge(mu2).mu2
    assert Loss.charge(mu2).units - Loss.budget(mu2).units <= 1


@given(st.lists(amounts, max_size=5))
def test_the_sum_of_charges_covers_the_sum_of_losses(parts: list[Fraction]) -> None:
    total = sum((Loss.charge(part) for part in parts), Loss(0))

    assert total.mu2 >= sum(parts)


@given(st.integers(0, 10**30))
def test_a_loss_is_read_back_as_it_was_written(units: int) -> None:
    assert Loss.parse(Loss(units).text()) == Loss(units)


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1e3", " 1", "\u0661", "0x1"])
def test_a_text_that_is_no_loss_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="decimal string"):
        Loss.parse(text)


@pytest.mark.parametrize("units", [1.0, True, Fraction(1), "1"])
def test_a_loss_is_never_a_float(units: object) -> None:
    with pytest.raises(TypeError):
        Loss(units)  # type: ignore[arg-type]


def test_a_loss_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Loss(1) - Loss(2)
    assert not Loss(0)
    assert Loss(UNITS_PER_ONE).mu2 == 1
