"""What is bought together costs what its members can move together, and never looks like less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.query.afford import holdings, losses
from privlab.query.compile import compile_question
from privlab.query.explain import explain
from privlab.query.joint import learned_jointly, purchases, shares_sensitivity
from privlab.query.plan import Measure, MeasureKind, Question
from privlab.query.post.tree import Moment, SharesOut
from privlab.query.price import Offer, price
from privlab.query.shares import share_of
from privlab.terms.catalog import Catalog, Table
from privlab.terms.events import LaplaceEvent
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import DiscreteLaplace
from privlab.wire.messages import Price

GRANTED = Loss.budget(Fraction(1))
DELTA = Fraction(1, 10**6)
MEAN = "SELECT ward, AVG(stay_days) AS m FROM visits GROUP BY ward"
BOTH = "SELECT COUNT(*) AS n, STDDEV(stay_days) AS s, SUM(cost) AS c FROM visits"

Ask = Callable[[str], Question]


@pytest.fixture(scope="session")
def ask_pure(visits: Table) -> Ask:
    catalog = Catalog((replace(visits, currency=Currency.PURE),))
    return lambda text: compile_question(text, {}, catalog)


def nothing(question: Question) -> list[Fraction]:
    return [Fraction(0)] * len(question.plan.measures)


def offer(**given_: object) -> Offer:
    return Offer.parse(Price(**given_), "95")  # type: ignore[arg-type]


def test_the_shares_of_a_mean_are_one_purchase(ask_pure: Ask) -> None:
    question = ask_pure(MEAN)
    (one,) = purchases(question)
    assert one.members == (0, 1)
    assert one.sensitivity == 60 * question.plan.bound.most_rows
    priced = price(question, offer(epsilon="0.5"), nothing(question), GRANTED, DELTA)
    (event,) = priced.events
    assert isinstance(event, LaplaceEvent)
    assert event.sensitivity == one.sensitivity
    assert priced.noises[0] == priced.noises[1] == event.noise
    assert Fraction(499, 1000) <= priced.charge.amount <= Fraction(1, 2)


def test_a_gdp_dataset_has_no_shares(ask: Callable[..., Question]) -> None:
    question = ask(BOTH)
    assert all(measure.share is None for measure in question.plan.measures)
    assert [one.members for one in purchases(question)] == [
        (at,) for at in range(len(question.plan.measures))
    ]


def test_a_share_without_the_others_is_bought_alone(ask_pure: Ask) -> None:
    question = ask_pure(MEAN)
    alone = replace(question, plan=replace(question.plan, measures=question.plan.measures[:1]))
    (one,) = purchases(alone)
    assert one.sensitivity == alone.plan.measures[0].sensitivity(alone.plan.bound)


def test_shares_are_one_of_the_parts_that_a_loss_is_split_into(ask_pure: Ask) -> None:
    question = ask_pure(BOTH)
    assert sorted(len(one.members) for one in purchases(question)) == [1, 1, 3]
    priced = price(question, offer(share="30"), nothing(question), GRANTED, DELTA)
    assert len(priced.events) == 3
    assert Fraction(299, 1000) <= priced.charge.amount <= Fraction(3, 10)
    shown = explain(question, priced, GRANTED, GRANTED)
    assert [one.share for one in shown.columns] == ["6.67 %", "10 %", "13.4 %"]


@settings(deadline=None, max_examples=40)
@given(first=st.integers(1, 100), second=st.integers(1, 100))
def test_the_same_or_less_is_free_and_a_finer_one_is_paid_in_full(
    ask_pure: Ask, first: int, second: int
) -> None:
    question = ask_pure(BOTH)
    one = price(question, offer(share=str(first)), nothing(question), GRANTED, DELTA)
    two = price(question, offer(share=str(second)), one.precisions, GRANTED, DELTA)
    alone = price(question, offer(share=str(second)), nothing(question), GRANTED, DELTA)
    assert two.charge == (Loss(0) if second <= first else alone.charge)


def test_who_holds_only_some_of_them_buys_all_anew(ask_pure: Ask) -> None:
    question = ask_pure(MEAN)
    first = price(question, offer(share="10"), nothing(question), GRANTED, DELTA)
    partly = [first.precisions[0], Fraction(0)]
    again = price(question, offer(share="10"), partly, GRANTED, DELTA)
    assert again.charge == first.charge
    assert again.noises == first.noises
    assert not holdings(question, partly)[0].loss
    assert losses(question, partly)[0]


bags = st.lists(st.integers(1, 10_000), max_size=3)


@settings(deadline=None, max_examples=100)
@given(bought=st.lists(bags, min_size=3, max_size=3), data=st.data())
def test_nobody_has_learned_more_than_is_said(
    ask_pure: Ask, bought: list[list[int]], data: st.DataObject
) -> None:
    """Whatever was bought of which share, and whatever rows one unit has: the Laplace
    mechanisms' epsilons for how far it moves each, added up."""
    question = ask_pure("SELECT VAR_POP(stay_days) AS v FROM visits")
    (one,) = purchases(question)
    plan = question.plan
    mechanisms = [[DiscreteLaplace(scale, 0) for scale in each] for each in bought]
    said = learned_jointly(question, one, mechanisms)
    rows = data.draw(st.lists(st.integers(0, 60), max_size=plan.bound.most_rows))
    true = Fraction(0)
    for measure, each in zip(plan.measures, mechanisms, strict=True):
        assert measure.share is not None
        moved = sum(share_of(measure.share, k, measure.reach) for k in rows)
        true += moved * sum((noise.precision for noise in each), Fraction(0))
    assert Loss.charge(true).units <= said.units


def test_buying_them_together_is_learning_what_was_paid(ask_pure: Ask) -> None:
    question = ask_pure(MEAN)
    (one,) = purchases(question)
    priced = price(question, offer(share="10"), nothing(question), GRANTED, DELTA)
    noise = priced.noises[0]
    assert noise is not None
    assert learned_jointly(question, one, [[noise], [noise]]) == priced.charge


@settings(deadline=None, max_examples=40)
@given(hundredths=st.integers(1, 1000))
def test_a_half_width_on_a_mean_is_met_for_the_stated_size(ask_pure: Ask, hundredths: int) -> None:
    question = ask_pure(MEAN)
    width = Fraction(hundredths, 100)
    priced = price(
        question, offer(within={"m": str(float(width))}), nothing(question), GRANTED, DELTA
    )
    (column,) = explain(question, priced, GRANTED, GRANTED).columns
    assert width * Fraction(97, 100) <= Fraction(column.half_width) <= width * Fraction(11, 10)


def test_a_target_that_is_met_by_what_is_held_stays_free(ask_pure: Ask) -> None:
    question = ask_pure(MEAN)
    first = price(question, offer(within={"m": "0.5"}), nothing(question), GRANTED, DELTA)
    rows = Fraction(499_900)
    counts = [(rows * 60,) * 3, (Fraction(0),) * 3]  # all values lie at the upper end
    again = price(question, offer(within={"m": "0.5"}), first.precisions, GRANTED, DELTA, counts)
    assert again.charge == Loss(0)


def test_a_family_has_one_sensitivity(ask_pure: Ask) -> None:
    question = ask_pure("SELECT VAR_POP(stay_days) AS v FROM visits")
    out = question.finish.outputs[0].out
    assert out == SharesOut(Moment.VAR_POP, (0, 1, 2))
    bound = question.plan.bound
    found = {shares_sensitivity(one, bound) for one in question.plan.measures}
    assert found == {bound.most_rows * 10 * 60**2}
    with pytest.raises(TypeError):
        shares_sensitivity(Measure(MeasureKind.ROWS), bound)
