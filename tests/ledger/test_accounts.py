"""Shares: rounded against the asker, so that an offer is never refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from privlab.ledger.accounts import Account, account_exceeded, share
from privlab.terms.loss import Loss

losses = st.integers(1, 2**63 - 1).map(Loss)


@given(part=losses, of=losses)
def test_a_share_is_within_a_ten_thousandth_of_a_percent(part: Loss, of: Loss) -> None:
    """On the side that was asked for."""
    exact = Fraction(100 * part.units, of.units)
    low, high = (Fraction(Decimal(share(part, of, up=up))) for up in (False, True))

    assert exact - Fraction(1, 10**4) < low <= exact <= high < exact + Fraction(1, 10**4)


@given(granted=losses, spent=st.integers(0, 2**63 - 1), cost=losses)
def test_what_a_refusal_offers_fits(granted: Loss, spent: int, cost: Loss) -> None:
    """The share in the hint, taken of the grant, is at most what is left."""
    account = Account("ana", "clinic", granted, Loss(min(spent, granted.units)))
    refusal = account_exceeded(account, cost)
    offered = Fraction(Decimal(refusal.facts["left"].split()[0]))

    assert offered * granted.units / 100 <= account.left.units
    assert ("--share" in refusal.hint) == (offered > 0)


def test_a_share_of_nothing_is_nothing() -> None:
    """A grant of zero has no shares."""
    assert share(Loss(0), Loss(0), up=True) == "0"
    assert share(Loss(1), Loss(3), up=False) == "33.3333"
    assert share(Loss(1), Loss(2), up=True) == "50"
