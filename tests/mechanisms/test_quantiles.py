"""Several quantiles at once: in order, near where they should be, one choice of a unit per level."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accuracy import choice
from privlab.engine import reference
from privlab.mechanisms import quantiles as module
from privlab.mechanisms.entropy import Words
from privlab.mechanisms.quantile import pieces
from privlab.mechanisms.quantiles import parted, quantiles
from privlab.query.plan import Measure, MeasureKind, Ref
from privlab.terms.catalog import Kind

QUARTERS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
LOW, HIGH = -20, 50

tables = st.lists(st.integers(LOW, HIGH), max_size=40)
several = st.lists(st.integers(1, 19), min_size=1, max_size=9, unique=True).map(
    lambda found: tuple(Fraction(one, 20) for one in sorted(found))
)


def ints(values: Sequence[int]) -> np.ndarray:
    return np.array(sorted(values), np.int64)


@settings(deadline=None, max_examples=60)
@given(values=tables, qs=several, sharp=st.booleans())
def test_answers_never_fall_and_stay_inside(
    values: list[int], qs: tuple[Fraction, ...], sharp: bool
) -> None:
    with Words() as words:
        found = quantiles(ints(values), LOW, HIGH, qs, Fraction(1000 if sharp else 1), words)
    assert len(found) == len(qs)
    assert found == sorted(found)
    assert all(LOW <= one <= HIGH for one in found)


@settings(deadline=None, max_examples=60)
@given(values=tables, qs=several)
def test_a_sharp_choice_is_within_a_rank_on_each_level(
    values: list[int], qs: tuple[Fraction, ...]
) -> None:
    levels = len(qs).bit_length()
    with Words() as words:
        found = quantiles(ints(values), LOW, HIGH, qs, Fraction(1 << 20), words)
    for q, one in zip(qs, found, strict=True):
        assert sum(v < one for v in values) <= q * len(values) + levels
        assert sum(v > one for v in values) <= (1 - q) * len(values) + levels


def test_a_value_that_most_have_is_parted_where_the_quantile_lies() -> None:
    """Six of ten are 0, then 1 to 400: the third quarter is a quarter of the table beyond 0.5."""
    values = [0] * 600 + list(range(1, 401))
    with Words() as words:
        found = quantiles(ints(values), 0, 400, QUARTERS, Fraction(1000), words)
    assert found[:2] == [0, 0]
    assert abs(found[2] - 150) <= 3


Side = tuple[int, int, Fraction]


@settings(deadline=None, max_examples=200)
@given(values=tables, extra=st.integers(LOW, HIGH), qs=several, data=st.data())
def test_one_more_value_is_in_one_choice_of_each_level(
    values: list[int], extra: int, qs: tuple[Fraction, ...], data: st.DataObject
) -> None:
    """Whatever was answered: all other choices are of the same values, and its scores in that
    one move by one at most.  So a level costs one choice."""
    answers: dict[Side, int] = {}

    def recorded(table: list[int]) -> dict[Side, np.ndarray]:
        choices: dict[Side, np.ndarray] = {}

        def choose(inside: np.ndarray, low: int, high: int, q: Fraction) -> int:
            side = (low, high, q)
            if side not in answers:
                answers[side] = data.draw(st.integers(low, high))
            again = side
            while again in choices:  # sides of one point may come twice
                again = (low, high, again[2] + 1)
            choices[again] = inside
            return answers[side]

        parted(ints(table), LOW, HIGH, qs, choose)
        return choices

    one, two = recorded(values), recorded([*values, extra])
    assert one.keys() == two.keys()
    changed = [side for side in one if one[side].tolist() != two[side].tolist()]
    assert 1 <= len(changed) <= len(qs).bit_length()
    for side in changed:
        assert len(two[side]) == len(one[side]) + 1
        low, high, q = side
        before, after = (_scores(found[side], low, high, q - int(q)) for found in (one, two))
        assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= 1


def _scores(values: np.ndarray, low: int, high: int, q: Fraction) -> list[int]:
    """Of every possible answer."""
    found = pieces(values, low, high, q)
    return [
        int(score)
        for start, length, score in zip(found.starts, found.lengths, found.scores, strict=True)
        for _ in range(int(length))
    ]


@settings(deadline=None, max_examples=100)
@given(values=tables, qs=several)
def test_the_recursion_is_that_of_the_reference(
    values: list[int], qs: tuple[Fraction, ...]
) -> None:
    """With the same choices: here a value that depends on all that a choice is told."""

    def choose(inside: Sequence[int], low: int, high: int, q: Fraction) -> int:
        return low + (sum(map(int, inside)) + q.numerator * 7 + q.denominator) % (high - low + 1)

    assert parted(ints(values), LOW, HIGH, qs, choose) == reference.parted(
        sorted(values), LOW, HIGH, qs, choose
    )


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 8, 9, 99])
def test_there_are_as_many_levels_as_are_paid(count: int) -> None:
    qs = tuple(Fraction(at, count + 1) for at in range(1, count + 1))

    def depth(first: int, last: int) -> int:
        if first == last:
            return 0
        at = (first + last) // 2
        return 1 + max(depth(first, at), depth(at + 1, last))

    measure = Measure(MeasureKind.QUANTILE, Ref("x", Kind.INT), q=qs[0], among=qs)
    assert measure.levels == depth(0, count)


@pytest.mark.parametrize("qs", [(), (Fraction(1, 2),) * 2, (Fraction(0),), (Fraction(1),)])
def test_what_does_not_rise_inside_is_refused(qs: tuple[Fraction, ...]) -> None:
    with Words() as words, pytest.raises(ValueError, match="rise"):
        quantiles(ints([1]), 0, 2, qs, Fraction(1), words)


def test_values_outside_are_refused() -> None:
    with Words() as words, pytest.raises(ValueError, match="inside its interval"):
        quantiles(ints([3]), 0, 2, QUARTERS, Fraction(1), words)


def test_the_error_is_stated_for_the_digits_that_are_drawn() -> None:
    assert choice.DIGITS == module.DIGITS


def test_the_stated_ranks_hold() -> None:
    """At 95 %, of 200 answers to nine quantiles, of values with many equal ones."""
    qs = tuple(Fraction(at, 10) for at in range(1, 10))
    dice = np.random.default_rng(7)
    values = np.sort(np.minimum(400, dice.exponential(30, 3000).astype(np.int64)))
    epsilon = Fraction(1, 2)
    off = choice.ranks_off_together(4, 401, epsilon, Fraction(95))
    missed = 0
    for _ in range(200):
        with Words() as words:
            found = quantiles(values, 0, 400, qs, epsilon, words)
        missed += any(
            max((values < one).sum() - q * 3000, (values > one).sum() - (1 - q) * 3000) > off
            for q, one in zip(qs, found, strict=True)
        )
    assert missed <= 10
