"""Quantiles by choice: the pieces, their scores, and what one value changes."""

from __future__ import annotations

import math
from bisect import insort
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.quantile import MOST_VALUE, pieces, quantile
from tests.mechanisms.given import Given

LOW, HIGH = -6, 9
values_lists = st.lists(st.integers(LOW, HIGH), max_size=12).map(sorted)
quantiles = st.sampled_from(
    [Fraction(n, d) for n, d in [(0, 1), (1, 2), (1, 4), (9, 10), (1, 1), (1, 1000), (355, 1130)]]
)


def i64(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


def miss(values: list[int], v: int, q: Fraction) -> Fraction:
    """How far v is from being a q-quantile, from the definition, in rows."""
    below = sum(value < v for value in values)
    above = sum(value > v for value in values)
    n = len(values)
    return max(Fraction(0), below - q * n, above - (1 - q) * n)


def scores_of(values: list[int], q: Fraction, low: int = LOW, high: int = HIGH) -> dict[int, int]:
    """The score of every possible answer, read off the pieces."""
    parts = pieces(i64(values), low, high, q)
    return {
        int(start) + off: int(score)
        for start, length, score in zip(parts.starts, parts.lengths, parts.scores, strict=True)
        for off in range(int(length))
    }


@given(values_lists, quantiles)
def test_pieces_are_the_interval_in_order_each_answer_once(values: list[int], q: Fraction) -> None:
    """Gaps and values, none of negative length; as many whatever the duplicates."""
    parts = pieces(i64(values), LOW, HIGH, q)
    assert parts.starts.size == 2 * len(values) + 1
    assert parts.lengths.min() >= 0
    inside = parts.lengths > 0
    starts, lengths = parts.starts[inside], parts.lengths[inside]
    assert starts[0] == LOW
    assert list(starts[1:]) == list((starts + lengths)[:-1])
    assert starts[-1] + lengths[-1] == HIGH + 1


@given(values_lists, quantiles)
def test_scores_are_as_defined(values: list[int], q: Fraction) -> None:
    """Of every answer, from counts of values on either side."""
    expected = {v: -math.floor(miss(values, v, q) / max(q, 1 - q)) for v in range(LOW, HIGH + 1)}
    assert scores_of(values, q) == expected


@given(values_lists, st.integers(LOW, HIGH), quantiles)
def test_one_value_moves_no_score_by_more_than_one(
    values: list[int], added: int, q: Fraction
) -> None:
    """Adding it, and so removing it: every answer has a score before and after."""
    before = scores_of(values, q)
    insort(values, added)
    after = scores_of(values, q)
    assert before.keys() == after.keys()
    assert max(abs(before[v] - after[v]) for v in before) <= 1


@given(values_lists.filter(bool), quantiles)
def test_the_quantile_itself_scores_best(values: list[int], q: Fraction) -> None:
    """Zero, and no answer scores above it."""
    scores = scores_of(values, q)
    true = values[max(math.ceil(q * len(values)) - 1, 0)]
    assert scores[true] == max(scores.values()) == 0


def test_of_no_values_every_answer_is_equally_likely() -> None:
    """One piece, the whole interval."""
    parts = pieces(i64([]), 3, 7, Fraction(1, 2))
    assert (list(parts.starts), list(parts.lengths), list(parts.scores)) == ([3], [5], [0])
    words = [[w * (1 << 64) // 10] for w in range(1, 10, 2)]
    found = [quantile(i64([]), 3, 7, Fraction(1, 2), Fraction(1), Given([0, *w])) for w in words]
    assert found == [3, 4, 5, 6, 7]


def test_values_that_are_all_equal_share_one_piece() -> None:
    """The first has it; the others have none."""
    parts = pieces(i64([4, 4, 4]), 0, 9, Fraction(1, 2))
    assert list(parts.lengths) == [4, 1, 0, 0, 0, 0, 5]
    words = KeyStream(bytes(32))
    assert quantile(i64([4] * 1000), 0, 9, Fraction(1, 2), Fraction(1), words) == 4


def test_a_value_that_holds_half_of_the_data_is_preferred_to_its_neighbours() -> None:
    """An atom across the median is the median, though one side of it is longer."""
    scores = scores_of([0] * 40 + [5] * 50 + [9] * 10, Fraction(1, 2), 0, 9)
    assert scores[5] == 0
    assert scores[4] == -20
    assert scores[6] == -80


@pytest.mark.parametrize("q", [Fraction(1, 2), Fraction(1, 10), Fraction(1)], ids=str)
def test_it_is_near_the_quantile(q: Fraction) -> None:
    """Within 60 ranks of 2,000 at epsilon 1/2, every time of 100 from a recorded key.

    And so is its value, data being even over the whole interval; at 1 too, as
    there is hardly anything beyond the largest.
    """
    values = np.sort(np.random.default_rng(2).integers(0, 1 << 40, 2000))
    with KeyStream(bytes(31) + b"\x02") as words:
        found = [quantile(values, 0, 1 << 40, q, Fraction(1, 2), words) for _ in range(100)]
    ranks = np.searchsorted(values, found)
    assert np.abs(ranks - float(q) * 2000).max() < 60
    parts = np.array(found) / (1 << 40)
    assert np.abs(parts - float(q)).max() < 0.02


def median_of(q: Fraction) -> float:
    """Of 200 choices at epsilon 1, of 2,000 values in a tenth of the interval."""
    values = np.sort(np.random.default_rng(2).integers(500_000, 600_000, 2000))
    with KeyStream(bytes(31) + b"\x05") as words:
        return float(
            np.median([quantile(values, 0, 10**6, q, Fraction(1), words) for _ in range(200)])
        )


@pytest.mark.parametrize("percent", [1, 50, 99])
def test_away_from_the_ends_an_empty_part_of_the_interval_does_no_harm(percent: int) -> None:
    """The rule of the module: more than 0.0078 away from 0 and 1 here."""
    q = Fraction(percent, 100)
    assert abs(median_of(q) - (500_000 + 1000 * percent)) < 1000


@pytest.mark.parametrize("q", [Fraction(0), Fraction(1, 200)], ids=str)
def test_too_near_to_an_end_it_is_a_number_of_the_empty_part(q: Fraction) -> None:
    """Far below the smallest value, and mirrored far above the largest."""
    assert 150_000 < median_of(q) < 350_000
    assert 700_000 < median_of(1 - q) < 900_000


def test_the_law_over_single_answers_is_the_exponential_mechanism() -> None:
    """Chi-square on 30,000 draws over sixteen answers; a false alarm is one in 10^6."""
    values, q, epsilon = [-5, -5, 0, 0, 0, 2, 8], Fraction(1, 4), Fraction(1)
    with KeyStream(bytes(31) + b"\x03") as words:
        drawn = [quantile(i64(values), LOW, HIGH, q, epsilon, words) for _ in range(30_000)]
    scores = scores_of(values, q)
    weights = np.exp([float(epsilon) / 2 * scores[v] for v in range(LOW, HIGH + 1)])
    seen = np.bincount(np.array(drawn) - LOW, minlength=weights.size)
    assert stats.chisquare(seen, 30_000 * weights / weights.sum()).pvalue > 1e-6


def test_the_widest_interval_is_taken_whole() -> None:
    """2^62 + 1 answers, with values at both ends."""
    values = i64([-MOST_VALUE, MOST_VALUE])
    parts = pieces(values, -MOST_VALUE, MOST_VALUE, Fraction(1, 2))
    assert list(parts.lengths) == [0, 1, 2 * MOST_VALUE - 1, 1, 0]
    found = quantile(
        values, -MOST_VALUE, MOST_VALUE, Fraction(1, 2), Fraction(1), Given([1 << 63] * 2)
    )
    assert found == 0


@pytest.mark.parametrize(
    ("values", "low", "high", "q", "message"),
    [
        ([1], 3, 2, Fraction(1, 2), "not empty"),
        ([], 0, MOST_VALUE + 1, Fraction(1, 2), "within"),
        ([2, 1], 0, 9, Fraction(1, 2), "sorted"),
        ([-1], 0, 9, Fraction(1, 2), "inside"),
        ([10], 0, 9, Fraction(1, 2), "inside"),
        ([1], 0, 9, Fraction(3, 2), "in .0, 1."),
        ([1], 0, 9, Fraction(-1, 2), "in .0, 1."),
        ([1], 0, 9, Fraction(1, (1 << 20) + 1), "denominator"),
    ],
)
def test_what_is_out_of_range_is_refused(
    values: list[int], low: int, high: int, q: Fraction, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        pieces(i64(values), low, high, q)


def test_floats_are_refused() -> None:
    with pytest.raises(TypeError, match="Fraction"):
        pieces(i64([1]), 0, 9, 0.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="int64"):
        pieces(np.array([0.5]), 0, 9, Fraction(1, 2))  # type: ignore[arg-type]
