"""Shares are never negative, add up to one number, and say what a value's moments are."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.query.shares import (
    CORNERS,
    FAMILIES,
    LINE,
    PARABOLA,
    Share,
    family_of,
    largest,
    share_of,
    whole,
)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("reach", [1, 2, 3, 10, 61])
def test_shares_are_not_negative_and_add_up_to_one_number(
    family: tuple[Share, ...], reach: int
) -> None:
    for k in range(reach + 1):
        shares = [share_of(share, k, reach) for share in family]
        assert min(shares) >= 0
        assert sum(shares) == whole(family, reach)


@pytest.mark.parametrize("share", Share)
def test_the_largest_share_is_met(share: Share) -> None:
    for reach in (1, 2, 7, 60):
        most = max(share_of(share, k, reach) for k in range(reach + 1))
        assert most <= largest(share, reach)
        if reach % 2 == 0:
            assert most == largest(share, reach)


@given(reach=st.integers(1, 1 << 24), data=st.data())
def test_a_value_is_the_mix_of_its_corners(reach: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, reach))
    y = Fraction(2 * k, reach) - 1
    for family in FAMILIES:
        weights = {
            share: Fraction(share_of(share, k, reach), whole(family, reach)) for share in family
        }
        assert sum(weights.values()) == 1
        assert sum(by * CORNERS[share][0] for share, by in weights.items()) == y
        if family == PARABOLA:
            assert sum(by * CORNERS[share][1] for share, by in weights.items()) == y * y


def test_a_share_has_one_family() -> None:
    assert [family_of(share) for share in Share] == [LINE] * 2 + [PARABOLA] * 3
