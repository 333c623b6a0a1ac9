"""What is said of an account never promises more than is left."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from privlab.curator.receipts import more_like_this, percent, receipt, remaining
from privlab.terms.loss import NOTHING, Currency, Loss


@dataclass(frozen=True)
class After:
    granted: Loss
    spent: Loss


def test_a_charge_is_told_with_what_is_left_and_how_often_it_still_fits() -> None:
    told = receipt("clinic", Loss(10), After(Loss(1_000), Loss(70)))

    assert told.words == (
        "cost 1 % of your grant on clinic; 93 % left; about 93 more like this; "
        "twice as precise costs four times"
    )
    assert (told.charged, told.spent, told.free) == ("10", "70", False)


def test_a_pure_dataset_says_that_a_finer_answer_is_paid_in_full() -> None:
    told = receipt("clinic", Loss(10), After(Loss(1_000), Loss(70)), Currency.PURE)

    assert told.words.endswith(
        "twice as precise costs twice; in a pure dataset a finer answer is paid in full"
    )


def test_what_is_held_is_free() -> None:
    told = receipt("clinic", NOTHING, After(Loss(1_000), Loss(60)))

    assert told.free
    assert told.words == "free: you hold this already; 94 % left on clinic"


def test_shares_keep_small_amounts_visible() -> None:
    assert percent(Loss(1), Loss(10_000)) == "0.01 %"
    assert percent(Loss(5), Loss(1_000)) == "0.5 %"
    assert percent(NOTHING, NOTHING) == "0 %"
    assert percent(Loss(1), Loss(10**12)) == "0.0000000001 %"
    assert percent(Loss(12_341), Loss(10**6)) == "1.24 %"


@given(st.integers(1, 10**15), st.integers(1, 10**15))
def test_a_cost_is_rounded_up_and_never_to_nothing(cost: int, granted: int) -> None:
    told = Fraction(percent(Loss(cost), Loss(granted)).removesuffix(" %"))
    exact = Fraction(100 * cost, granted)

    assert 0 < exact <= told <= exact * Fraction(101, 100)


def test_a_cost_below_every_digit_is_still_told() -> None:
    told = receipt("clinic", Loss(1), After(Loss(1 << 48), Loss(71)))

    assert told.charged_share == "0.000000000000356 %"
    assert told.words.startswith(f"cost {told.charged_share} of your grant")


@given(st.integers(0, 10**15), st.integers(1, 10**15))
def test_what_is_left_is_rounded_down(left: int, granted: int) -> None:
    told = Fraction(remaining(Loss(left), Loss(granted)).removesuffix(" %"))

    assert told <= Fraction(100 * left, granted)


def test_the_last_question_says_so() -> None:
    assert more_like_this(Loss(9), Loss(10)) == "no more like this"
    assert more_like_this(Loss(9), NOTHING) == "no more like this"
