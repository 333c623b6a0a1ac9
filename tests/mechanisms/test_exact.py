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

from privlab.mechanisms.exact import exp_minus, settle
from tests.kernels.twin_gaussian import DROPPED, TIE, limit, reference, twin, z_table

WORDS = st.integers(0, (1 << 64) - 1)
SCALES = [(1, 0), (3, 1), ((1 << 31) + 1, 31), (1 << 32, 0), ((1 << 48) - 1, 3)]


def stream(seed: int) -> list[int]:
    """More words than any tie here needs."""
    draw = np.random.default_rng(seed).integers(0, 1 << 64, 24, dtype=np.uint64)
    return [int(word) for word in draw]


def takes(words: list[int]) -> Callable[[], int]:
    source: Iterator[int] = iter(words)
    return lambda: next(source)


def by_definition(
    trial: tuple[int, int, int], scale: tuple[int, int], later: list[int]
) -> int | None:
    """The outcome of the trial with eight more words of U, of x and of A."""
    numbers = [trial[0] >> 1, trial[1], trial[2]]
    for at in range(0, len(later), 3):
        numbers = [(n << 64) | word for n, word in zip(numbers, later[at : at + 3], strict=True)]
    u, x, a = ((n, bits + 64 * 8) for n, bits in zip(numbers, (63, 64, 64), strict=True))
    outcome = reference(u, x, a, *scale)
    assert outcome != TIE
    if outcome == DROPPED:
        return None
    assert isinstance(outcome, int)
    return -outcome if trial[0] & 1 else outcome


def table_ties() -> Iterator[tuple[int, int, int]]:
    for k, entry in enumerate(z_table()):
        yield 2 * entry + k % 2, 1 << (k + 20), 5


def limit_ties() -> Iterator[tuple[int, int, int]]:
    for z, x in itertools.product((0, 1, 4, 9), (0, 1, 1 << 40, 0xDEADBEEFCAFEF00D, (1 << 64) - 1)):
        u = (z_table()[z - 1] if z else 0) + 12_345
        for off in (-64, -20, -3, 0, 3, 20, 64):
            if 0 <= limit(z, x) + off < 1 << 64:
                yield 2 * u + 1, x, limit(z, x) + off


def rounding_ties(scale: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    """x whose further bits decide between two neighbouring integers."""
    multiplier, shift = scale
    for z in (0, 2, 5):
        u = (z_table()[z - 1] if z else 0) + 77
        first = multiplier * z >> shift
        for target in range(first, first + 4):
            # multiplier (z 2^64 + x) < (2 target + 1) 2^(63 + shift) <= multiplier (z 2^64 + x + 1)
            if ((2 * target + 1) << (63 + shift)) % multiplier == 0:
                continue  # the boundary is the end of an interval of x: no tie
            x = -((-(2 * target + 1) << (63 + shift)) // multiplier) - 1 - (z << 64)
            if 0 <= x < 1 << 64:
                yield 2 * u, x, 3


def check(trials: Iterator[tuple[int, int, int]], scale: tuple[int, int]) -> int:
    """Every trial is a tie, and is settled as by definition; how many there were."""
    count = 0
    for seed, trial in enumerate(trials):
        later = stream(seed)
        assert twin(trial, *scale) == TIE
        assert settle(trial, *scale, takes(later)) == by_definition(trial, scale, later)
        count += 1
    return count


@pytest.mark.parametrize("scale", SCALES)
def test_ties_of_the_table_are_settled_as_by_definition(scale: tuple[int, int]) -> None:
    """U equal to an entry: the next words say on which side it lies."""
    assert check(table_ties(), scale) == 27


def test_ties_of_the_limit_are_settled_as_by_definition() -> None:
    """A within 64 ulps of the limit, and on it."""
    assert check(limit_ties(), (3, 1)) > 100


@pytest.mark.parametrize(
    "scale", [(3, 1), ((1 << 31) + 1, 31), ((1 << 32) - 1, 3), ((1 << 48) - 1, 46)]
)
def test_ties_of_rounding_are_settled_as_by_definition(scale: tuple[int, int]) -> None:
    """x just below a rounding boundary."""
    assert check(rounding_ties(scale), scale) >= 3


def test_the_last_entry_leads_beyond_the_table() -> None:
    """The tail is not cut off: with two words of ones to follow, z is far larger than 26."""
    ones = (1 << 64) - 1
    later = takes([ones, 0, 0] * 2 + [0, 0, 0])
    size = settle((ones - 1, 0, 0), 1, 0, later)
    assert size is not None
    assert size > 26


@given(st.tuples(WORDS, WORDS, WORDS), st.sampled_from(SCALES))
def test_where_the_words_decide_no_further_word_is_drawn(
    trial: tuple[int, int, int], scale: tuple[int, int]
) -> None:
    """And the outcome is the kernel's."""
    outcome = twin(trial, *scale)
    if outcome != TIE:
        expected = None if outcome == DROPPED else outcome
        assert settle(trial, *scale, takes([])) == expected


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
