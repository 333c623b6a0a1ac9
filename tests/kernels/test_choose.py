"""The compiled choice against its twin, its definition and its proved band."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from time import perf_counter, perf_counter_ns
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx, fmpz
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privlab.kernels import choose as kernel
from privlab.mechanisms.choose import base_two_rate
from tests.kernels.twin_choose import TIE, Outcome, power, reference, series, twin, weight

TOP = (1 << 64) - 1
EDGES = [0, 1, 2, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, TOP - 1, TOP]
EPSILONS = [
    Fraction(1, 1 << 40),
    Fraction(1, 1000),
    Fraction(1, 3),
    Fraction(1),
    Fraction(22, 7),
    Fraction(50),
    Fraction(1 << 20),
]
Kernel = Callable[..., Any]
LEAST, MOST = -(1 << 63), (1 << 63) - 1


def lift_of(lengths: list[int]) -> int:
    return 63 - sum(lengths).bit_length()


def run(
    scores: list[int],
    lengths: list[int],
    epsilon: Fraction,
    word: int,
    choose_index: Kernel = kernel.choose_index,
) -> tuple[Outcome, list[int]]:
    """The kernel's outcome, or TIE, and the sums it leaves."""
    rate, shift = base_two_rate(epsilon)
    sums = np.empty((len(scores), 2), np.uint64)
    status, index = choose_index(
        np.array(scores, np.int64),
        np.array(lengths, np.uint64),
        np.uint64(rate),
        np.uint64(shift),
        np.uint64(lift_of(lengths)),
        np.array([word], np.uint64),
        sums,
    )
    return TIE if status == kernel.TIE else int(index), [
        (int(high) << 64) + int(low) for high, low in sums
    ]


def kernel_choice(
    scores: list[int],
    lengths: list[int],
    epsilon: Fraction,
    word: int,
    choose_index: Kernel = kernel.choose_index,
) -> Outcome:
    """The kernel's outcome alone."""
    return run(scores, lengths, epsilon, word, choose_index)[0]


def twin_choice(scores: list[int], lengths: list[int], epsilon: Fraction, word: int) -> Outcome:
    """The twin's outcome."""
    return twin(scores, lengths, *base_two_rate(epsilon), lift_of(lengths), word)


def twin_sums(scores: list[int], lengths: list[int], epsilon: Fraction) -> list[int]:
    """The sums of the twin's weights."""
    rate, shift = base_two_rate(epsilon)
    best = max(score for score, length in zip(scores, lengths, strict=True) if length)
    return list(
        accumulate(
            weight(best - score, length, rate, shift, lift_of(lengths)) if length else 0
            for score, length in zip(scores, lengths, strict=True)
        )
    )


def boundaries(scores: list[int], lengths: list[int], epsilon: Fraction) -> list[int]:
    """Words near which one candidate follows another."""
    sums = twin_sums(scores, lengths, epsilon)
    return [min((upto << 64) // sums[-1], TOP) for upto in sums]


def candidates(draw: np.random.Generator, spread: int) -> tuple[list[int], list[int]]:
    """A few candidates, some of no length; scores within ``spread``, or extreme."""
    count = int(draw.integers(1, 14))
    scores = [int(score) for score in draw.integers(-spread, spread, count, endpoint=True)]
    lengths = [int(length) for length in draw.integers(0, 4, count)]
    if draw.random() < 0.3:
        scores[0], scores[-1] = LEAST, MOST
    if draw.random() < 0.5:
        lengths[int(draw.integers(count))] = 1 << int(draw.integers(0, 62))
    lengths[int(draw.integers(count))] += 1
    return scores, lengths


Close = tuple[list[int], list[int], Fraction, list[int]]
"""Scores, lengths, epsilon and words."""


def many_light(count: int, words: list[int]) -> Close:
    """So many weights just below a whole number: what rounding loses of their sum is as much.

    One of length 2^62 weighs nothing and makes all others light.
    """
    return [-88] * count + [0, -(1 << 40)], [1] * (count + 1) + [1 << 62], Fraction(1), words


def far_but_long(gap: int) -> Close:
    """An exponent of 101 to 115, which a length of 2^61 still makes count."""
    scores, lengths = [-gap, 0, -(1 << 40)], [1 << 61, 1, 1 << 61]
    near = boundaries(scores, lengths, Fraction(1))
    offs = (-2000, -1000, 0, 1000, 2000)
    return scores, lengths, Fraction(1), [min(max(w + d, 0), TOP) for w in near for d in offs]


def beyond_a_word() -> Close:
    """An exponent whose whole part is a multiple of 2^64 and a little: of no weight at all."""
    words = [0, 1, 1 << 20, 1 << 30, 1 << 40, 1 << 43, 1 << 62, TOP]
    return [-1645674364222774508, 0], [5, 5], Fraction(1 << 20), words


def heavy(offs: range) -> Close:
    """Six of length about 2^59: each word moves U total by some 2^62, so carries are common.

    offs: words from a boundary; the band ends 512 before it and 514 after it.
    """
    lengths = [(1 << 59) + k * 0x123456789ABCDEF for k in range(6)]
    near = boundaries([0] * 6, lengths, Fraction(1))[:-1]
    return [0] * 6, lengths, Fraction(1), [at + off for at in near for off in offs]


CLOSE = {
    "3000 light": many_light(3000, [*range(0, 9000, 97), *range(9000, 90_000, 9999)]),
    "300 light": many_light(300, [*range(0, 1600, 97), 5000]),
    **{f"far {gap}": far_but_long(gap) for gap in (*range(141, 160, 3), 159)},
    "beyond a word": beyond_a_word(),
    "heavy": heavy(range(-1200, 1201, 80)),
    "heavy, before": heavy(range(-518, -504)),
    "heavy, after": heavy(range(504, 518)),
}


@pytest.fixture
def choose_index() -> Kernel:
    """The compiled kernel; the mutants of ``test_mutants.py`` bring their own."""
    compiled: Kernel = kernel.choose_index
    return compiled


@pytest.mark.parametrize("name", CLOSE)
def test_twin_and_definition_agree_where_a_slip_would_show(name: str, choose_index: Kernel) -> None:
    """Inputs on which each term of the band, the longest exponents and the carries decide."""
    scores, lengths, epsilon, words = CLOSE[name]
    decided = 0
    for word in words:
        outcome = kernel_choice(scores, lengths, epsilon, word, choose_index)
        assert outcome == twin_choice(scores, lengths, epsilon, word)
        if outcome != TIE:
            decided += 1
            assert outcome == reference(scores, lengths, epsilon, (word, 64))
    assert decided > 0


@pytest.mark.parametrize("epsilon", EPSILONS, ids=str)
def test_the_twin_agrees_word_for_word(epsilon: Fraction, choose_index: Kernel) -> None:
    """On random words, edges, and words about every boundary; ties and choices occur."""
    draw = np.random.default_rng(epsilon.numerator + epsilon.denominator)
    found: list[Outcome] = []
    for spread in (0, 3, 40, 10**6, 1 << 62) * 8:
        scores, lengths = candidates(draw, spread)
        near = boundaries(scores, lengths, epsilon)
        words = [int(word) for word in draw.integers(0, 1 << 64, 12, dtype=np.uint64)] + EDGES
        words += [min(max(at + off, 0), TOP) for at in near for off in (-5000, -1, 0, 1, 5000)]
        for word in words:
            outcome = kernel_choice(scores, lengths, epsilon, word, choose_index)
            assert outcome == twin_choice(scores, lengths, epsilon, word)
            found.append(outcome)
    assert TIE in found
    assert len(set(found)) > 5


@pytest.mark.parametrize("epsilon", EPSILONS, ids=str)
def test_the_sums_are_those_of_the_twin(epsilon: Fraction, choose_index: Kernel) -> None:
    """Also of weights near 2^-128, and of gaps whose exponent has more than 64 bits."""
    draw = np.random.default_rng(12)
    rate, shift = base_two_rate(epsilon)
    bits = (60, 64, 65, 100, 127, 128, 129, (1 << 64) + 9)
    gaps = [-(-(bit << shift) // rate) for bit in bits]  # of a weight of 2^-bit, or just below
    for spread in (0, 1, 50, 1 << 62) * 4:
        scores, lengths = candidates(draw, spread)
        scores += [MOST, *(max(MOST - gap, LEAST) for gap in gaps)]
        lengths += [1] * 7 + [1 << 40] * 2
        sums = run(scores, lengths, epsilon, 1 << 63, choose_index)[1]
        assert sums == twin_sums(scores, lengths, epsilon)


@pytest.mark.parametrize("weighty", [False, True])
def test_the_band_ends_where_the_twin_says(weighty: bool, choose_index: Kernel) -> None:
    """The words on either side of where a sum is surely reached, and surely not."""
    draw = np.random.default_rng(13)
    found = []
    for _ in range(60):
        scores, lengths = candidates(draw, 3)
        if weighty:  # so that U * total moves by about one with each word
            scores, lengths = [0, 0, -1, -(10**9)], [1, 0, 1, 1 << 62]
            scores[2] -= int(draw.integers(0, 9))
        sums = twin_sums(scores, lengths, Fraction(1, 3))
        band = 2 * ((sums[-1] >> 56) + len(sums) + 2)
        for upto in sums:
            for edge in (upto + band, upto - band - (sums[-1] >> 64) - 2):
                for off in range(-3, 4):
                    word = min(max((edge << 64) // sums[-1] + off, 0), TOP)
                    outcome = kernel_choice(scores, lengths, Fraction(1, 3), word, choose_index)
                    assert outcome == twin_choice(scores, lengths, Fraction(1, 3), word)
                    found.append(outcome == TIE)
    assert 0 < sum(found) < len(found)


@pytest.mark.parametrize("epsilon", EPSILONS, ids=str)
def test_what_the_kernel_decides_is_what_infinitely_many_bits_would_give(epsilon: Fraction) -> None:
    """No decision is taken on a word that leaves it open: checked from the definition."""
    draw = np.random.default_rng(5)
    decided = 0
    for spread in (1, 30, 10**4):
        scores, lengths = candidates(draw, spread)
        near = boundaries(scores, lengths, epsilon)
        words = EDGES + [min(max(at + off, 0), TOP) for at in near for off in (-900, 0, 1, 900)]
        for word in words:
            outcome = kernel_choice(scores, lengths, epsilon, word)
            if outcome != TIE:
                decided += 1
                assert outcome == reference(scores, lengths, epsilon, (word, 64))
    assert decided > 20


def last_word(scores: list[int], lengths: list[int], epsilon: Fraction, below: int) -> int:
    """How many words surely give a candidate up to ``below``: they come first."""
    low, high = 0, 1 << 64
    while low < high:
        middle = (low + high) // 2
        outcome = kernel_choice(scores, lengths, epsilon, middle)
        if outcome != TIE and int(outcome) <= below:
            low = middle + 1
        else:
            high = middle
    return low


def first_word(scores: list[int], lengths: list[int], epsilon: Fraction, above: int) -> int:
    """The first word from which on the candidate is surely ``above`` or beyond."""
    low, high = 0, 1 << 64
    while low < high:
        middle = (low + high) // 2
        outcome = kernel_choice(scores, lengths, epsilon, middle)
        if outcome != TIE and int(outcome) >= above:
            high = middle
        else:
            low = middle + 1
    return low


@pytest.mark.parametrize("epsilon", EPSILONS[1:6], ids=str)
def test_over_all_words_the_decided_mass_is_at_most_the_exact_mass(epsilon: Fraction) -> None:
    """And decided with undecided at least: over all 2^64 words, which are in order."""
    draw = np.random.default_rng(8)
    for spread in (2, 25):
        scores, lengths = candidates(draw, spread)
        best = max(score for score, length in zip(scores, lengths, strict=True) if length)
        with ctx.workprec(400):
            half = -arb(fmpz(epsilon.numerator)) / (2 * fmpz(epsilon.denominator))
            weights = [
                length * (half * (best - score)).exp() if length else arb(0)
                for score, length in zip(scores, lengths, strict=True)
            ]
            total = sum(weights, arb(0))
            for i, exact in enumerate(weights):
                begin = first_word(scores, lengths, epsilon, i)
                end = last_word(scores, lengths, epsilon, i)
                before = last_word(scores, lengths, epsilon, i - 1)
                after = first_word(scores, lengths, epsilon, i + 1)
                mass = exact / total * fmpz(2) ** 64
                assert not (mass < max(end - begin, 0))
                assert not (mass > after - before)
                assert after - before - max(end - begin, 0) <= 1 << 12


def test_the_series_is_what_its_definition_says() -> None:
    """Against 400 bits."""
    assert tuple(map(int, kernel.SERIES)) == series()


@given(st.integers(0, TOP) | st.sampled_from(EDGES))
def test_powers_are_within_their_proved_error(fraction: int) -> None:
    """21 units of 2^64 2^-f."""
    found = int(kernel.power(np.uint64(fraction)))
    assert found == power(fraction)
    with ctx.workprec(300):
        exact = arb(2) ** (64 - arb(fmpz(fraction)) / fmpz(2) ** 64)
        assert abs(exact - found) <= 21


@given(
    st.integers(0, 10**6) | st.integers(0, TOP),
    st.integers(1, 1 << 40),
    st.sampled_from(EPSILONS),
)
def test_weights_are_within_their_proved_error(gap: int, length: int, epsilon: Fraction) -> None:
    """A part of 133 / 2^64, and one."""
    rate, shift = base_two_rate(epsilon)
    lift = 63 - length.bit_length()
    found = weight(gap, length, rate, shift, lift)
    with ctx.workprec(400):
        half = -arb(fmpz(epsilon.numerator)) / (2 * fmpz(epsilon.denominator))
        exact = length * (half * fmpz(gap)).exp() * fmpz(2) ** (64 + lift)
        assert abs(exact - found) <= exact * 133 / fmpz(2) ** 64 + 1


def test_a_candidate_of_no_length_is_never_chosen() -> None:
    """Not even the best one, on any boundary, first, last or between."""
    scores, lengths = [9, 9, -1, 9, 0, 9], [0, 3, 0, 0, 2, 0]
    words = [
        *EDGES,
        *(min(w + d, TOP) for w in boundaries(scores, lengths, Fraction(1)) for d in (0, 9)),
    ]
    assert {kernel_choice(scores, lengths, Fraction(1), word) for word in words} == {1, 4, TIE}


@pytest.mark.parametrize("word", EDGES)
def test_one_candidate_is_chosen_by_every_word(word: int) -> None:
    """Without a tie, whatever it scores; and but for words near zero also after one of no length."""
    for score in (LEAST, -1, 0, MOST):
        assert kernel_choice([score], [1], Fraction(1), word) == 0
        assert kernel_choice([score, 3], [1 << 62, 0], Fraction(1), word) == 0
        last = kernel_choice([MOST, score], [0, 1 << 62], Fraction(1), word)
        assert last == (1 if word > 1 << 20 else TIE)


@pytest.mark.parametrize("word", EDGES)
def test_a_score_far_above_all_others_decides(word: int) -> None:
    """Weights of less than one part in 2^127 are lost in the band, and only there."""
    outcome = kernel_choice([LEAST, MOST, LEAST], [1, 1, 1], Fraction(1, 1000), word)
    assert outcome == (1 if 1 << 20 < word < TOP - (1 << 20) else TIE)


def test_a_million_intervals_take_well_under_a_second() -> None:
    """Best of three; measured 0.023 s on the machine this was written on."""
    draw = np.random.default_rng(3)
    scores = draw.integers(-1000, 0, 1_000_000)
    lengths = draw.integers(0, 1 << 40, 1_000_000).astype(np.uint64)
    rate, shift = (np.uint64(part) for part in base_two_rate(Fraction(1, 10)))
    sums = np.empty((scores.size, 2), np.uint64)
    lift = np.uint64(63 - int(lengths.sum()).bit_length())
    times = []
    for word in (1, 1 << 62, TOP):
        start = perf_counter()
        words = np.array([word], np.uint64)
        kernel.choose_index(scores, lengths, rate, shift, lift, words, sums)
        times.append(perf_counter() - start)
    assert min(times) < 0.5


IR = """
from privlab.kernels.choose import choose_index as kernel
for text in (*kernel.inspect_llvm().values(), *kernel.inspect_asm().values()):
    print(text)
"""


def test_no_floating_point_and_no_division_is_compiled(tmp_path: object) -> None:
    """Neither the LLVM IR nor the machine code holds one such instruction."""
    done = subprocess.run(
        [sys.executable, "-c", IR],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "choose_index" in done.stdout
    assert len(done.stdout.splitlines()) > 300
    banned = r"\b(double|float|half|uitofp|sitofp|fptoui|fptosi|fadd|fmul|fdiv|[us]div|[us]rem|i?divq|mulsd|addsd|cvt\w+)\b"
    assert re.findall(banned, done.stdout) == []


def timed_choice(scores: np.ndarray, lengths: np.ndarray, words: np.ndarray) -> tuple[int, int]:
    """Nanoseconds of one choice, and the choice."""
    rate, shift = (np.uint64(part) for part in base_two_rate(Fraction(1, 10)))
    lift = np.uint64(63 - int(lengths.sum()).bit_length())
    sums = np.empty((scores.size, 2), np.uint64)
    start = perf_counter_ns()
    _, index = kernel.choose_index(scores, lengths, rate, shift, lift, words, sums)
    return perf_counter_ns() - start, int(index)


@pytest.mark.slow
def test_the_time_of_a_choice_says_nothing_of_what_is_chosen() -> None:
    """|Spearman(index, time)| < 0.05 over 100,000 choices among 40."""
    draw = np.random.default_rng(4)
    scores = draw.integers(-20, 20, 40)
    lengths = draw.integers(0, 9, 40).astype(np.uint64)
    words = draw.integers(0, 1 << 64, 100_000, dtype=np.uint64)
    timed = [timed_choice(scores, lengths, words[at : at + 1]) for at in range(words.size)]
    assert abs(stats.spearmanr(*zip(*timed, strict=True)).statistic) < 0.05


@pytest.mark.slow
def test_the_time_of_a_choice_says_nothing_of_the_scores() -> None:
    """|Spearman(spread of the scores, time)| < 0.05 over 40,000 choices among 40."""
    draw = np.random.default_rng(6)
    spreads = draw.integers(0, 40, 40_000)
    times = []
    for spread in spreads:
        scores = draw.integers(0, 1 << spread, 40, endpoint=True)
        lengths = draw.integers(0, 9, 40).astype(np.uint64)
        times.append(
            timed_choice(scores, lengths, draw.integers(0, 1 << 64, 1, dtype=np.uint64))[0]
        )
    assert abs(stats.spearmanr(spreads, times).statistic) < 0.05
