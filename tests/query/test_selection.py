"""How groups that a threshold shows are bought: whole, with a delta, and never worse than before."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest

from privlab.accounting import gdp
from privlab.accounting.charge import charge_all
from privlab.errors import BudgetExceeded
from privlab.mechanisms import opendp
from privlab.query import afford
from privlab.query.explain import explain
from privlab.query.finish import finish
from privlab.query.plan import Question
from privlab.query.price import Offer, Priced, price
from privlab.query.selection import size_shown
from privlab.terms.events import ThresholdEvent
from privlab.terms.groups import ShownGroups
from privlab.terms.loss import CERTAIN, NOTHING, Delta, Loss
from privlab.terms.noise import RoundedGaussian

GRANTED = Loss.budget(Fraction(1, 4))
DELTA = Fraction(1, 10**6)
THRESHOLDS = Delta.budget(DELTA / 10)
TEXT = "SELECT note, COUNT(*) AS n, SUM(stay_days) AS s FROM visits GROUP BY note"
Compile = Callable[..., Question]


def share(percent: int) -> Offer:
    return Offer(Fraction(percent, 100), None, None, Fraction(95))


def within(**widths: int) -> Offer:
    return Offer(
        None, {name: Fraction(width) for name, width in widths.items()}, None, Fraction(95)
    )


def priced(question: Question, offer: Offer, held: tuple[Fraction, ...] = ()) -> Priced:
    have = held or (Fraction(0),) * len(question.plan.measures)
    return price(question, offer, have, GRANTED, DELTA, None, THRESHOLDS)


def test_a_purchase_has_a_threshold_whose_delta_is_its_part(ask: Compile) -> None:
    question = ask(TEXT)
    found = priced(question, share(1))

    assert found.threshold in found.events
    assert found.threshold is not None
    assert found.threshold.groups == question.plan.bound.groups
    assert found.delta == charge_all(found.events, question.currency).delta
    assert found.delta.delta <= THRESHOLDS.delta / 100
    assert found.delta.delta >= THRESHOLDS.delta / 100 / 2  # the next whole threshold costs less
    opendp.certify(found.events, found.charge, found.delta, question.currency)


def test_a_charge_without_its_delta_is_not_certified(ask: Compile) -> None:
    question = ask(TEXT)
    found = priced(question, share(1))
    with pytest.raises(Exception, match="too small"):
        opendp.certify(found.events, found.charge, CERTAIN, question.currency)


def test_public_keys_have_no_threshold(ask: Compile) -> None:
    found = priced(ask("SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"), share(1))
    assert found.threshold is None
    assert found.delta == CERTAIN


def test_the_same_or_less_is_free_and_a_finer_answer_is_a_whole_new_one(ask: Compile) -> None:
    question = ask(TEXT)
    first = priced(question, share(2))

    for percent in (1, 2):
        again = priced(question, share(percent), first.precisions)
        assert (again.charge, again.delta, again.threshold) == (NOTHING, CERTAIN, None)
    finer = priced(question, share(3), first.precisions)
    assert finer.charge == priced(question, share(3)).charge
    assert all(noise is not None for noise in finer.noises)
    assert finer.delta > first.delta


def test_nothing_gets_worse_when_one_column_gets_better(ask: Compile) -> None:
    question = ask(TEXT)
    first = priced(question, within(n=100, s=1_000))
    finer = priced(question, within(n=50, s=100_000), first.precisions)

    assert all(new >= old for new, old in zip(finer.precisions, first.precisions, strict=True))
    assert all(noise is not None for noise in finer.noises)


def test_a_count_that_nobody_asked_for_costs_what_the_dearest_other_does(ask: Compile) -> None:
    question = ask(TEXT)
    found = priced(question, within(n=100, s=1_000))
    costs = [
        noise.precision * measure.squared_sensitivity(question.plan.bound)
        for noise, measure in zip(found.noises, question.plan.measures, strict=True)
        if noise is not None
    ]
    assert len(costs) == 3
    assert float(costs[question.plan.tested]) == pytest.approx(float(max(costs)), rel=1e-6)


def test_without_a_delta_the_refusal_is_a_command(ask: Compile) -> None:
    question = ask(TEXT)
    with pytest.raises(BudgetExceeded) as caught:
        price(question, share(1), (Fraction(0),) * 3, GRANTED, DELTA)
    assert caught.value.code == "PL210"
    assert "privlab budget thresholds clinic --share 10%" in caught.value.hint


@pytest.mark.parametrize("chance", [Fraction(1, 20), Fraction(19, 20)])
def test_the_sizes_that_are_named_are_shown_as_often(chance: Fraction) -> None:
    noise = RoundedGaussian.at_most(Fraction(1, 400))
    event = ThresholdEvent(noise, 3, 120, Fraction(1, 10**9))
    size = size_shown(event, chance)
    off = (event.threshold - 0.5 - size) / math.sqrt(noise.variance)
    assert 1 - NormalDist().cdf(off) == pytest.approx(float(chance), abs=0.01)


def test_explain_says_where_the_threshold_stands(ask: Compile) -> None:
    question = ask(TEXT)
    found = priced(question, share(1))
    assert found.threshold is not None
    words = explain(question, found, GRANTED, GRANTED, thresholds=THRESHOLDS).words
    assert f"from a noisy count of {found.threshold.threshold:,} units on" in words
    assert "% of your delta" in words


def test_a_share_that_is_offered_is_paid_in_full(ask: Compile) -> None:
    """What is left buys every measure anew, so it buys less than the difference would."""
    question = ask(TEXT)
    first = priced(question, share(40))
    left = GRANTED - first.charge
    percent = afford.share(afford.holdings(question, first.precisions), left, GRANTED)
    assert percent is not None
    bought = priced(question, Offer(percent / 100, None, None, Fraction(95)), first.precisions)
    assert NOTHING < bought.charge <= left


def test_the_interval_of_a_tested_count_knows_that_it_was_shown(ask: Compile) -> None:
    """Just above the threshold it reaches down to one; a plain one would not."""
    question = ask(
        "SELECT note, COUNT(DISTINCT patient_id) AS p, COUNT(*) AS n FROM visits GROUP BY note"
    )
    at, noise = question.plan.tested, RoundedGaussian.at_most(Fraction(1, 100))
    other = 1 - at
    vectors: list[tuple[Fraction, ...]] = [(), ()]
    vectors[at], vectors[other] = (Fraction(60), Fraction(900)), (Fraction(70), Fraction(901))
    found = finish(
        question, vectors, (noise.precision,) * 2, Fraction(95),
        groups=ShownGroups(60, (("a",), ("b",))),
    )  # fmt: skip

    small, large = found.half_widths
    assert found.rows[0][0] == "a"
    assert small[1] is not None
    assert small[1] > 40
    assert large[1] is not None
    assert 19 <= large[1] <= 21
    assert small[2] == large[2]


def test_an_answer_of_groups_needs_its_labels(ask: Compile) -> None:
    question = ask("SELECT DISTINCT note FROM visits")
    with pytest.raises(ValueError, match="labels"):
        finish(question, ((),), (Fraction(1),), Fraction(95))
    found = finish(question, ((),), (Fraction(1),), Fraction(95), groups=ShownGroups(60, ()))
    assert found.rows == ()


def test_intervals_cover_where_only_the_largest_groups_are_shown(ask: Compile) -> None:
    """A tenth of equal groups, those with the largest noise: cut off far above the threshold."""
    question = ask("SELECT note, COUNT(DISTINCT patient_id) AS p FROM visits GROUP BY note")
    question = replace(question, plan=replace(question.plan, row_cap=1_000))
    exact, threshold, noise = 200, 120, RoundedGaussian.at_most(Fraction(1, 400))
    dice = np.random.default_rng(8)
    counts = exact + np.rint(dice.normal(0, 20, 10_000)).astype(int)
    largest = sorted(counts.tolist())[-question.plan.cells :]
    labels = tuple((f"{at:04}",) for at in range(len(largest)))

    def covered(values: list[int], shown: tuple[tuple[str], ...]) -> float:
        found = finish(
            question, (tuple(map(Fraction, values)),), (noise.precision,), Fraction(95),
            groups=ShownGroups(threshold, shown),
        )  # fmt: skip
        held = [
            width is not None and abs(Fraction(str(row[1])) - exact) <= width
            for row, (_, width) in zip(found.rows, found.half_widths, strict=True)
        ]
        return sum(held) / len(held)

    assert covered(largest, labels) >= 0.93
    assert covered(largest[1:], labels[1:]) < 0.8  # were all that reached the threshold shown


@pytest.mark.parametrize("part", [Fraction(1, 10), Fraction(9, 10)])
def test_an_epsilon_that_is_offered_covers_the_delta_of_the_threshold(
    ask: Compile, part: Fraction
) -> None:
    """Both together are within (1, delta): the statement says no more than was asked for."""
    thresholds = Delta.budget(DELTA * part)
    question, offer = ask(TEXT), Offer(None, None, Fraction(1), Fraction(95))
    found = price(question, offer, (Fraction(0),) * 3, GRANTED, DELTA, None, thresholds)
    shown = gdp.epsilon_text(found.charge.amount, DELTA - found.delta.delta, 4)
    assert Fraction("0.9") < Fraction(shown) <= 1
