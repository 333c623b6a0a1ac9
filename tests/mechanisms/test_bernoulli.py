"""Yes with probability p, exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privlab.mechanisms.bernoulli import bernoulli, bernoulli_around
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.intervals import down, up
from tests.mechanisms.given import Given

WORD = 1 << 64
words_of_64 = st.integers(0, WORD - 1)


@given(st.fractions(0, 1), words_of_64, words_of_64)
def test_the_answer_is_whether_u_is_below_p(p: Fraction, first: int, second: int) -> None:
    """Whatever bits follow those that were read."""
    words = Given([first, second])
    answer = bernoulli(p, words)
    read = 2 - len(words.left)
    u, unit = (first, WORD) if read == 1 else (first * WORD + second, WORD**2)
    assert answer == (Fraction(u + 1, unit) <= p)
    assert answer != (Fraction(u, unit) >= p)


@given(st.integers(1, WORD - 1), st.integers(1, WORD - 1), words_of_64)
def test_further_words_are_read_only_where_one_leaves_it_open(
    numerator: int, rest: int, second: int
) -> None:
    """At p = a 2^-64 + b 2^-128 the word a is open, a - 1 and a + 1 are not."""
    p = Fraction(numerator * WORD + rest, WORD**2)
    assert bernoulli(p, Given([numerator - 1]))
    assert bernoulli(p, Given([numerator, second])) == (second < rest)
    if numerator + 1 < WORD:
        assert not bernoulli(p, Given([numerator + 1]))


@pytest.mark.parametrize(("p", "answer"), [(0, False), (1, True)])
def test_certain_answers_take_one_word_too(p: int, answer: bool) -> None:
    """So the words used do not tell which it was."""
    for word in (0, 1, WORD - 1):
        words = Given([word])
        assert bernoulli(p, words) is answer
        assert words.left == []


def test_a_binary_fraction_needs_no_more_words_than_it_has() -> None:
    """p = 5/8, decided by the first word on every boundary."""
    assert bernoulli(Fraction(5, 8), Given([5 * (WORD // 8) - 1]))
    assert not bernoulli(Fraction(5, 8), Given([5 * (WORD // 8)]))


def around_one_over_e(bits: int) -> tuple[int, int]:
    with ctx.workprec(bits + 20):
        power = (-arb(1)).exp()
        return int(down(power, bits) * (1 << bits)), int(up(power, bits) * (1 << bits))


def test_a_number_known_by_intervals_is_compared_as_far_as_needed() -> None:
    """1/e: its own leading words are open, the one beside them decides."""
    low, _ = around_one_over_e(192)
    first, second, third = low >> 128, (low >> 64) % WORD, low % WORD
    assert bernoulli_around(around_one_over_e, Given([first, second, third - 1]))
    assert not bernoulli_around(around_one_over_e, Given([first, second, third + 1]))
    assert bernoulli_around(around_one_over_e, Given([first - 1]))


@pytest.mark.parametrize("p", [Fraction(1, 1000), Fraction(1, 3), Fraction(999, 1000)])
def test_its_frequency_is_p(p: Fraction) -> None:
    """Binomial test over 40,000 from a recorded key; a false alarm is one in 10^6."""
    words = KeyStream(bytes(31) + b"\x07")
    yes = sum(bernoulli(p, words) for _ in range(40_000))
    assert stats.binomtest(yes, 40_000, float(p)).pvalue > 1e-6


@pytest.mark.parametrize("p", [Fraction(-1, 2), Fraction(3, 2), 2])
def test_what_is_no_probability_is_refused(p: Fraction) -> None:
    with pytest.raises(ValueError, match="probability"):
        bernoulli(p, Given([]))


def test_floats_are_refused() -> None:
    with pytest.raises(TypeError, match="Fraction"):
        bernoulli(0.5, Given([]))  # type: ignore[arg-type]


def test_ends_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="wrong way round"):
        bernoulli_around(lambda bits: (3, 2), Given([1]))
