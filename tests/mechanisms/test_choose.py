"""Choices: their law, their ties, and what they refuse."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privlab.kernels.choose import TIE as TIED
from privlab.kernels.choose import choose_index
from privlab.mechanisms.choose import (
    base_two_rate,
    choose,
    settle,
    total_length,
    uniform_below,
)
from privlab.mechanisms.entropy import KeyStream
from privlab.terms.events import LEAST_CHOICE_EPSILON, MOST_CHOICE_EPSILON
from tests.kernels.twin_choose import TIE, reference
from tests.mechanisms.given import Given

WORD = 1 << 64
THIRD = WORD // 3
"""Of equal weights the first is chosen below it: the word on the boundary, for three."""

scores_lists = st.lists(st.integers(-60, 60), min_size=1, max_size=8)
epsilons = st.fractions(Fraction(1, 100), 5, max_denominator=100)
words_of_64 = st.integers(0, WORD - 1)


def i64(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


def ties(scores: np.ndarray, lengths: np.ndarray, epsilon: Fraction, word: int) -> bool:
    """Whether the kernel leaves this word open."""
    rate, shift = base_two_rate(epsilon)
    lift = 63 - int(lengths.sum()).bit_length()
    status, _ = choose_index(
        scores,
        lengths.astype(np.uint64),
        *(np.uint64(part) for part in (rate, shift, lift)),
        np.array([word], np.uint64),
        np.empty((scores.size, 2), np.uint64),
    )
    return bool(status == TIED)


def tied_words(scores: list[int], lengths: list[int], epsilon: Fraction) -> list[int]:
    """For each boundary, the word in which it lies: the kernel cannot decide it."""
    there = [i for i, length in enumerate(lengths) if length]
    found = []
    for i in there[:-1]:
        low, high = 0, WORD
        while low < high:  # the first word that is not surely up to i
            middle = (low + high) // 2
            outcome = reference(scores, lengths, epsilon, (middle, 64))
            if outcome != TIE and int(outcome) <= i:
                low = middle + 1
            else:
                high = middle
        found.append(min(low, WORD - 1))
    return found


@pytest.mark.parametrize("epsilon", [Fraction(1, 7), Fraction(1), Fraction(19, 2)], ids=str)
def test_ties_are_settled_as_the_definition_says(epsilon: Fraction) -> None:
    """Forced on every boundary, with any second word, against 512-bit whole numbers."""
    draw = np.random.default_rng(17)
    settled = set()
    for _ in range(12):
        scores = [int(score) for score in draw.integers(-9, 9, 6)]
        lengths = [int(length) for length in draw.integers(0, 50, 6)]
        lengths[0] += 1
        for word in tied_words(scores, lengths, epsilon):
            assert ties(i64(scores), i64(lengths), epsilon, word)
            for second in (0, 1, WORD // 2, WORD - 1, int(draw.integers(0, WORD, dtype=np.uint64))):
                chosen = choose(i64(scores), epsilon, Given([word, second, 5]), i64(lengths))
                exact = reference(scores, lengths, epsilon, (word * WORD + second, 128))
                if exact == TIE:
                    exact = reference(
                        scores, lengths, epsilon, ((word * WORD + second) * WORD + 5, 192), 700
                    )
                assert chosen == exact
                settled.add(chosen)
    assert len(settled) > 3


def test_a_tie_takes_as_many_words_as_it_needs() -> None:
    """One third has the binary digits 0101...: every word of them leaves it open."""
    scores, lengths = i64([3, 3, 3]), i64([1, 1, 1])
    for depth in range(1, 6):
        string = [THIRD] * depth
        assert choose(scores, Fraction(1), Given([*string, THIRD - 1]), lengths) == 0
        assert choose(scores, Fraction(1), Given([*string, THIRD + 1]), lengths) == 1


@given(scores_lists, epsilons, words_of_64, st.integers(-(1 << 60), 1 << 60))
def test_shifting_all_scores_changes_nothing(
    scores: list[int], epsilon: Fraction, word: int, by: int
) -> None:
    """Only differences count."""
    moved = choose(i64([score + by for score in scores]), epsilon, Given([word, 1, 2]))
    assert moved == choose(i64(scores), epsilon, Given([word, 1, 2]))


@given(st.data(), scores_lists, epsilons, st.integers(1, 99))
def test_permuting_candidates_permutes_outcomes(
    data: st.DataObject, scores: list[int], epsilon: Fraction, percent: int
) -> None:
    """A word at some place within a candidate's part goes to the same place of that part."""
    order = data.draw(st.permutations(range(len(scores))))
    weights = [np.exp(float(epsilon) / 2 * (score - max(scores))) for score in scores]
    moved = [scores[i] for i in order]
    for i, weight in enumerate(weights):
        share = weight / sum(weights)
        if share < 1e-9:
            continue
        before = sum(weights[:i]) / sum(weights)
        moved_before = sum(weights[j] for j in order[: order.index(i)]) / sum(weights)
        there = int((before + share * percent / 100) * WORD)
        moved_there = int((moved_before + share * percent / 100) * WORD)
        assert choose(i64(scores), epsilon, Given([there])) == i
        assert order[choose(i64(moved), epsilon, Given([moved_there]))] == i


@given(scores_lists, st.data(), epsilons)
def test_the_ratio_of_two_choices_stays_in_a_range_of_epsilon(
    scores: list[int], data: st.DataObject, epsilon: Fraction
) -> None:
    """Scores that move by at most one each: the log ratios are within epsilon of each other."""
    moved = [score + data.draw(st.integers(-1, 1)) for score in scores]
    half = float(epsilon) / 2
    logs = [
        half * (one - other)
        - np.logaddexp.reduce(half * i64(scores))
        + np.logaddexp.reduce(half * i64(moved))
        for one, other in zip(scores, moved, strict=True)
    ]
    assert max(logs) - min(logs) <= float(epsilon) + 1e-9
    assert max(map(abs, logs)) <= float(epsilon) + 1e-9


@given(words_of_64)
def test_scores_far_apart_leave_no_choice(word: int) -> None:
    """But for the words at either end, one in 2^40 of them."""
    if 1 << 24 < word < WORD - (1 << 24):
        assert choose(i64([-(1 << 63), (1 << 63) - 1, 0]), Fraction(1), Given([word])) == 1


def test_candidates_of_no_length_are_never_chosen() -> None:
    """Not on any boundary, and with every tie settled."""
    scores, lengths = [5, 0, 9, 0, 9], [0, 4, 0, 4, 0]
    words = [0, 1, WORD - 1, WORD // 2, WORD // 2 - 1]
    chosen = {choose(i64(scores), Fraction(1), Given([w, w, w]), i64(lengths)) for w in words}
    assert chosen == {1, 3}


def test_one_candidate_is_chosen() -> None:
    assert choose(i64([-7]), Fraction(1), Given([WORD - 1])) == 0


@pytest.mark.parametrize("count", [1000, 1_000_000])
def test_ties_are_rare(count: int) -> None:
    """Fewer than one word in 2^54 per candidate: the doubled band on both sides of each sum."""
    draw = np.random.default_rng(count)
    scores, lengths = draw.integers(-500, 0, count), draw.integers(1, 1 << 20, count)
    sums = np.empty((count, 2), np.uint64)
    rate, shift = base_two_rate(Fraction(1, 100))
    lift = np.uint64(63 - int(lengths.sum()).bit_length())
    word = np.array([1 << 63], np.uint64)
    choose_index(
        scores, lengths.astype(np.uint64), np.uint64(rate), np.uint64(shift), lift, word, sums
    )
    total = (int(sums[-1, 0]) << 64) + int(sums[-1, 1])
    width = 4 * ((total >> 56) + count + 2) + (total >> 64) + 3
    assert Fraction(width * count, total) < Fraction(count, (1 << 54) - (1 << 48))


LAWS: list[tuple[list[int], list[int], Fraction]] = [
    ([0, 0, 0, 0, 0], [1, 1, 1, 1, 1], Fraction(1)),
    ([5, 1, 0, -3, 2, 2], [1, 1, 1, 1, 1, 1], Fraction(2, 3)),
    ([0, -1, -2, -3], [1, 30, 900, 27000], Fraction(7)),
    ([10**9, 10**9 - 1000, 10**9 - 3000], [3, 0, 17], Fraction(1, 997)),
]


def law_p_value(law: tuple[list[int], list[int], Fraction], draws: int, key: int) -> float:
    """Chi-square of so many choices against their weights."""
    scores, lengths, epsilon = law
    best = max(scores)
    weights = np.array(lengths) * np.exp([float(epsilon * (s - best) / 2) for s in scores])
    with KeyStream(key.to_bytes(32, "big")) as words:
        chosen = [choose(i64(scores), epsilon, words, i64(lengths)) for _ in range(draws)]
    seen, expected = np.bincount(chosen, minlength=len(scores)), draws * weights / weights.sum()
    assert not seen[expected == 0].any()
    return float(stats.chisquare(seen[expected > 0], expected[expected > 0]).pvalue)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_law_is_the_exponential_mechanism(
    law: tuple[list[int], list[int], Fraction],
) -> None:
    """Chi-square on 30,000 choices from a recorded key; a false alarm is one in 10^6."""
    assert law_p_value(law, 30_000, 30) > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_law_is_the_exponential_mechanism_at_length(
    law: tuple[list[int], list[int], Fraction],
) -> None:
    """The same on a million."""
    assert law_p_value(law, 1_000_000, 31) > 1e-6


@given(st.integers(1, 1 << 70), words_of_64, words_of_64)
def test_a_whole_number_below_is_the_floor_of_u_times_the_size(
    size: int, first: int, second: int
) -> None:
    """Whatever bits follow those read; no more are read than needed."""
    words = Given([first, second, 0, 0, 0])
    found = uniform_below(size, words)
    read = 5 - len(words.left)
    u = 0
    for word in [first, second, 0, 0, 0][:read]:
        u = u * WORD + word
    assert Fraction(found) <= Fraction(u * size, WORD**read)
    assert Fraction((u + 1) * size, WORD**read) <= found + 1
    if size & (size - 1) == 0 and size <= WORD:
        assert read == 1


def test_there_is_no_whole_number_below_nothing() -> None:
    with pytest.raises(ValueError, match="below 0"):
        uniform_below(0, Given([]))


@given(st.fractions(LEAST_CHOICE_EPSILON, MOST_CHOICE_EPSILON))
def test_the_rate_is_the_nearest_to_base_two(epsilon: Fraction) -> None:
    """In its normal form, within a part in 2^64."""
    rate, shift = base_two_rate(epsilon)
    assert 1 << 63 <= rate < 1 << 64
    assert 1 <= shift <= 127
    ln2 = Fraction(
        "0.693147180559945309417232121458176568075500134360255254120680009493393621969694716"
    )
    exact = epsilon / (2 * ln2) * (1 << shift)
    assert abs(rate - exact) <= Fraction(1, 2) + Fraction(1, 1 << 60)


@given(st.lists(st.integers(0, 1 << 55), min_size=1, max_size=30).filter(any))
def test_lengths_are_added_exactly(lengths: list[int]) -> None:
    assert total_length(i64(lengths), len(lengths)) == sum(lengths)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([1, 2], "3 lengths"),
        ([1, -1, 1], "not negative"),
        ([0, 0, 0], "add up"),
        ([1 << 62, 1 << 62, 1 << 62], "add up"),
    ],
)
def test_lengths_out_of_range_are_refused(lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose(i64([1, 2, 3]), Fraction(1), Given([]), i64(lengths))


@pytest.mark.parametrize(
    "epsilon",
    [Fraction(0), Fraction(-1), LEAST_CHOICE_EPSILON / 2, MOST_CHOICE_EPSILON + 1],
    ids=str,
)
def test_epsilons_out_of_range_are_refused(epsilon: Fraction) -> None:
    with pytest.raises(ValueError, match="epsilon"):
        choose(i64([1]), epsilon, Given([]))


def test_floats_are_refused() -> None:
    with pytest.raises(TypeError, match="Fraction"):
        choose(i64([1]), 0.5, Given([]))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="int64"):
        choose(np.array([0.5]), Fraction(1), Given([]))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="int64"):
        choose(i64([1]), Fraction(1), Given([]), np.array([0.5]))  # type: ignore[arg-type]


def test_no_candidate_is_no_choice() -> None:
    with pytest.raises(ValueError, match="candidates"):
        choose(i64([]), Fraction(1), Given([]))


def test_a_large_tie_is_settled_in_seconds() -> None:
    """100,000 candidates with as many scores, on a boundary."""
    scores = np.arange(100_000, dtype=np.int64)
    lengths = np.ones(scores.size, np.int64)
    assert 0 <= settle(scores, lengths, Fraction(1, 1000), WORD - 1, lambda: 5) < scores.size
