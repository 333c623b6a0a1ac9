"""The sentence about the attack equals the numbers, rounded against us."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from privlab.accounting.words import attack_words, found, found_words
from privlab.terms.loss import NOTHING, UNITS_PER_ONE, Currency, Loss

LOSSES = st.integers(1, 60 * UNITS_PER_ONE).map(Loss)


def exact(loss: Loss, currency: Currency) -> float:
    """By other means: scipy, and the corners of randomized response."""
    amount = float(loss.amount)
    if currency is Currency.GDP:
        return float(stats.norm.cdf(stats.norm.ppf(0.01) + math.sqrt(amount)))
    return min(math.exp(amount) * 0.01, 1 - math.exp(-amount) * 0.99)


@given(LOSSES, st.sampled_from(list(Currency)))
def test_what_is_said_is_no_less_than_what_is_true(loss: Loss, currency: Currency) -> None:
    """By less than one in a thousand more."""
    said = found(loss, currency)
    assert -1e-12 < said - Fraction(exact(loss, currency)) < 0.001 + 1e-12
    assert (1000 * said).denominator == 1
    assert f"finds {float(100 * said):g} in 100 while" in attack_words(loss, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("1/16", Currency.GDP, "1.9 in 100"),
        ("1/4", Currency.GDP, "3.4 in 100"),
        ("1", Currency.GDP, "9.3 in 100"),
        ("4", Currency.GDP, "37.3 in 100"),
        ("1", Currency.PURE, "2.8 in 100"),
        ("5", Currency.PURE, "99.4 in 100"),
        ("400", Currency.GDP, "100 in 100"),
    ],
)
def test_the_sentences_we_print(amount: str, currency: Currency, words: str) -> None:
    """In both currencies."""
    loss = Loss.charge(Fraction(amount))
    assert found_words(loss, currency) == words
    assert attack_words(loss, currency) == (
        f"the best attack on one person finds {words} while falsely naming 1 in 100 of the others"
    )


@pytest.mark.parametrize("currency", list(Currency))
def test_without_loss_it_finds_as_many_as_it_falsely_names(currency: Currency) -> None:
    """It guesses; and the smallest loss is already said to be more."""
    assert found_words(NOTHING, currency) == "1 in 100"
    assert found_words(Loss(1), currency) == "1.1 in 100"


@given(LOSSES, LOSSES, st.sampled_from(list(Currency)))
def test_more_loss_is_never_said_to_find_fewer(one: Loss, more: Loss, currency: Currency) -> None:
    """Monotone."""
    assert found(one, currency) <= found(one + more, currency)


@pytest.mark.parametrize("currency", list(Currency))
def test_a_loss_out_of_all_proportion_finds_everybody(currency: Currency) -> None:
    """No overflow on the way."""
    assert found(Loss(UNITS_PER_ONE << 40), currency) == 1
