"""Ties, settled: against 512 bits from the definition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from flint import arb, ctx, fmpz
from hypothesis import given
from hypothesis import strategies as st

from privlab.mechanisms.exact import _weights, exp_minus, settle
from tests.kernels.trials import CASES, HALF, Case, Words, packed, rounding_edge
from tests.kernels.twin_trial import DROPPED, TIE, Outcome, reference, strings, table, twin

WORDS = st.integers(0, (1 << 64) - 1)
SCALES = [(1, 0), (3, 1), ((1 << 31) + 1, 31), (1 << 32, 0), ((1 << 48) - 1, 3)]

every_law = pytest.mark.parametrize("case", CASES, ids=repr)


def stream(seed: int) -> list[int]:
    """More words than any tie here needs."""
    draw = np.random.default_rng(seed).integers(0, 1 << 64, 24, dtype=np.uint64)
    return [int(word) for word in draw]


def takes(words: list[int]) -> Callable[[], int]:
    source: Iterator[int] = iter(words)
    return lambda: next(source)


def settled(case: Case, words: Words, scale: tuple[int, int], more: list[int]) -> Outcome:
    drawn = settle(words, case.sampler.law, *scale, takes(more))
    return DROPPED if drawn is None else drawn


def by_definition(case: Case, words: Words, scale: tuple[int, int], more: list[int]) -> Outcome:
    """The outcome of the trial with eight more words of U, of x and of A: over 512 bits each."""
    outcome = reference(*strings(words, more), words[0] >> 32 & 1, case.law, scale)
    assert outcome != TIE
    return outcome


def inside(case: Case, whole: int) -> int:
    """A U that means this k and is far from every entry."""
    entries = table(case.law)
    least = entries[whole - 1] if whole else 0
    return (least + entries[whole]) // 2


def table_ties(case: Case) -> Iterator[Words]:
    """U equal to each entry; of the words that go on, half are above it and half below."""
    for k, entry in enumerate(table(case.law)):
        yield packed(entry, k % 2, 1 << (k % 40 + 20), 5)


def limit_ties(case: Case) -> Iterator[Words]:
    """A within the band of the chance, and on it."""
    for whole, x in itertools.product(
        (0, 1, 4, 9), (0, 1, 1 << 40, 0xDEADBEEFCAFEF00D, (1 << 64) - 1)
    ):
        chance = case.law.chance(whole, x, 64)
        for off in (-68, -20, -3, -2, -1, 0, 1, 3, 20, 63):
            if 0 <= chance + off < 1 << 64:
                yield packed(inside(case, whole), off % 2, x, chance + off)


def rounding_ties(case: Case, scale: tuple[int, int]) -> Iterator[Words]:
    """x whose further bits decide between two neighboring integers."""
    for whole in range(12):
        first = scale[0] * whole >> (scale[1] + case.law.step_bits)
        for target in range(first, first + 4):
            x = rounding_edge(case.law, whole, scale, target)
            if x is not None:
                yield packed(inside(case, whole), target % 2, x, 3)


def check(case: Case, trials: Iterator[Words], scale: tuple[int, int]) -> int:
    """Every trial is a tie, and is settled as by definition; how many outcomes there were."""
    count = 0
    for seed, words in enumerate(trials):
        more = stream(seed)
        assert twin(words, case.law, *scale) == (TIE, 3)
        assert settled(case, words, scale, more) == by_definition(case, words, scale, more)
        count += 1
    return count


@every_law
@pytest.mark.parametrize("scale", SCALES)
def test_ties_of_the_table_are_settled_as_by_definition(case: Case, scale: tuple[int, int]) -> None:
    """U equal to an entry: the next words say on which side it lies."""
    assert check(case, table_ties(case), scale) == len(case.table)


@every_law
def test_ties_of_the_limit_are_settled_as_by_definition(case: Case) -> None:
    """A within the band of the chance: the next words of x and A decide."""
    assert check(case, limit_ties(case), (3, 1)) > 150


@every_law
@pytest.mark.parametrize(
    "scale", [(3, 1), ((1 << 31) + 1, 31), ((1 << 32) - 1, 3), ((1 << 48) - 1, 45)]
)
def test_ties_of_rounding_are_settled_as_by_definition(case: Case, scale: tuple[int, int]) -> None:
    """x just below a boundary of rounding."""
    assert check(case, rounding_ties(case, scale), scale) >= 3


@every_law
def test_a_tie_falls_on_both_sides_of_its_comparison(case: Case) -> None:
    """The words that go on matter: all zeros and all ones give different outcomes."""
    ones = [(1 << 64) - 1] * 24
    words = packed(table(case.law)[2], 0, 1 << 62, 0)
    assert settled(case, words, (64, 0), [0] * 24) != settled(case, words, (64, 0), ones)
    words = packed(inside(case, 1), 0, 1 << 62, case.law.chance(1, 1 << 62, 64))
    for low, high in itertools.pairwise(range(words[2] - 60, words[2] + 60)):
        outcomes = [settled(case, (*words[:2], w2), (64, 0), stream(9)) for w2 in (low, high)]
        if outcomes[1] == DROPPED:
            assert outcomes[0] != DROPPED
            break
    else:
        pytest.fail("A crosses the chance nowhere in its band")


@every_law
def test_the_last_entry_leads_beyond_the_table(case: Case) -> None:
    """The tail is not cut off: with two words of ones to follow, k is far larger than it."""
    ones = (1 << 64) - 1
    more = [ones, 0, 0] * 2 + [0, 0, 0]
    size = settle(packed((1 << 63) - 1, 0, 0, 0), case.sampler.law, 4, 0, takes(more))
    assert size is not None
    assert size > 4 * len(case.table) / 2**case.law.step_bits


def test_a_negative_zero_is_dropped_by_the_discrete_law_alone() -> None:
    """As in the kernel, also where the trial was a tie."""
    for case in CASES:
        words = packed(table(case.law)[0], 1, 0, 0)
        drawn = settle(words, case.sampler.law, 1, 40, takes([0] * 24))
        assert drawn == (0 if case.law.rounded else None)


@every_law
@given(words=st.tuples(WORDS, WORDS, WORDS), scale=st.sampled_from(SCALES))
def test_where_the_words_decide_no_further_word_is_drawn(
    case: Case, words: Words, scale: tuple[int, int]
) -> None:
    """And the outcome is the kernel's, whether two words decided or three."""
    outcome, _ = twin(words, case.law, *scale)
    if outcome != TIE:
        assert settled(case, words, scale, []) == outcome


@every_law
def test_halves_that_do_not_decide_are_settled_by_three_words(case: Case) -> None:
    """U and A equal to an entry and a chance in their first halves only."""
    entry = table(case.law)[1]
    undecided = packed(entry // HALF * HALF + (entry + HALF // 2) % HALF, 0, 1 << 62, 7)
    outcome, used = twin(undecided, case.law, 3, 1)
    assert used == 3
    assert settled(case, undecided, (3, 1), []) == outcome != TIE


@given(st.integers(0, 1 << 70), st.integers(0, 66), st.integers(1, 400))
def test_exp_minus_brackets_the_exponential_tightly(number: int, scale: int, bits: int) -> None:
    """Between its ends, which are at most three apart."""
    number %= 300 << scale
    low, high = exp_minus(number, scale, bits)
    with ctx.workprec(1000):
        exact = (-arb(fmpz(number)) / fmpz(2) ** scale).exp() * fmpz(2) ** bits
        assert arb(fmpz(low)) <= exact
        assert exact <= arb(fmpz(high))
    assert high - low <= 3


def test_exp_minus_takes_no_growth() -> None:
    """A negative number would be a growing exponential."""
    with pytest.raises(ValueError, match="not positive"):
        exp_minus(-1, 0, 64)
    assert math.isclose(exp_minus(1, 0, 64)[0] / 2**64, math.exp(-1))


@every_law
@pytest.mark.parametrize("bits", [64, 127, 191])
def test_the_weights_left_out_come_to_less_than_two_ulps(case: Case, bits: int) -> None:
    """From the first one left out on each is at most e^-1/2 of the one before."""
    exponent = case.sampler.law.exponent
    kept = len(_weights(exponent, bits))
    with ctx.workprec(2000):
        least, scale = exponent(kept, 0)
        assert all(
            2 * (exponent(k + 1, 0)[0] - exponent(k, 0)[0]) >= 1 << scale
            for k in range(kept, kept + 999)
        )
        assert least << 1 > bits << scale  # so they are beyond 2^-64
        left = sum(
            (-arb(fmpz(exponent(k, 0)[0])) / fmpz(2) ** scale).exp()
            for k in range(kept, kept + 999)
        )
        assert 0 < left * fmpz(2) ** bits < 2


def test_the_gaussian_s_exponent_grows_slowly_at_first() -> None:
    """By half a step only from k = 4 on: what the bound above may assume, and no more."""
    exponent = CASES[0].sampler.law.exponent
    grows = [2 * (exponent(k + 1, 0)[0] - exponent(k, 0)[0]) >> exponent(k, 0)[1] for k in range(9)]
    assert [bool(step) for step in grows] == [False] * 4 + [True] * 5
