"""What MIN and MAX are, from public facts alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from privlab.errors import PrivlabError
from privlab.mechanisms import flip
from privlab.query.canonical import decode_plan, encode_plan
from privlab.query.passes import lower_quantile
from privlab.query.passes.lower_quantile import (
    MOST_COINS,
    MOST_DENOMINATOR,
    MOST_FLIPS,
    extreme,
    flip_size,
)
from privlab.query.plan import Measure, MeasureKind, Question
from privlab.query.trade import trade_of
from privlab.terms.catalog import Table
from privlab.terms.events import ChoiceEvent, FlipEvent
from privlab.terms.loss import Currency
from privlab.terms.noise import Choice, Flip


@pytest.mark.parametrize(
    ("units", "cells", "q"),
    [
        (100_000, 1, "0.999"),
        (99_999, 1, "0.99"),
        (100_000, 10, "0.99"),
        (100_000, 11, "0.95"),
        (2_000, 1, "0.95"),
        (1_999, 1, "0.9"),
        (10, 1, "0.9"),
    ],
)
def test_the_largest_leaves_a_hundred_units_beyond_it_where_there_are_so_many(
    visits: Table, units: int, cells: int, q: str
) -> None:
    assert extreme(replace(visits, units=units), cells) == Fraction(q)


def test_rows_stand_in_for_units_and_nothing_known_is_the_twentieth(visits: Table) -> None:
    assert extreme(replace(visits, units=None, rows=10_000), 1) == Fraction("0.99")
    assert extreme(replace(visits, units=None, rows=None), 1) == Fraction("0.95")


def test_the_smallest_is_as_far_from_the_other_end(ask: Callable[..., Question]) -> None:
    low, high = ask("SELECT MIN(age), MAX(age) FROM visits").plan.measures
    assert low.q is not None
    assert high.q == 1 - low.q


def test_a_q_is_as_exact_as_the_mechanism_takes_it(
    ask: Callable[..., Question], refusal: Callable[..., PrivlabError]
) -> None:
    (measure,) = ask("SELECT QUANTILE(age, 0.123456) FROM visits").plan.measures
    assert measure.q == Fraction(123456, 10**6)
    assert measure.q.denominator <= MOST_DENOMINATOR
    assert refusal("SELECT QUANTILE(age, 0.1234567) FROM visits").code == "PL106"


def test_a_q_may_be_a_parameter(ask: Callable[..., Question]) -> None:
    text = "SELECT PERCENTILE_CONT(:q) WITHIN GROUP (ORDER BY age DESC) FROM visits"
    (measure,) = ask(text, q=Fraction(1, 4)).plan.measures
    assert measure.q == Fraction(3, 4)
    (polars,) = ask("visits.select(pl.col('age').quantile(q))", q=Fraction(3, 4)).plan.measures
    assert polars == measure


def test_there_are_never_too_many_answers_to_choose_among(ask: Callable[..., Question]) -> None:
    (measure,) = ask(
        f"SELECT MEDIAN(LEAST(GREATEST(score, 0), {1 << 60})) FROM visits"
    ).plan.measures
    assert 1 << 20 < measure.candidates <= 1 << 25


def of_size(measure: Measure, candidates: int) -> Measure:
    return replace(measure, high=measure.low + (candidates - 1) * measure.step)


def test_only_a_pure_dataset_flips_and_only_so_many_coins(visits: Table) -> None:
    """By public facts: the currency, the possible answers, the groups."""
    pure = replace(visits, currency=Currency.PURE, units=4000)
    measure = Measure(MeasureKind.QUANTILE, q=Fraction(1, 2))
    assert flip_size(measure, visits, 1) == 0
    assert flip_size(measure, pure, 1) == 4000
    assert flip_size(of_size(measure, MOST_FLIPS), pure, MOST_COINS // MOST_FLIPS) == 4000
    assert flip_size(of_size(measure, MOST_FLIPS), pure, MOST_COINS // MOST_FLIPS + 1) == 0
    assert flip_size(of_size(measure, MOST_FLIPS + 1), pure, 1) == 0
    assert flip_size(measure, replace(pure, units=None, rows=70), 1) == 70
    assert flip_size(measure, replace(pure, units=None, rows=None), 1) == 1
    assert lower_quantile.MOST_FLIPS == flip.MOST_FLIPS


def test_what_is_flipped_is_sold_as_that_and_what_is_not_as_a_choice() -> None:
    """The law and the event follow from the measure; in gdp there is no flip at all."""
    measure = Measure(MeasureKind.QUANTILE, q=Fraction(1, 2))
    for one, law, event in (
        (measure, Choice, ChoiceEvent),
        (replace(measure, size=9), Flip, FlipEvent),
    ):
        trade = trade_of(one, Currency.PURE)
        sold = trade.mechanism(Fraction(1, 2))
        assert type(sold) is law
        assert type(trade.event(3, sold)) is event
    with pytest.raises(KeyError):
        trade_of(replace(measure, size=9), Currency.GDP)


def test_a_size_is_part_of_the_plan(ask: Callable[..., Question]) -> None:
    """And is read back; of anything but a quantile chosen alone it is none."""
    plan = ask("SELECT MEDIAN(age), COUNT(*) FROM visits").plan
    at = next(at for at, one in enumerate(plan.measures) if one.chosen)
    sized = replace(plan, measures=(replace(plan.measures[at], size=12),))
    assert decode_plan(encode_plan(sized)) == sized
    for wrong in (
        replace(plan.measures[at], size=-1),
        replace(plan.measures[1 - at], size=3),
        replace(plan.measures[at], size=3, among=(Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))),
    ):
        with pytest.raises(PrivlabError):
            decode_plan(encode_plan(replace(plan, measures=(wrong,))))
