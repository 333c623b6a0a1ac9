"""Which quantiles are bought as one, and what that costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from privlab.accounting.charge import charge
from privlab.query.compile import compile_question
from privlab.query.explain import explain
from privlab.query.joint import learned_jointly, purchases
from privlab.query.passes.join_quantiles import join_quantiles
from privlab.query.plan import Question
from privlab.query.price import Offer, price
from privlab.terms.catalog import Catalog, Table
from privlab.terms.events import ChoiceEvent
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import Choice

Ask = Callable[..., Question]
SET = "SELECT QUANTILE(age, 0.25) AS a, MEDIAN(age) AS b, QUANTILE(age, 0.75) AS c FROM visits"
GRANTED, DELTA = Loss.budget(Fraction(1)), Fraction(1, 10**6)


def test_three_quantiles_of_one_value_are_chosen_together(ask: Ask) -> None:
    qs = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))
    question = ask(SET)
    assert {one.among for one in question.plan.measures} == {qs}
    assert [one.members for one in purchases(question)] == [(0, 1, 2)]
    assert join_quantiles(question.plan.measures) == question.plan.measures


@pytest.mark.parametrize(
    "text",
    [
        "SELECT QUANTILE(age, 0.25) AS a, MEDIAN(age) AS b FROM visits",
        "SELECT MEDIAN(age) AS a, MEDIAN(stay_days) AS b, MEDIAN(weight) AS c FROM visits",
        "SELECT MEDIAN(age) AS a, MEDIAN(age) + 1 AS b, COUNT(*) AS n FROM visits",
    ],
)
def test_two_or_those_of_several_values_are_chosen_alone(ask: Ask, text: str) -> None:
    question = ask(text)
    assert all(not one.among for one in question.plan.measures)
    assert all(len(one.members) == 1 for one in purchases(question))


def test_the_same_set_in_another_order_is_the_same_question_of_rows(ask: Ask) -> None:
    other = (
        "SELECT MEDIAN(age) AS x, QUANTILE(age, 0.75) AS y, QUANTILE(age, 0.25) AS z FROM visits"
    )
    assert ask(SET).plan == ask(other).plan


@pytest.mark.parametrize("currency", list(Currency))
def test_they_cost_a_choice_per_level_and_group(visits: Table, currency: Currency) -> None:
    catalog = Catalog((replace(visits, currency=currency),))
    question = compile_question(SET + " GROUP BY ward", {}, catalog)
    none = [Fraction(0)] * 3
    offer = Offer(Fraction(1, 10), None, None, Fraction(95))
    priced = price(question, offer, none, GRANTED, DELTA)
    (event,) = priced.events
    assert isinstance(event, ChoiceEvent)
    assert event.times == 2 * question.plan.bound.groups
    assert len(set(priced.noises)) == 1
    assert Fraction(99, 1000) <= priced.charge.amount <= Fraction(1, 10)
    again = price(question, offer, priced.precisions, GRANTED, DELTA)
    assert again.charge == Loss(0)
    shown = explain(question, priced, GRANTED, GRANTED)
    assert [one.share for one in shown.columns] == ["10 %"] * 3


def test_what_was_learned_counts_every_choice_that_shows_once(ask: Ask) -> None:
    question = ask(SET)
    (one,) = purchases(question)
    fine, coarse = Choice(1, 2), Choice(1, 4)
    costs = {choice: charge(one.event(choice), question.currency).loss for choice in (fine, coarse)}
    both = [[fine, coarse], [coarse, fine], [coarse]]
    assert learned_jointly(question, one, both) == costs[fine] + costs[coarse]
    assert learned_jointly(question, one, [[coarse], [coarse], [coarse]]) == costs[coarse]
    twice = [[coarse, coarse], [coarse], []]
    assert learned_jointly(question, one, twice) == costs[coarse] + costs[coarse]


def test_some_of_them_alone_cost_as_much_as_all(ask: Ask) -> None:
    question = ask(SET)
    part = replace(question, plan=replace(question.plan, measures=question.plan.measures[:1]))
    (alone,) = purchases(part)
    assert alone.sensitivity == purchases(question)[0].sensitivity
