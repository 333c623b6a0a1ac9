"""What a half-width of a moment costs, and that what is paid for is met."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.errors import BadQuery
from privlab.query.compile import compile_question
from privlab.query.plan import Measure, Question
from privlab.query.post.certain import certain
from privlab.query.post.expected import expected_width
from privlab.query.post.moments import Moments
from privlab.query.post.tree import MomentOut
from privlab.query.price import Offer, Priced, price
from privlab.query.shares import family_of, whole
from privlab.terms.catalog import Catalog, Table
from privlab.terms.loss import Currency, Loss

MOMENTS = ["VAR_POP(age)", "STDDEV(age)", "VARIANCE(weight)", "COVAR_POP(age, weight)"]
RICH, DELTA = Loss.budget(Fraction(10**9)), Fraction(1, 10**6)
SURE = Fraction(95)


def asked(visits: Table, moment: str, currency: Currency, rows: int | None) -> Question:
    table = replace(visits, currency=currency, rows=rows)
    return compile_question(f"SELECT {moment} AS m FROM visits", {}, Catalog((table,)))


def seen(question: Question, measure: Measure) -> Fraction:
    """What is held of a count, or of a share of as many rows."""
    rows = Fraction(question.rows or 0)
    if measure.share is None:
        return rows
    family = family_of(measure.share)
    return rows * whole(family, measure.reach) / len(family)


def priced(question: Question, width: Fraction, held: list[Fraction] | None = None) -> Priced:
    offer = Offer(None, {"m": width}, None, SURE)
    none = [Fraction(0)] * len(question.plan.measures)
    counts = None if held is None else [(seen(question, one),) for one in question.plan.measures]
    return price(question, offer, held or none, RICH, DELTA, counts)


def span(question: Question) -> Fraction:
    low, high = certain(question.finish.outputs[0].out, question.plan.measures)
    assert low is not None
    assert high is not None
    return high - low


@settings(max_examples=60, deadline=None)
@given(
    moment=st.sampled_from(MOMENTS),
    currency=st.sampled_from(Currency),
    rows=st.integers(20_000, 4_000_000),
    part=st.integers(20, 400),
)
def test_a_target_that_is_paid_for_is_expected_to_be_met(
    visits: Table, moment: str, currency: Currency, rows: int, part: int
) -> None:
    question = asked(visits, moment, currency, rows)
    width = span(question) / part

    found = priced(question, width)

    out = question.finish.outputs[0].out
    got = expected_width(out, question, found.precisions, SURE, Fraction(rows))
    assert got is not None
    assert width / 4 <= got <= width * Fraction(1001, 1000)
    again = priced(question, width, list(found.precisions))
    assert not again.charge


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_answer_is_within_the_target_where_the_values_lie_as_guessed(
    visits: Table, moment: str
) -> None:
    """A mean half-way to the end of the clamp, a deviation of a quarter of it, no correlation."""
    rows = 1_000_000
    question = asked(visits, moment, Currency.GDP, rows)
    out, measures = question.finish.outputs[0].out, question.plan.measures
    assert isinstance(out, MomentOut)
    width = span(question) / 100
    precisions = [one or Fraction(1) for one in priced(question, width).precisions]
    half = [(measures[at].high - measures[at].low) / 2 for at in (out.first, out.second)]
    mean = half[0] * half[1] / 4
    product = mean + (half[0] ** 2 / 4 if out.first == out.second else 0)
    sums = {
        out.first: half[0] / 2,
        out.second: half[1] / 2,
        out.product: product - measures[out.product].centre,
        out.count: measures[out.count].step,
    }
    vectors = [(rows * sums[at] / one.step,) for at, one in enumerate(measures)]

    value, (low, high) = Moments(Currency.GDP, measures, vectors, precisions).of(out, 0, SURE)

    assert low is not None
    assert high is not None
    assert max(value - low, high - value) <= width * Fraction(5, 4)


@pytest.mark.parametrize("currency", list(Currency))
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_of_unknown_size_has_no_price(
    visits: Table, moment: str, currency: Currency
) -> None:
    question = asked(visits, moment, currency, None)
    with pytest.raises(BadQuery, match="how many rows there are") as caught:
        priced(question, span(question) / 50)
    assert caught.value.code == "PL108"
    assert "--share 1%" in caught.value.hint


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_any_answer_is_within_is_not_for_sale(visits: Table, moment: str) -> None:
    question = asked(visits, moment, Currency.GDP, 10_000)
    with pytest.raises(BadQuery, match="any answer is within") as caught:
        priced(question, span(question))
    assert "--within m=" in caught.value.hint


def test_a_correlation_has_no_price(visits: Table) -> None:
    question = asked(visits, "CORR(age, weight)", Currency.GDP, 10_000)
    with pytest.raises(BadQuery, match="variances of both values") as caught:
        priced(question, Fraction(1, 10))
    assert "COVAR_POP" in caught.value.hint


def test_more_rows_cost_less(visits: Table) -> None:
    few, many = (
        priced(asked(visits, "STDDEV(age)", Currency.GDP, rows), Fraction(1)).charge
        for rows in (10_000, 1_000_000)
    )
    assert few > many
