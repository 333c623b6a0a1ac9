"""Ready budgets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.accounting.gdp import true_positives
from privlab.accounting.levels import LEVELS, level, plan
from privlab.errors import BadQuery
from privlab.terms.loss import UNITS_PER_ONE, Loss

NAMES = [chosen.name for chosen in LEVELS]


@given(st.sampled_from(NAMES), st.integers(1, 5000), st.integers(1, 5000))
def test_parts_never_add_up_to_more_than_the_cap(name: str, analysts: int, questions: int) -> None:
    """Whoever colludes, the dataset's cap is the bound; nearly all of it is given out."""
    made = plan(name, analysts, questions)
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


@pytest.mark.parametrize(("name", "found"), [("careful", 2), ("standard", 3), ("open", 9)])
def test_reasons_state_the_attack_as_it_is(name: str, found: int) -> None:
    """The number in the sentence is the true positive rate at 1 % false positives."""
    chosen = level(name)
    assert round(100 * true_positives(chosen.cap.mu2, 0.01)) == found
    assert f"finds {found} in 100" in chosen.reason


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
