"""Permute-and-flip: exact, and no ratio of two choices beyond epsilon."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.flip import MOST_FLIPS, flip, settle
from privlab.mechanisms.intervals import interval
from tests.mechanisms.given import Given

TOP = (1 << 64) - 1
score_lists = st.lists(st.integers(-8, 0), min_size=1, max_size=5)
epsilons = st.sampled_from([Fraction(1, 10), Fraction(1), Fraction(22, 7), Fraction(20)])


def i64(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


def law(scores: list[int], epsilon: Fraction) -> list[arb]:
    """Of each candidate, summed over all ways the coins may fall."""
    with ctx.workprec(200):
        best = max(scores)
        heads = [(-interval(epsilon / 2 * (best - one))).exp() for one in scores]
        found = [arb(0) for _ in scores]
        for fall in itertools.product((False, True), repeat=len(scores)):
            chance = arb(1)
            for coin, one in zip(fall, heads, strict=True):
                chance *= one if coin else 1 - one
            for at in (at for at, coin in enumerate(fall) if coin):
                found[at] += chance / sum(fall)
        return found


def permuted(scores: list[int], epsilon: Fraction) -> list[float]:
    """The law by its first definition: in a random order, flip until heads."""
    found = [0.0] * len(scores)
    orders = list(itertools.permutations(range(len(scores))))
    for order in orders:
        left = 1 / len(orders)
        for at in order:
            heads = math.exp(-float(epsilon) / 2 * (max(scores) - scores[at]))
            found[at] += left * heads
            left *= 1 - heads
    return found


@given(score_lists, epsilons)
def test_any_of_the_heads_is_the_first_heads_of_a_random_order(
    scores: list[int], epsilon: Fraction
) -> None:
    """The two definitions have one law."""
    for one, other in zip(law(scores, epsilon), permuted(scores, epsilon), strict=True):
        assert float(one) == pytest.approx(other, abs=1e-9)


@given(score_lists, st.data(), epsilons)
def test_no_ratio_of_two_choices_is_beyond_epsilon(
    scores: list[int], data: st.DataObject, epsilon: Fraction
) -> None:
    """For all scores that differ by one at most."""
    moved = [score + data.draw(st.integers(-1, 1)) for score in scores]
    with ctx.workprec(200):
        most = interval(epsilon).exp() * (1 + arb(2) ** -100)
        for one, other in zip(law(scores, epsilon), law(moved, epsilon), strict=True):
            assert one <= most * other


@given(score_lists, st.data(), epsilons)
def test_where_all_scores_move_one_way_it_is_half_of_that(
    scores: list[int], data: st.DataObject, epsilon: Fraction
) -> None:
    """Up by one at most, or down: what `thinned` asks first has such scores."""
    moved = [score + data.draw(st.integers(0, 1)) for score in scores]
    with ctx.workprec(200):
        most = interval(epsilon / 2).exp() * (1 + arb(2) ** -100)
        for one, other in zip(law(scores, epsilon), law(moved, epsilon), strict=True):
            assert one <= most * other
            assert other <= most * one


@given(score_lists, epsilons)
def test_its_score_is_never_below_that_of_the_exponential_mechanism(
    scores: list[int], epsilon: Fraction
) -> None:
    """In expectation (McKenna, Sheldon 2020, Theorem 2)."""
    weights = [math.exp(float(epsilon) / 2 * (score - max(scores))) for score in scores]
    theirs = sum(w * s for w, s in zip(weights, scores, strict=True)) / sum(weights)
    ours = sum(float(p) * s for p, s in zip(law(scores, epsilon), scores, strict=True))
    assert ours >= theirs - 1e-9


def counts_follow(scores: list[int], epsilon: Fraction, draws: int) -> float:
    """The p-value of a chi-square test of so many draws."""
    words = KeyStream(bytes(range(32)))
    found = Counter(flip(i64(scores), epsilon, words) for _ in range(draws))
    expected = [float(p) * draws for p in law(scores, epsilon)]
    return float(stats.chisquare([found[at] for at in range(len(scores))], expected).pvalue)


def test_draws_follow_the_law() -> None:
    """2,000 draws."""
    assert counts_follow([0, -1, -1, -3, -4], Fraction(1), 2_000) > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [Fraction(1, 3), Fraction(1), Fraction(3)], ids=str)
@pytest.mark.parametrize("scores", [[0, 0, 0], [0, -1], [-2, 0, -1, -1, -5, -3]], ids=str)
def test_draws_follow_the_law_at_length(scores: list[int], epsilon: Fraction) -> None:
    """200,000 draws."""
    assert counts_follow(scores, epsilon, 200_000) > 1e-4


@pytest.mark.parametrize(
    ("word", "shown"), [(0, True), (TOP, False), (11161955687130837, True)], ids=str
)
def test_a_coin_is_settled_on_its_first_word_where_that_decides(word: int, shown: bool) -> None:
    """No further word is asked for."""

    def more() -> int:
        raise AssertionError("a further word")

    assert settle(Fraction(1, 2), word, more) is shown


@given(st.fractions(0, 40, max_denominator=1000), st.integers(0, TOP))
def test_an_open_coin_takes_as_many_words_as_it_needs(gap: Fraction, second: int) -> None:
    """Whose first word is exactly that of the chance."""
    with ctx.workprec(400):
        exact = (-interval(gap)).exp()
        chance = int((exact * arb(2) ** 128).floor().unique_fmpz())
    first, then = divmod(chance, 1 << 64)
    if first == 1 << 64:
        assert settle(gap, TOP, lambda: second)
    elif abs(second - then) > 1:
        assert settle(gap, first, lambda: second) is (second < then)


def test_an_open_word_is_settled_inside_a_flip() -> None:
    """The word of the chance itself, then one that is below what follows it, and one for which heads."""
    with ctx.workprec(400):
        chance = int(((-interval(Fraction(1, 2))).exp() * arb(2) ** 64).floor().unique_fmpz())
    assert flip(i64([0, -1]), Fraction(1), Given([0, chance, 0, TOP])) == 1
    assert flip(i64([0, -1]), Fraction(1), Given([0, chance, TOP, TOP])) == 0


@pytest.mark.parametrize(
    ("scores", "epsilon", "error"),
    [
        (np.zeros(2, np.int32), Fraction(1), TypeError),
        (np.zeros((2, 2), np.int64), Fraction(1), TypeError),
        (np.zeros(0, np.int64), Fraction(1), ValueError),
        (np.zeros(MOST_FLIPS + 1, np.int64), Fraction(1), ValueError),
        (np.zeros(2, np.int64), 0.5, TypeError),
        (np.zeros(2, np.int64), Fraction(1, 1 << 41), ValueError),
        (np.zeros(2, np.int64), Fraction((1 << 20) + 1), ValueError),
    ],
)
def test_what_is_out_of_range_is_refused(
    scores: np.ndarray, epsilon: Fraction, error: type[Exception]
) -> None:
    """Before a word is taken."""
    with pytest.raises(error):
        flip(scores, epsilon, Given([]))
