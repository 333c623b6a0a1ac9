"""A chosen quantile is as few ranks off as is said, as often as is said."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.accuracy.choice import MOST_RANKS, ranks_off
from privlab.mechanisms.quantile import pieces

ninety_five = Fraction(95)


@given(
    values=st.lists(st.integers(0, 30), min_size=1, max_size=60).map(sorted),
    q=st.fractions(0, 1, max_denominator=20),
    epsilon=st.fractions(Fraction(1, 20), 8, max_denominator=50),
    confidence=st.sampled_from([Fraction(50), Fraction(90), ninety_five, Fraction(99)]),
)
def test_the_law_of_the_choice_is_within_it(
    values: list[int], q: Fraction, epsilon: Fraction, confidence: Fraction
) -> None:
    """Summed over all answers, for any data; the sum has an error of 10^-9 at most."""
    low, high = 0, 30
    parts = pieces(np.array(values, np.int64), low, high, q)
    weights = [
        int(length) * math.exp(float(epsilon) * int(score) / 2)
        for length, score in zip(parts.lengths, parts.scores, strict=True)
    ]
    allowed = ranks_off(q, high - low + 1, epsilon, confidence)
    n = len(values)

    def missed(answer: int) -> Fraction:
        below, above = sum(v < answer for v in values), sum(v > answer for v in values)
        return max(Fraction(0), below - q * n, q * n - (n - above))

    inside = sum(
        weight
        for weight, start, length in zip(weights, parts.starts, parts.lengths, strict=True)
        if length and missed(int(start)) <= allowed
    )
    assert inside / sum(weights) >= float(confidence) / 100 - 1e-9


@pytest.mark.parametrize(
    ("q", "candidates", "epsilon", "ranks"),
    [
        (Fraction(1, 2), 1, Fraction(1), 3),
        (Fraction(1, 2), 61, Fraction(1, 10), 72),
        (Fraction(99, 100), 61, Fraction(1, 10), 142),
        (Fraction(1, 2), 1 << 60, Fraction(1), 45),
    ],
)
def test_it_is_the_stated_formula(
    q: Fraction, candidates: int, epsilon: Fraction, ranks: int
) -> None:
    exact = max(q, 1 - q) * math.ceil(2 / float(epsilon) * math.log(candidates / 0.05))
    assert ranks_off(q, candidates, epsilon, ninety_five) == ranks == math.ceil(exact)


def test_where_nothing_is_promised_it_says_so() -> None:
    assert ranks_off(Fraction(1, 2), 10, Fraction(1, 1 << 70), ninety_five) == MOST_RANKS


@pytest.mark.parametrize("confidence", [Fraction(0), Fraction(100)])
def test_a_confidence_is_a_chance(confidence: Fraction) -> None:
    with pytest.raises(ValueError, match="confidence"):
        ranks_off(Fraction(1, 2), 10, Fraction(1), confidence)
