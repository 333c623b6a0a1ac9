"""Quantiles at a price: never over the offer, free when held, in full when finer."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accounting.charge import charge
from privlab.accounting.pure import mu2_of_choice
from privlab.errors import BadQuery
from privlab.query.plan import (
    Finish,
    Key,
    Measure,
    MeasureKind,
    MeasureOut,
    Output,
    Plan,
    Question,
    Ref,
)
from privlab.query.price import Offer, price
from privlab.query.relations import Scan
from privlab.query.trade import learned, trade_of
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from privlab.terms.events import ChoiceEvent
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import Choice

STAY = Ref("stay", Kind.INT)
MEDIAN = Measure(MeasureKind.QUANTILE, STAY, Fraction(0), Fraction(60), q=Fraction(1, 2))
GRANTED = Loss.budget(Fraction(1, 2))
DELTA = Fraction(1, 10**6)
currencies = st.sampled_from(list(Currency))


def question(*measures: Measure, groups: int = 1, currency: Currency = Currency.GDP) -> Question:
    keys = (Key(Ref("ward", Kind.TEXT), Kind.TEXT, ("a", "b", "c", "d")),) if groups > 1 else ()
    plan = Plan(
        dataset="clinic",
        source=Scan("visits", 1),
        unit="patient",
        bound=ContributionBound(4, 4, groups),
        row_cap=1000,
        where=None,
        keys=keys,
        measures=measures,
    )
    outputs = tuple(
        Output(f"x{at}", MeasureOut(at), "quantile" if one.chosen else "rows")
        for at, one in enumerate(measures)
    )
    return Question(plan, Finish(outputs), currency=currency)


def share(percent: Fraction) -> Offer:
    return Offer(percent / 100, None, None, Fraction(95))


@settings(deadline=None)
@given(
    percent=st.fractions(Fraction(1, 100), 100, max_denominator=1000),
    groups=st.integers(1, 4),
    counts=st.integers(0, 3),
    currency=currencies,
)
def test_a_choice_never_costs_more_than_was_offered(
    percent: Fraction, groups: int, counts: int, currency: Currency
) -> None:
    """Nor less by a noticeable part."""
    asked = question(
        MEDIAN, *[Measure(MeasureKind.ROWS)] * counts, groups=groups, currency=currency
    )
    priced = price(asked, share(percent), [Fraction(0)] * (counts + 1), GRANTED, DELTA)
    event = priced.events[0]
    offered = GRANTED.amount * percent / 100 / (counts + 1)

    assert isinstance(event, ChoiceEvent)
    assert event.times == groups
    assert priced.charge <= Loss.budget(GRANTED.amount * percent / 100)
    cost = charge(event, currency).loss.amount
    assert offered * (1 - Fraction(1, 1 << 20)) - Fraction(1, 1 << 46) <= cost <= offered


@settings(deadline=None)
@given(first=st.integers(1, 400), second=st.integers(1, 400), currency=currencies)
def test_a_finer_choice_is_paid_in_full_and_a_coarser_one_is_free(
    first: int, second: int, currency: Currency
) -> None:
    asked = question(MEDIAN, groups=3, currency=currency)
    one = price(asked, share(Fraction(first, 10)), [Fraction(0)], GRANTED, DELTA)
    two = price(asked, share(Fraction(second, 10)), one.precisions, GRANTED, DELTA)
    fresh = price(asked, share(Fraction(second, 10)), [Fraction(0)], GRANTED, DELTA)

    if second <= first:
        assert not two.charge
        assert two.noises == (None,)
        assert two.precisions == one.precisions
    else:
        assert two.charge == fresh.charge
        assert two.precisions == fresh.precisions
    bought = [noise for noise in (*one.noises, *two.noises) if noise is not None]
    assert learned(MEDIAN, asked.plan.bound, currency, bought) == one.charge + two.charge


@given(epsilon=st.fractions(Fraction(1, 1000), 60, max_denominator=1000))
def test_a_choice_in_gdp_costs_the_mu2_of_its_range(epsilon: Fraction) -> None:
    choice = Choice.at_most(epsilon)
    event = trade_of(MEDIAN, Currency.GDP).event(3, choice)
    assert charge(event, Currency.GDP).loss == Loss.charge(3 * mu2_of_choice(choice.epsilon))
    assert charge(event, Currency.PURE).loss == Loss.charge(3 * choice.epsilon)


def test_a_half_width_of_a_quantile_is_refused_with_what_to_type() -> None:
    offer = Offer(None, {"x0": Fraction(2)}, None, Fraction(95))
    with pytest.raises(BadQuery, match="densely") as refusal:
        price(question(MEDIAN), offer, [Fraction(0)], GRANTED, DELTA)
    assert refusal.value.code == "PL108"
    assert "--share" in refusal.value.hint


@pytest.mark.parametrize("currency", list(Currency))
def test_a_choice_is_no_noise_and_noise_is_no_choice(currency: Currency) -> None:
    count = trade_of(Measure(MeasureKind.ROWS), currency)
    with pytest.raises(TypeError):
        count.event(1, Choice(1, 1))
    with pytest.raises(TypeError):
        trade_of(MEDIAN, currency).event(1, count.mechanism(Fraction(1, 10)))


def test_another_quantile_is_another_view_and_is_paid() -> None:
    other = replace(MEDIAN, q=Fraction(1, 4))
    priced = price(question(MEDIAN, other), share(Fraction(1)), [Fraction(0)] * 2, GRANTED, DELTA)
    assert len(priced.events) == 2
