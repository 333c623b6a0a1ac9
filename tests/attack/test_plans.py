"""privlab's own plans, end to end: one unit changes nothing but what its noise hides."""

from __future__ import annotations

import ast

import pytest
from hypothesis import HealthCheck, given, settings

from privlab.release.verify import verify
from privlab.wire.messages import Answer
from tests.attack.asking import CURATOR, Asking
from tests.attack.bugs import BATCH
from tests.attack.neighbours import Pair, pairs
from tests.attack.record import Call, Mechanisms, Recording, Shown, compared, replay, run
from tests.attack.shapes import CROWDED, FOUND, PURE, RELATIONS, SHAPES, TOP_UPS

EVERY = SHAPES + PURE + TOP_UPS + FOUND + RELATIONS


def names(asking: Asking) -> str:
    return f"{asking.currency} {asking.bound.rows} {asking.text[:60]}"


def calls(recording: Recording) -> list[Call]:
    return [one for one in recording if isinstance(one, Call)]


def answered(recording: Recording) -> bool:
    """A run that drew noise and came to an answer: no finding would mean nothing otherwise."""
    shown = [one.what for one in recording if isinstance(one, Shown)]
    return shown[-2:] == ["answer", "returned"] and bool(calls(recording))


@pytest.mark.parametrize("asking", EVERY, ids=names)
def test_a_plan_keeps_what_it_declares(asking: Asking, hand: list[Pair], drawn: list[Pair]) -> None:
    """On every pair by hand and a few drawn ones, other ones for each plan."""
    at = EVERY.index(asking)
    for pair in (*hand, *(drawn[(at + turn) % len(drawn)] for turn in (0, 3, 7))):
        first = run(asking, pair.first, Mechanisms(seed=pair.seed))
        second = run(asking, pair.second, Mechanisms(first))

        assert answered(first)
        assert answered(second)
        assert list(compared(first, second, pair.steps)) == [], pair.about


@pytest.mark.parametrize("asking", CROWDED, ids=names)
def test_a_unit_may_have_more_rows_than_a_batch(asking: Asking, crowd: Pair) -> None:
    first = run(asking, crowd.first, Mechanisms(seed=crowd.seed))
    second = run(asking, crowd.second, Mechanisms(first))

    assert crowd.first.count > 2 * BATCH
    assert answered(first)
    assert list(compared(first, second)) == []
    assert list(compared(second, run(asking, crowd.first, Mechanisms(second)))) == []


def test_what_is_sent_is_in_the_trace(hand: list[Pair]) -> None:
    """Statement, signature and receipt: what they say of the rows would be seen."""
    (sent,) = (
        one.text
        for one in run(SHAPES[0], hand[0].first, Mechanisms())
        if isinstance(one, Shown) and one.what == "answer"
    )
    reply = Answer.model_validate_json(ast.literal_eval(sent))

    found = verify(reply.bundle, CURATOR.signer.public)
    assert found.facts["question"]["text"] == SHAPES[0].text
    assert found.facts["loss"]["charged"] == reply.receipt.charged != "0"


def test_the_declared_sensitivities_are_reached(hand: list[Pair]) -> None:
    """So they are not so wide that anything would fit: half of the plans meet theirs exactly."""
    half = len(SHAPES) // 2
    met: set[Asking] = set()
    for asking in SHAPES:
        for pair in hand if len(met) < half else ():
            first = run(asking, pair.first, Mechanisms(seed=pair.seed))
            second = run(asking, pair.second, Mechanisms(first))
            if any(
                one.norm.distance(one.inputs, two.inputs) == one.sensitivity
                for one, two in zip(calls(first), calls(second), strict=True)
            ):
                met.add(asking)
                break
    assert len(met) == half


@pytest.mark.parametrize("asking", TOP_UPS, ids=names)
def test_a_finer_measurement_is_of_the_same_sample(asking: Asking, hand: list[Pair]) -> None:
    """More rows than the bound lets through, and the second time the same ones are left out."""
    for pair in hand:
        first = calls(run(asking, pair.first, Mechanisms(seed=pair.seed)))
        count = len(first) // 2

        assert [one.inputs for one in first[:count]] == [one.inputs for one in first[count:]]
        assert [one.name for one in first[:count]] == [one.name for one in first[count:]]
        assert all(
            one.noise.precision < two.noise.precision  # type: ignore[attr-defined]
            for one, two in zip(first[:count], first[count:], strict=True)
        )


def test_groups_come_and_go_and_some_are_shown(hand: list[Pair]) -> None:
    """So what `FOUND` is recorded for does happen."""
    alone, shown, hidden = 0, 0, 0
    for pair in hand:
        first = run(FOUND[0], pair.first, Mechanisms(seed=pair.seed))
        second = run(FOUND[0], pair.second, Mechanisms(first))
        one, two = (
            next(call for call in calls(each) if call.labels is not None)
            for each in (first, second)
        )
        alone += len({*(one.labels or ())} ^ {*(two.labels or ())})
        _, threshold = one.noise  # type: ignore[misc]
        shown += sum(given >= threshold for given in one.outputs)
        hidden += sum(
            given < threshold and count > 1
            for given, count in zip(one.outputs, one.inputs, strict=True)
        )
    assert min(alone, shown, hidden) >= 5


def test_there_are_shapes_enough_and_in_both_languages() -> None:
    texts = [asking.text for asking in SHAPES]

    assert len(SHAPES) >= 25
    assert len({asking.bound for asking in SHAPES}) >= 5
    assert sum(text.startswith("visits.") for text in texts) >= 6


@pytest.mark.slow
@settings(
    max_examples=120,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(pair=pairs())
def test_every_plan_keeps_what_it_declares_on_any_pair(pair: Pair) -> None:
    for asking in EVERY:
        assert replay(asking, pair.first, pair.second, seed=pair.seed) == (), asking.text
