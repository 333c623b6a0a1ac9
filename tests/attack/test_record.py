"""The harness itself: it sees each kind of difference, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.attack.record import (
    Call,
    Failed,
    Finding,
    Kind,
    Mechanisms,
    Norm,
    Shown,
    replay,
    run,
    text_of,
)

Numbers = tuple[int, ...]
WITH, WITHOUT = (3, 1, 2), (3, 1)


def noisy(values: Any, mechanisms: Mechanisms, **changed: Any) -> Any:
    public = {"sensitivity": 9, "noise": "scale 1"} | changed
    return mechanisms.add_noise("sum", values, **public)


def sound(table: Numbers, mechanisms: Mechanisms) -> object:
    mechanisms.show("phase", "computing")
    first = noisy([sum(table)], mechanisms)
    second = noisy([len(table), first[0] % 2], mechanisms)  # adaptive, and still sound
    return sorted([*first, *second])


def exits_early(table: Numbers, mechanisms: Mechanisms) -> object:
    return 0 if len(table) < 3 else noisy([sum(table)], mechanisms)


def asks_twice(table: Numbers, mechanisms: Mechanisms) -> object:
    return [noisy([sum(table)], mechanisms) for _ in range(len(table))]


def says_more(table: Numbers, mechanisms: Mechanisms) -> object:
    mechanisms.show("large" if len(table) > 2 else "small", "")
    return noisy([sum(table)], mechanisms)


def fails(table: Numbers, mechanisms: Mechanisms) -> object:
    return noisy([sum(table)], mechanisms) and 1 // (len(table) - 2)


def chosen(scores: list[list[int]], mechanisms: Mechanisms, times: int | None = 1) -> list[int]:
    """One choice for each list of scores; one unit moves at most ``times`` of them."""
    return [mechanisms.choose("q", one, low=0, noise="", times=times) for one in scores]


def groups_tested(table: Numbers, mechanisms: Mechanisms, count: int = 1, made: int = 1) -> object:
    """Each number of the table is a group of as many units."""
    return mechanisms.test_groups(
        "groups", table, [count] * len(table), sensitivity=9, noise="", threshold=5, made=made
    )[:2]


UNSOUND: list[tuple[Kind, Callable[[Numbers, Mechanisms], object]]] = [
    (Kind.CALLS, exits_early),
    (Kind.CALLS, asks_twice),
    (Kind.CALLS, says_more),
    (Kind.PARAMETERS, lambda t, m: noisy([sum(t)], m, noise=f"scale {len(t)}")),
    (Kind.PARAMETERS, lambda t, m: noisy([sum(t)], m, sensitivity=100 * len(t))),
    (Kind.PARAMETERS, lambda t, m: noisy([sum(t)], m, norm=list(Norm)[len(t) % 2])),
    (Kind.PARAMETERS, lambda t, m: m.add_noise(str(len(t)), [1], sensitivity=1, noise="")),
    (Kind.DECLARED, lambda t, m: noisy([sum(t)], m, sensitivity=None)),
    (Kind.DECLARED, lambda t, m: noisy([sum(t)], m, sensitivity=0)),
    (Kind.DECLARED, lambda t, m: noisy([sum(t)], m, sensitivity=9.0)),
    (Kind.SHAPE, lambda t, m: noisy(list(t), m)),
    (Kind.SHAPE, lambda t, m: noisy([list(t)], m)),
    (Kind.INPUTS, lambda t, m: noisy([sum(t) / 2], m)),
    (Kind.INPUTS, lambda t, m: noisy([float("nan")], m)),
    (Kind.INPUTS, lambda t, m: noisy([len(t) > 2], m)),
    (Kind.DISTANCE, lambda t, m: noisy([sum(t)], m, sensitivity=3)),
    (Kind.DISTANCE, lambda t, m: noisy([sum(t) << 70], m)),
    (Kind.DISTANCE, lambda t, m: chosen([[0, 2 * len(t)]], m)),
    (Kind.TIMES, lambda t, m: chosen([[0, len(t)], [len(t), 0]], m)),
    (Kind.DECLARED, lambda t, m: chosen([[0, 0]], m, times=None)),
    (Kind.SHAPE, lambda t, m: chosen([[0] * len(t)], m)),
    (Kind.SHOWN, lambda t, m: (noisy([sum(t)], m), len(t))),
    (Kind.SHOWN, lambda t, m: m.show("caption", f"{len(t)} rows")),
    (Kind.FAILED, fails),
    (Kind.FOUND, lambda t, m: groups_tested(t, m, count=2)),
    (Kind.FOUND, lambda t, m: groups_tested(tuple(range(3 * len(t))), m)),
    (Kind.DECLARED, lambda t, m: groups_tested(t, m, made=0)),
    (Kind.PARAMETERS, lambda t, m: groups_tested(t, m, made=len(t))),
]


@pytest.mark.parametrize(("kind", "pipeline"), UNSOUND)
def test_each_kind_of_difference_is_found(
    kind: Kind, pipeline: Callable[[Numbers, Mechanisms], object]
) -> None:
    """From either table: what one unit adds can also be taken away."""
    assert kind in {one.kind for one in replay(pipeline, WITH, WITHOUT)}
    assert kind in {one.kind for one in replay(pipeline, WITHOUT, WITH)}


def test_every_kind_is_among_them() -> None:
    assert {kind for kind, _ in UNSOUND} == set(Kind)


def test_a_sound_pipeline_has_no_findings() -> None:
    assert replay(sound, WITH, WITHOUT) == ()
    assert replay(sound, WITHOUT, WITH) == ()


def test_a_group_that_one_unit_made_may_come_and_go() -> None:
    """It is not shown in either run, and its count is no more than was declared."""
    assert replay(groups_tested, WITH, WITHOUT) == ()
    assert replay(groups_tested, WITHOUT, WITH) == ()
    (call, _) = run(groups_tested, WITH, Mechanisms())
    assert isinstance(call, Call)
    assert max(call.outputs) < 5


def test_a_failure_that_does_not_depend_on_the_data_is_no_finding() -> None:
    def refused(table: Numbers, mechanisms: Mechanisms) -> object:
        raise ValueError("there is no column x")

    assert replay(refused, WITH, WITHOUT) == ()
    assert run(refused, WITH, Mechanisms()) == (Failed("ValueError: there is no column x"),)


def test_the_replay_gives_what_was_recorded_and_not_what_it_is_asked_about() -> None:
    recorded = run(sound, WITH, Mechanisms(seed="a"))
    replayed = run(sound, WITHOUT, Mechanisms(recorded))

    assert [one.outputs for one in recorded if isinstance(one, Call)] == [
        one.outputs for one in replayed if isinstance(one, Call)
    ]
    assert next(one.inputs for one in replayed if isinstance(one, Call)) == (4,)


def test_a_first_run_can_be_had_again_and_another_seed_is_another_run() -> None:
    assert run(sound, WITH, Mechanisms(seed="a")) == run(sound, WITH, Mechanisms(seed="a"))
    assert run(sound, WITH, Mechanisms(seed="a")) != run(sound, WITH, Mechanisms(seed="b"))


def test_a_finding_has_the_numbers() -> None:
    (finding,) = replay(lambda t, m: noisy([sum(t), 5], m, sensitivity=3), WITH, WITHOUT)

    assert finding == Finding(Kind.DISTANCE, "0: call of sum", "(6, 5)", "(4, 5)", 3, 4)


@pytest.mark.parametrize(
    ("norm", "distance", "reach"),
    [(Norm.SQUARED, 4 + 9, 4 * 7), (Norm.ABSOLUTE, 5, 2 * 7), (Norm.LARGEST, 3, 2 * 7)],
)
def test_distances_are_exact_and_two_steps_reach_twice_as_far(
    norm: Norm, distance: int, reach: int
) -> None:
    far = 1 << 100
    assert norm.distance((1, far), (3, far - 3)) == distance
    assert norm.distance((), ()) == 0
    assert norm.reach(7, 2) == reach
    assert norm.reach(7, 1) == 7


def test_texts_tell_values_apart_to_the_last_bit() -> None:
    frame = pl.DataFrame({"a": [1, None]})
    values: list[object] = [
        0.1, 0.1 + 2**-56, -0.0, 0.0, 0, False, None, "0", Fraction(1, 10), (0,), ((0,),),
        frame, frame.cast(pl.Int8), np.array([1, 2]), np.array([[1, 2]]), np.array([1, 2], "i1"),
        {"a": 1}, Shown("a", "b"), Kind.CALLS,
    ]  # fmt: skip

    assert len({text_of(value) for value in values}) == len(values)
    assert text_of(frame.lazy()) == text_of(frame.clone())
    assert text_of(float("nan")) == text_of(float("nan"))


def test_choices_within_what_is_paid_are_no_finding() -> None:
    """One score of each group that a unit is in moves by one, and the answers stay the same."""

    def pipeline(table: Numbers, mechanisms: Mechanisms) -> object:
        answers = chosen([[0, len(table), 5], [len(table), 0, 5], [1, 2, 3]], mechanisms, times=2)
        assert all(answer in range(3) for answer in answers)
        return answers

    assert replay(pipeline, WITH, WITHOUT) == ()
    assert replay(pipeline, WITHOUT, WITH) == ()
