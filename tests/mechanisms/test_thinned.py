"""Quantiles by permute-and-flip: what is asked first, who has a head start, what it is near to."""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.accuracy.choice import ENOUGH, LOOKS, part_of_looks, ranks_off_flipped
from privlab.mechanisms import thinned as module
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.quantile import pieces
from privlab.mechanisms.thinned import head_start, spacing, thinned, widths

HALF = Fraction(1, 2)
values_lists = st.lists(st.integers(-6, 9), max_size=12).map(sorted)


def i64(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


@given(values_lists, st.integers(-6, 9), st.integers(1, 40), st.sampled_from([1, 3, 20]))
def test_one_value_more_moves_all_levels_up_by_one_at_most(
    values: list[int], extra: int, size: int, epsilon: int
) -> None:
    """So that asking them costs half of what scores cost that move either way."""
    more = list(values)
    insort(more, extra)
    before = module._levels(i64(values), -6, 9, Fraction(epsilon), size)
    after = module._levels(i64(more), -6, 9, Fraction(epsilon), size)
    assert set((after - before).tolist()) <= {0, 1}


@given(values_lists, st.integers(1, 40))
def test_levels_are_as_defined(values: list[int], size: int) -> None:
    """Every window, counted by hand."""
    epsilon = Fraction(1)
    cells = size * epsilon / 3
    expected, level = [size // 4], 0
    while (width := math.floor(cells * math.isqrt(2**level))) < 16:
        width = max(width, 1)
        most = max(
            sum(start <= value < start + width for value in values)
            for start in range(-6, 11 - width)
        )
        expected.append(min(most, len(values) - most))
        level += 1
    assert module._levels(i64(values), -6, 9, epsilon, size).tolist() == expected


@pytest.mark.parametrize("epsilon", [Fraction(1, 10), Fraction(3, 2), Fraction(50)], ids=str)
@pytest.mark.parametrize("level", range(0, 40, 3))
def test_a_head_start_is_at_most_what_it_is_said_to_be(level: int, epsilon: Fraction) -> None:
    """In nats, ``l ln 2 / 2 + 3``, and less than one score below it."""
    said = level * math.log(2) / 2 + 3
    given_ = float(epsilon / 2 * head_start(level, epsilon))
    assert said - float(epsilon) / 2 - 1e-4 <= given_ <= said


def test_those_with_a_head_start_weigh_what_the_stated_ranks_assume() -> None:
    """``candidates + their number * 2^(l/2) e^3`` is below 64 times the candidates."""
    for candidates in (1, 2, 3, 100, 1 << 20):
        for level in range(2 * candidates.bit_length()):
            if spacing(level) <= candidates:
                ahead = -(-candidates // spacing(level)) * 2 ** (level / 2) * math.exp(3)
                assert candidates + ahead < 64 * candidates


def test_widths_are_below_the_number_of_answers() -> None:
    """Each about sqrt(2) of the one before."""
    found = widths(1 << 16, Fraction(1, 10), 10_000)
    assert found[0] == math.floor(Fraction(1000, 3))
    assert found[-1] < 1 << 16 <= 2 * found[-1]
    assert widths(4, Fraction(1), 1000) == []


@pytest.mark.parametrize("size", [1, 499, 500, 10**6])
def test_looking_takes_a_twentieth_at_most(size: int) -> None:
    """Or nothing, of so many values at epsilon 1."""
    looks = part_of_looks(size, Fraction(1))
    assert looks == (Fraction(LOOKS, size) if size >= ENOUGH else 0)
    assert looks <= Fraction(1, 20)


class Recorded:
    """What `thinned` asks `flip` for, in place of drawing."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[list[int], Fraction]] = []

    def flip(self, scores: np.ndarray, epsilon: Fraction, words: object) -> int:
        self.asked.append((scores.tolist(), epsilon))
        return self.answers.pop(0)


@pytest.mark.parametrize("level", [0, 1, 4])
def test_the_parts_add_up_to_epsilon(level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked first has half its price, being of one direction; the rest is the choice's."""
    recorded = Recorded(level, 7)
    monkeypatch.setattr(module, "flip", recorded.flip)
    values = i64(sorted([3] * 200 + list(range(1000))))
    assert thinned(values, 0, 1999, HALF, Fraction(1), 1000, KeyStream(bytes(32))) == 7
    (levels, looks), (scores, rest) = recorded.asked
    assert looks / 2 + rest == 1
    assert len(levels) == 1 + len(widths(2000, rest, 1000))
    plain = pieces(values, 0, 1999, HALF)
    ahead = np.array(scores) - np.repeat(plain.scores, plain.lengths)
    assert set(ahead.tolist()) <= {0, head_start(level - 1, rest) if level else 0}
    places = np.flatnonzero(ahead)
    if level:
        assert set(np.diff(places).tolist()) <= {spacing(level - 1)}
        assert places.size >= 2000 // spacing(level - 1)


def test_few_declared_values_give_nobody_a_head_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """One choice, of all of epsilon, among the scores as they are."""
    recorded = Recorded(2)
    monkeypatch.setattr(module, "flip", recorded.flip)
    assert thinned(i64([0, 1]), -3, 4, HALF, Fraction(1), 499, KeyStream(bytes(32))) == -1
    plain = pieces(i64([0, 1]), -3, 4, HALF)
    assert recorded.asked == [(np.repeat(plain.scores, plain.lengths).tolist(), 1)]


def test_the_stated_ranks_hold() -> None:
    """For values that lie evenly, for such as many share, and for more or fewer than were declared."""
    words = KeyStream(bytes(range(32)))
    for values in (range(0, 20_000, 5), [7] * 2000 + list(range(9000, 11_000)), range(300)):
        ordered = i64(sorted(values))
        off = 0
        stated = ranks_off_flipped(HALF, 20_001, 4000, Fraction(1, 2), Fraction(95))
        for _ in range(60):
            at = thinned(ordered, 0, 20_000, HALF, Fraction(1, 2), 4000, words)
            below = np.searchsorted(ordered, at, "left")
            above = ordered.size - np.searchsorted(ordered, at, "right")
            off += max(below, above) - ordered.size / 2 > stated
        assert off <= 7


def test_a_value_that_many_share_is_found_beside_the_head_starts() -> None:
    """Two in five people have it, and the median lies there."""
    values = i64(sorted([5003] * 4000 + list(range(0, 10_000, 10)) * 6))
    words = KeyStream(bytes(range(32)))
    found = Counter(
        thinned(values, 0, 9_999, HALF, Fraction(1, 10), 10_000, words) for _ in range(50)
    )
    assert found[5003] >= 48


@pytest.mark.slow
@pytest.mark.parametrize("wide", [1, 5])
@pytest.mark.parametrize(
    ("epsilon", "most"), [(Fraction(1, 10), 0.97), (Fraction(1, 2), 1.03)], ids=str
)
def test_it_is_closer_than_the_exponential_mechanism(
    wide: int, epsilon: Fraction, most: float
) -> None:
    """Of 10,000 normal values, in a clamp that fits or is five times as wide, by about a tenth
    at epsilon 0.1 and by a few percent at 0.5, within three of chance.  A tenth of the values
    that were declared: a few percent farther.
    """
    draw = np.random.default_rng(3)
    whole = np.rint(draw.normal(0, 2500, 10_000))
    values = np.sort(np.clip(whole, -10_000, 10_000)).astype(np.int64)
    low, high = -10_000 * wide, 10_000 * wide
    words = KeyStream(bytes(range(32)))

    def ratio(of: np.ndarray) -> float:
        """Mean distance from the median, over that of the exponential mechanism's law."""
        middle, parts = float(np.median(of)), pieces(of, low, high, HALF)
        off = np.abs(np.arange(low, high + 1) - middle)
        scores = np.repeat(parts.scores, parts.lengths)
        weights = np.exp(float(epsilon) / 2 * (scores - scores.max()))
        drawn = [thinned(of, low, high, HALF, epsilon, 10_000, words) for _ in range(1500)]
        ours = float(np.abs(np.array(drawn) - middle).mean())
        return ours / float((weights * off).sum() / weights.sum())

    assert ratio(values) < most
    assert ratio(values[::10]) < 1.15
