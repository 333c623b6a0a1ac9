"""One thing wrong, and record and replay says so; with it right, it says nothing."""

from __future__ import annotations

import pytest

from tests.attack.asking import Asking
from tests.attack.bugs import BATCHED, BUGS, Bug
from tests.attack.found_bugs import DRAWN_BUGS, FOUND_BUGS
from tests.attack.neighbours import Pair, pairs, sampled
from tests.attack.record import Call, Mechanisms, replay, run

SOUND = tuple(dict.fromkeys(Asking(bug.asking.text, bug.asking.bound) for bug in BUGS + FOUND_BUGS))


def finds(bug: Bug, pair: Pair) -> bool:
    found = replay(bug, pair.first, pair.second, steps=pair.steps, seed=pair.seed)
    return any(one.kind in bug.kinds for one in found)


@pytest.mark.parametrize("bug", BUGS + FOUND_BUGS, ids=lambda bug: bug.about)
def test_a_seeded_bug_is_found(bug: Bug, hand: list[Pair]) -> None:
    assert any(finds(bug, pair) for pair in hand)


@pytest.mark.parametrize("bug", BATCHED, ids=lambda bug: bug.about)
def test_a_bound_per_batch_is_found_in_a_crowd(bug: Bug, hand: list[Pair], crowd: Pair) -> None:
    assert finds(bug, crowd)
    assert not any(finds(bug, pair) for pair in hand[:4])


@pytest.mark.parametrize("asking", SOUND, ids=lambda asking: asking.text)
def test_without_the_bug_nothing_is_found(asking: Asking, hand: list[Pair]) -> None:
    for pair in hand:
        assert replay(asking, pair.first, pair.second, seed=pair.seed) == (), pair.about


def test_a_bug_is_gone_after_its_run(hand: list[Pair]) -> None:
    """What was replaced is itself again, so that one test does not spoil the next."""
    asking = BUGS[0].asking
    before = run(asking, hand[0].first, Mechanisms())
    for bug in BUGS:
        run(bug, hand[0].first, Mechanisms())

    assert run(asking, hand[0].first, Mechanisms()) == before
    assert any(isinstance(one, Call) for one in before)


@pytest.fixture(scope="module")
def many() -> list[Pair]:
    return sampled(pairs(), 240)


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS + DRAWN_BUGS, ids=lambda bug: bug.about)
def test_a_seeded_bug_is_found_by_drawn_pairs_alone(bug: Bug, many: list[Pair]) -> None:
    assert any(finds(bug, pair) for pair in many)
