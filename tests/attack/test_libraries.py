"""Published faults are found, and privlab's plan for the same question declares enough."""

from __future__ import annotations

import pytest

from privlab.terms.bounds import ContributionBound
from tests.attack.asking import Asking
from tests.attack.libraries import (
    FAULTS,
    HIGH,
    MAX_LENGTH,
    Fault,
    margin_taken_as_change,
    margin_taken_twice,
    truncation_outlives_its_column,
)
from tests.attack.neighbours import Pair, sampled, swaps
from tests.attack.record import Call, Kind, Mechanisms, compared, replay, run


@pytest.fixture(scope="module")
def swapped() -> list[Pair]:
    return sampled(swaps(MAX_LENGTH), 16)


def farthest(asking: Asking, pairs: list[Pair]) -> tuple[int, int]:
    """The declared squared sensitivity of the one measure, and the largest distance found.

    No finding on the way.
    """
    declared, found = set(), 0
    for pair in pairs:
        first = run(asking, pair.first, Mechanisms(seed=pair.seed))
        second = run(asking, pair.second, Mechanisms(first))
        assert list(compared(first, second, pair.steps)) == []
        (one,), (two,) = ([e for e in trace if isinstance(e, Call)] for trace in (first, second))
        declared.add(one.sensitivity)
        found = max(found, one.norm.distance(one.inputs, two.inputs))
    (only,) = declared
    return only, found


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.about)
def test_a_published_fault_is_found(fault: Fault, hand: list[Pair]) -> None:
    kinds = {
        one.kind
        for pair in hand
        for one in replay(fault.rule, pair.first, pair.second, seed=pair.seed)
    }
    assert kinds & fault.kinds


def test_a_margin_is_not_how_far_a_group_moves(swapped: list[Pair]) -> None:
    """opendp #2945: three rows of 10 become three of -10, and 30 was declared for 60."""
    found = [
        one for pair in swapped for one in replay(margin_taken_as_change, pair.first, pair.second)
    ]

    assert {one.kind for one in found} == {Kind.DISTANCE}
    assert {one.allowed for one in found} == {MAX_LENGTH * HIGH}
    assert all(replay(margin_taken_twice, p.first, p.second) == () for p in swapped)


def test_privlab_declares_enough_for_a_swap(swapped: list[Pair]) -> None:
    """The same question: D2 is of one unit, a swap is two, and two reach four times D2."""
    asking = Asking(
        "SELECT ward, SUM(points) AS x FROM visits GROUP BY ward",
        ContributionBound(MAX_LENGTH, MAX_LENGTH, 1),
    )
    declared, found = farthest(asking, swapped)

    assert declared == (MAX_LENGTH * HIGH) ** 2
    assert declared < found <= 4 * declared


def test_a_column_made_anew_is_not_truncated(hand: list[Pair]) -> None:
    """opendp #2949: one row was declared, squared 1, where a unit moves dozens."""
    found = [
        one
        for pair in hand
        for one in replay(truncation_outlives_its_column, pair.first, pair.second)
    ]

    assert {one.allowed for one in found} == {1}
    assert max(one.found or 0 for one in found) >= 12**2


@pytest.mark.parametrize(
    ("text", "bound", "most"),
    [
        ("SELECT COUNT(*) AS n FROM visits", ContributionBound(40, 1, 12), 40**2),
        (
            "SELECT MONTH(day) < 7 AS g, COUNT(*) AS n FROM visits WHERE day > '2023-01-01' GROUP BY g",
            ContributionBound(40, 1, 12),
            2,
        ),
    ],
)
def test_privlab_bounds_the_groups_that_are_asked_for(
    text: str, bound: ContributionBound, most: int, hand: list[Pair]
) -> None:
    """The same questions: the bound is on the last key, and a total has none but the rows'."""
    declared, found = farthest(Asking(text, bound), hand)

    assert (declared, found) == (most, most)
