"""The compiled coins against their twin, their definition and their proved band."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from privlab.kernels import flip as kernel
from privlab.mechanisms.choose import base_two_rate
from tests.kernels.test_choose import EDGES, EPSILONS, LEAST, MOST, TOP
from tests.kernels.test_compiled import BANNED
from tests.kernels.twin_flip import HEADS, OPEN, TAILS, chance, reference, twin

Kernel = Callable[..., Any]
GAPS = [0, 1, 2, 3, 7, 40, 88, 89, 1000, 1 << 20, 1 << 40, (1 << 63) + 5, TOP]


def coins(
    scores: list[int], epsilon: Fraction, words: list[int], flip: Kernel = kernel.flip_coins
) -> list[int]:
    rate, shift = base_two_rate(epsilon)
    found = np.full(len(scores), 77, np.uint8)
    flip(
        np.array(scores, np.int64),
        np.uint64(rate),
        np.uint64(shift),
        np.array(words, np.uint64),
        found,
    )
    return [int(one) for one in found]


def words_about(gap: int, epsilon: Fraction) -> list[int]:
    """Where a slip of one in the band, or of more in the chance, would show."""
    about = chance(gap, *base_two_rate(epsilon))
    near = [about + off for off in (-257, -256, -255, -1, 0, 1, 255, 256, 257)]
    return [word for word in (*near, *EDGES) if 0 <= word <= TOP]


@pytest.mark.parametrize("epsilon", EPSILONS, ids=str)
def test_the_twin_agrees_word_for_word(epsilon: Fraction) -> None:
    """As the kernel is compiled."""
    check_twin(epsilon, kernel.flip_coins)


@pytest.mark.parametrize("epsilon", EPSILONS, ids=str)
def test_what_the_kernel_decides_is_what_infinitely_many_bits_would_give(epsilon: Fraction) -> None:
    """As the kernel is compiled."""
    check_definition(epsilon, kernel.flip_coins)


def check_twin(epsilon: Fraction, flip_coins: Kernel) -> None:
    """At every edge of the band, for gaps from none to the widest there is."""
    for gap in GAPS:
        words = words_about(gap, epsilon)
        scores = [MOST - gap] * len(words)
        found = coins([MOST, *scores], epsilon, [0, *words], flip_coins)[1:]
        assert found == [twin(gap, *base_two_rate(epsilon), word) for word in words]


def check_definition(epsilon: Fraction, flip_coins: Kernel) -> None:
    """Heads and tails are those of the definition, whatever follows the word."""
    for gap in GAPS:
        words = words_about(gap, epsilon)
        found = coins([MOST, *[MOST - gap] * len(words)], epsilon, [0, *words], flip_coins)[1:]
        for word, coin in zip(words, found, strict=True):
            assert coin in (OPEN, reference(gap, epsilon, word))


@given(st.integers(0, 1 << 50), st.sampled_from(EPSILONS))
def test_chances_are_within_their_proved_error(gap: int, epsilon: Fraction) -> None:
    """113 of 2^64."""
    with ctx.workprec(400):
        half = arb(fmpq(epsilon.numerator, 2 * epsilon.denominator))
        exact = (-half * gap).exp() * 2**64
        assert abs(arb(chance(gap, *base_two_rate(epsilon))) - exact) <= 113


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(0, TOP)), min_size=1, max_size=9),
    st.integers(LEAST + 9, MOST - 9),
    st.sampled_from(EPSILONS),
)
def test_shifting_all_scores_changes_nothing(
    candidates: list[tuple[int, int]], by: int, epsilon: Fraction
) -> None:
    """Only gaps count, at both ends of 64 bits; and the best never shows tails."""
    scores, words = [one for one, _ in candidates], [word for _, word in candidates]
    found = coins(scores, epsilon, words)
    assert found == coins([score + by for score in scores], epsilon, words)
    assert all(
        coin != TAILS for coin, score in zip(found, scores, strict=True) if score == max(scores)
    )


def test_over_all_words_the_decided_mass_is_at_most_the_exact_mass() -> None:
    """Of every word of 12 bits: heads no more often than the chance, tails no more than the rest."""
    width = 12
    words = [word << (64 - width) for word in range(1 << width)]
    for epsilon in (Fraction(1, 3), Fraction(1), Fraction(22, 7)):
        for gap in range(12):
            found = coins([0, *[-gap] * len(words)], epsilon, [0, *words])[1:]
            with ctx.workprec(200):
                half = arb(fmpq(epsilon.numerator, 2 * epsilon.denominator))
                exact = (-half * gap).exp() * len(words)
                assert found.count(HEADS) - 1 <= exact
                assert found.count(TAILS) - 1 <= len(words) - exact
                assert found.count(OPEN) <= 1


IR = """
from privlab.kernels.flip import flip_coins as kernel
for text in (*kernel.inspect_llvm().values(), *kernel.inspect_asm().values()):
    print(text)
"""


def test_no_floating_point_and_no_division_is_compiled(tmp_path: Path) -> None:
    """Neither the LLVM code nor the machine code holds one such instruction."""
    done = subprocess.run(
        [sys.executable, "-c", IR],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "flip_coins" in done.stdout
    assert len(done.stdout.splitlines()) > 200
    assert BANNED.findall(done.stdout) == []


@pytest.mark.slow
def test_time_does_not_depend_on_the_coins() -> None:
    """Medians of runs in turn: all heads, all tails, and both."""
    size = 20_000
    rate, shift = (np.uint64(one) for one in base_two_rate(Fraction(1)))
    flat, steep = np.zeros(size, np.int64), -np.arange(size, dtype=np.int64)
    low, high = np.zeros(size, np.uint64), np.full(size, TOP, np.uint64)
    out = np.empty(size, np.uint8)
    cases = [(flat, low), (steep, high), (steep, low), (-(steep % 3), high)]
    times: list[list[int]] = [[] for _ in cases]
    for _ in range(300):
        for case, taken in zip(cases, times, strict=True):
            begun = perf_counter_ns()
            kernel.flip_coins(case[0], rate, shift, case[1], out)
            taken.append(perf_counter_ns() - begun)
    medians = [float(np.median(taken)) for taken in times]
    assert max(medians) / min(medians) < 1.1
