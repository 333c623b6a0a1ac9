"""Shares: rounded against the asker, so that an offer is never refused."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from privlab.errors import BudgetExceeded
from privlab.ledger.accounts import Account, account_exceeded, share
from privlab.query.afford import Holding
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
    offered = shares(refusal)

    assert all(0 < one * granted.units / 100 <= account.left.units for one in offered)
    if granted.units >= 10**6:  # else a whole ten thousandth of a percent may be no unit
        assert bool(offered) == (refusal.facts["left"] != "0 % of the grant")
    assert refusal.facts["left"] == f"{share(account.left, granted, up=False)} % of the grant"


@given(
    granted=st.integers(10**9, 2**63 - 1),
    held=st.lists(st.integers(0, 40), min_size=1, max_size=3),
    left=st.integers(1, 20),
    adds=st.booleans(),
)
def test_an_offered_share_counts_what_is_held(
    granted: int, held: list[int], left: int, adds: bool
) -> None:
    """It fits, it buys something finer than is held, and hardly a greater one fits."""
    per = granted // 200
    holds = tuple(Holding(Loss(one * per), adds) for one in held)
    spent = granted - left * per
    account = Account("ana", "clinic", Loss(granted), Loss(spent))

    offered = shares(account_exceeded(account, Loss(granted), holds))

    def bought(percent: Fraction) -> int:
        level = int(percent * granted / 100) // len(holds)
        above = [max(0, level - one * per) for one in held]
        return sum(above) if adds else sum(level for by in above if by)

    if not offered:
        assert not adds
        assert all(left <= one * sum(other <= one for other in held) for one in held)
    else:
        assert 0 < bought(offered[0]) <= account.left.units
        greater = offered[0] * Fraction(1001, 1000)
        assert bought(greater) > account.left.units or greater > 100


def test_a_refusal_of_what_is_partly_held_offers_it_with_the_rest() -> None:
    account = Account("ana", "clinic", Loss(1000), Loss(900))

    added = account_exceeded(account, Loss(300), (Holding(Loss(300)),))
    anew = account_exceeded(account, Loss(600), (Holding(Loss(300), adds=False),))

    assert added.hint == (
        "rerun with `--share 40%`, which counts what you hold, or ask for less precision"
    )
    assert anew.hint == (
        "nothing finer than what you hold fits; asking for that again is free; "
        "for more, ask the steward for a larger grant"
    )


def shares(refusal: BudgetExceeded) -> list[Fraction]:
    """What the hint says to type."""
    return [Fraction(Decimal(one)) for one in re.findall(r"--share ([\d.]+)%", refusal.hint)]


def test_a_share_of_nothing_is_nothing() -> None:
    """A grant of zero has no shares."""
    assert share(Loss(0), Loss(0), up=True) == "0"
    assert share(Loss(1), Loss(3), up=False) == "33.3333"
    assert share(Loss(1), Loss(2), up=True) == "50"
