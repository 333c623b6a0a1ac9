"""Ready budgets."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.accounting import gdp, pure
from privlab.accounting.levels import LEVELS, level, plan
from privlab.accounting.words import attack_words
from privlab.errors import BadQuery
from privlab.terms.loss import UNITS_PER_ONE, Currency, Loss

NAMES = [chosen.name for chosen in LEVELS]


@given(
    st.sampled_from(NAMES),
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.sampled_from(list(Currency)),
)
def test_parts_never_add_up_to_more_than_the_cap(
    name: str, analysts: int, questions: int, currency: Currency
) -> None:
    """Whoever colludes, the dataset's cap is the bound; nearly all of it is given out."""
    made = plan(name, analysts, questions, currency)
    assert made.currency is currency
    assert made.cap == level(name).cap_in(currency)
    assert analysts * made.grant.units <= made.cap.units
    assert questions * made.per_question.units <= made.grant.units
    assert made.cap.units - analysts * made.grant.units < analysts
    assert made.grant.units - questions * made.per_question.units < questions


def test_levels_go_from_little_to_much() -> None:
    """careful, standard, open: mu 1/4, 1/2, 1."""
    assert NAMES == ["careful", "standard", "open"]
    assert [
        chosen.cap.units * denominator
        for chosen, denominator in zip(LEVELS, (16, 4, 1), strict=True)
    ] == [UNITS_PER_ONE] * 3


@pytest.mark.parametrize(
    ("name", "epsilon"), [("careful", "0.1996"), ("standard", "0.4000"), ("open", "0.8069")]
)
def test_a_pure_dataset_has_the_advantage_of_the_level(name: str, epsilon: str) -> None:
    """The best attacker is as far ahead of guessing, to the last unit, and never further."""
    cap = level(name).cap_in(Currency.PURE)
    assert f"{float(cap.amount):.5f}"[:6] == epsilon
    ahead = gdp.advantage(level(name).mu ** 2)
    assert abs(pure.advantage(cap.amount) - ahead) < 1e-14
    assert pure.mu2_of_pure(cap.amount) <= level(name).mu ** 2
    assert pure.mu2_of_pure(cap.amount + Fraction(1, UNITS_PER_ONE)) > level(name).mu ** 2


@pytest.mark.parametrize(
    ("name", "found", "found_pure"),
    [
        ("careful", "1.9 in 100", "1.3 in 100"),
        ("standard", "3.4 in 100", "1.5 in 100"),
        ("open", "9.3 in 100", "2.3 in 100"),
    ],
)
def test_reasons_state_the_attack_as_it_is(name: str, found: str, found_pure: str) -> None:
    """The sentence is worked out from the cap, in the currency of the dataset."""
    chosen = level(name)
    assert chosen.reason == chosen.reason_in(Currency.GDP)
    assert f"finds {found} while" in chosen.reason
    assert f"finds {found_pure} while" in chosen.reason_in(Currency.PURE)
    for currency in Currency:
        reason = chosen.reason_in(currency)
        assert attack_words(chosen.cap_in(currency), currency) in reason
        assert reason.endswith(chosen.use)


@pytest.mark.parametrize(("analysts", "questions"), [(0, 1), (1, 0), (-3, 5)])
def test_nobody_asking_nothing_is_no_plan(analysts: int, questions: int) -> None:
    """At least one of each."""
    with pytest.raises(BadQuery, match="at least 1") as caught:
        plan("open", analysts, questions)
    assert caught.value.code == "PL112"


def test_too_many_questions_leave_nothing_for_one() -> None:
    """A question that costs nothing would be infinitely noisy."""
    with pytest.raises(BadQuery, match="leave nothing") as caught:
        plan("careful", 1 << 24, 1 << 24)
    assert caught.value.code == "PL112"


def test_an_unknown_level_is_answered_with_the_known_ones() -> None:
    """The names to type."""
    with pytest.raises(BadQuery, match="carefree") as caught:
        plan("carefree", 1, 1)
    assert caught.value.hint == "the levels are careful, standard, open"


def test_a_plan_of_the_demo() -> None:
    """Two analysts with 40 questions each, standard."""
    made = plan("standard", 2, 40)
    assert made.grant == Loss(UNITS_PER_ONE // 8)
    assert made.per_question == Loss(UNITS_PER_ONE // 320)
