"""Caps and grants: totals that never fall below what is spent."""

from __future__ import annotations

from fractions import Fraction

import pytest

from privlab.errors import BadQuery, BudgetExceeded
from privlab.ledger.accounts import Account, Cap
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import Currency, Delta, Loss

from .conftest import DELTA, Ask


def test_a_grant_is_a_total_not_an_increase(ledger: Ledger, ask: Ask) -> None:
    """Sending it twice changes nothing; it may fall to what is spent, no lower."""
    ledger.charge(ask(cost=40))
    for total in (60, 60, 40, 90):
        ledger.grant("ana", "clinic", Loss(total), "sam")
        assert ledger.account("ana", "clinic") == Account("ana", "clinic", Loss(total), Loss(40))

    before = ledger.sequence()
    with pytest.raises(BudgetExceeded) as caught:
        ledger.grant("ana", "clinic", Loss(39), "sam")
    assert caught.value.code == "PL210"
    assert caught.value.facts == {"grant": "39", "spent": "40"}
    assert ledger.sequence() == before


def test_a_cap_never_falls_below_what_is_spent(ledger: Ledger, ask: Ask) -> None:
    """And raising it gives nothing back."""
    ledger.charge(ask(cost=40))
    ledger.set_cap("clinic", Loss(40), DELTA / 10, "sam")
    assert ledger.cap("clinic") == Cap("clinic", Loss(40), Loss(40), DELTA / 10)

    with pytest.raises(BudgetExceeded) as caught:
        ledger.set_cap("clinic", Loss(39), DELTA, "sam")
    assert caught.value.code == "PL211"
    ledger.set_cap("clinic", Loss(400), DELTA, "sam")
    cap = ledger.cap("clinic")
    assert cap is not None
    assert (cap.spent, cap.left) == (Loss(40), Loss(360))


@pytest.mark.parametrize(
    "delta",
    ["0", "1", "-1/2", "1/2", "0.999999", "1e-16", "1/1152921504606846976", "1/3", "1/7000"],
)
def test_a_delta_can_be_written_and_says_something(ledger: Ledger, delta: str) -> None:
    """A decimal from 1e-15 to below one half: statements write it exactly."""
    with pytest.raises(BadQuery) as caught:
        ledger.set_cap("clinic", Loss(1), Fraction(delta), "sam")
    assert caught.value.code == "PL108"


@pytest.mark.parametrize("delta", ["1e-15", "0.00000149", "1/1024", "0.49"])
def test_a_decimal_delta_is_kept_exactly(ledger: Ledger, delta: str) -> None:
    ledger.set_cap("clinic", Loss(1), Fraction(delta), "sam")
    cap = ledger.cap("clinic")
    assert cap is not None
    assert cap.delta == Fraction(delta)


def test_a_budget_beyond_64_bits_is_refused(ledger: Ledger) -> None:
    """Instead of wrapping; the largest that fits is kept exactly."""
    largest = Loss(2**63 - 1)
    ledger.set_cap("clinic", largest, DELTA, "sam")
    ledger.grant("ana", "clinic", largest, "sam")
    account = ledger.account("ana", "clinic")
    assert account is not None
    assert account.granted == largest

    for change in (
        lambda: ledger.set_cap("clinic", Loss(2**63), DELTA, "sam"),
        lambda: ledger.grant("ana", "clinic", Loss(2**63), "sam"),
    ):
        with pytest.raises(BadQuery) as caught:
            change()
        assert caught.value.code == "PL108"


def test_charges_add_up_exactly_near_the_largest_integer(ledger: Ledger, ask: Ask) -> None:
    """No sum is ever a float, and none overflows."""
    largest = Loss(2**63 - 1)
    ledger.set_cap("clinic", largest, DELTA, "sam")
    ledger.grant("ana", "clinic", largest, "sam")

    ledger.charge(ask("request-1", cost=2**63 - 2))
    with pytest.raises(BudgetExceeded):
        ledger.charge(ask("request-2", cost=2))
    with pytest.raises(BudgetExceeded):
        ledger.charge(ask("request-3", cost=2**80))
    ledger.charge(ask("request-4", cost=1))

    account = ledger.account("ana", "clinic")
    assert account is not None
    assert account.left == Loss(0)


def test_a_budget_is_set_all_or_nothing(ledger: Ledger, ask: Ask) -> None:
    """One grant that cannot be, and neither the cap nor the others change."""
    ledger.charge(ask(cost=40))
    before = ledger.caps(), ledger.holders("clinic"), ledger.sequence()

    with pytest.raises(BudgetExceeded):
        ledger.set_budget("clinic", Loss(500), DELTA, {"bob": Loss(200), "ana": Loss(39)}, "sam")
    assert (ledger.caps(), ledger.holders("clinic"), ledger.sequence()) == before

    ledger.set_budget("clinic", Loss(500), DELTA, {"bob": Loss(200), "cleo": Loss(3)}, "sam")
    assert [(a.principal, a.granted.units) for a in ledger.holders("clinic")] == [
        ("ana", 100),
        ("bob", 200),
        ("cleo", 3),
    ]


def test_a_delta_for_thresholds_is_a_total_too(ledger: Ledger, ask: Ask) -> None:
    """Left as it is where none is named; never below what is spent; a part of delta."""
    ledger.set_cap("clinic", Loss(120), DELTA, "sam", Delta(12))
    ledger.grant("ana", "clinic", Loss(100), "sam", Delta(10))
    ledger.charge(ask(cost=0, delta=Delta(4)))
    ledger.set_cap("clinic", Loss(130), DELTA, "sam")
    ledger.grant("ana", "clinic", Loss(110), "sam")
    assert ledger.cap("clinic") == Cap("clinic", Loss(130), Loss(0), DELTA, Delta(12), Delta(4))
    assert ledger.account("ana", "clinic") == Account(
        "ana", "clinic", Loss(110), Loss(0), Delta(10), Delta(4)
    )

    with pytest.raises(BudgetExceeded) as caught:
        ledger.grant("ana", "clinic", Loss(110), "sam", Delta(3))
    assert caught.value.facts == {"grant": "110, delta 3", "spent": "0, delta 4"}
    with pytest.raises(BudgetExceeded):
        ledger.set_cap("clinic", Loss(130), DELTA, "sam", Delta(3))
    for all_of_it in (
        Delta.charge(DELTA),
        Delta.budget(DELTA),
        Delta.budget(DELTA - Fraction(9, 10**16)),
    ):
        with pytest.raises(BadQuery, match="not all of it"):
            ledger.set_cap("clinic", Loss(130), DELTA, "sam", all_of_it)
    ledger.set_cap("clinic", Loss(130), DELTA, "sam", Delta.budget(DELTA - Fraction(1, 10**15)))


def test_a_pure_dataset_has_a_delta_of_nothing(ledger: Ledger) -> None:
    ledger.register_table("trips", "trips", 1, "car", "11" * 32, "ola", Currency.PURE)
    ledger.set_cap("trips", Loss(9), Fraction(0), "sam")
    for delta, thresholds in ((DELTA, None), (Fraction(0), Delta(1))):
        with pytest.raises(BadQuery, match="its delta is 0") as caught:
            ledger.set_cap("trips", Loss(9), delta, "sam", thresholds)
        assert caught.value.code == "PL108"


def test_accounts_are_listed_by_dataset(ledger: Ledger) -> None:
    """A principal's own, and none of anybody else's."""
    ledger.grant("ana", "aviation", Loss(7), "sam")

    assert ledger.accounts("ana") == (
        Account("ana", "aviation", Loss(7), Loss(0)),
        Account("ana", "clinic", Loss(100), Loss(0)),
    )
    assert ledger.accounts("eve") == ()
    assert ledger.account("eve", "clinic") is None
    assert ledger.cap("aviation") is None


def test_thresholds_are_shared_as_the_cap_is(ledger: Ledger, ask: Ask) -> None:
    """Each grant has the part of their delta that it is of the cap, and never less than is spent."""
    grants = {"ana": Loss(60), "bob": Loss(31)}
    ledger.set_budget("clinic", Loss(120), DELTA, grants, "sam", Delta(1000))
    parts = {one.principal: one.delta_granted for one in ledger.holders("clinic")}
    assert parts == {"ana": Delta(500), "bob": Delta(258)}  # 31/120 of it, rounded down

    ledger.charge(ask(cost=10, delta=Delta(400)))
    ledger.set_budget("clinic", Loss(120), DELTA, {"ana": Loss(12)}, "sam")
    account = ledger.account("ana", "clinic")
    assert account is not None
    assert account.delta_granted == account.delta_spent == Delta(400)


def test_a_grant_above_the_cap_has_no_more_than_all_of_the_delta(ledger: Ledger) -> None:
    ledger.set_budget("clinic", Loss(120), DELTA, {"ana": Loss(900)}, "sam", Delta(1000))
    account = ledger.account("ana", "clinic")
    assert account is not None
    assert account.delta_granted == Delta(1000)


def test_thresholds_below_what_they_used_are_refused_whole(ledger: Ledger, ask: Ask) -> None:
    ledger.set_budget("clinic", Loss(120), DELTA, {"ana": Loss(120)}, "sam", Delta(1000))
    ledger.charge(ask(cost=10, delta=Delta(400)))
    with pytest.raises(BudgetExceeded) as caught:
        ledger.set_budget("clinic", Loss(120), DELTA, {"ana": Loss(60)}, "sam", Delta(399))
    assert caught.value.code == "PL211"
    account = ledger.account("ana", "clinic")
    assert account is not None
    assert (account.granted, account.delta_granted) == (Loss(120), Delta(1000))
