"""How a loss is shared out: equal relative errors where they are known, equal parts elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.query.allocation import LEAST, parts
from privlab.query.compile import compile_question
from privlab.query.joint import purchases
from privlab.query.plan import Question
from privlab.query.price import Offer, Priced, price
from privlab.terms.catalog import Catalog, Table
from privlab.terms.loss import Currency, Loss

Ask = Callable[..., Question]
GRANTED, DELTA = Loss.budget(Fraction(1)), Fraction(1, 10**6)
OUTPUTS = [
    "COUNT(*)",
    "COUNT(DISTINCT patient_id)",
    "SUM(cost)",
    "SUM(age)",
    "AVG(stay_days)",
    "AVG(age)",
    "STDDEV(weight)",
    "MEDIAN(age)",
    "COUNT(DISTINCT sex)",
]
currencies = pytest.mark.parametrize("currency", list(Currency))


def asked(visits: Table, text: str, currency: Currency = Currency.GDP) -> Question:
    table = replace(visits, currency=currency)
    return compile_question(f"SELECT {text} FROM visits", {}, Catalog((table,)))


def bought(question: Question, share: str = "10") -> Priced:
    none = [Fraction(0)] * len(question.plan.measures)
    offer = Offer(Fraction(share) / 100, None, None, Fraction(95))
    return price(question, offer, none, GRANTED, DELTA)


def shares(question: Question) -> list[Fraction]:
    found = parts(question, purchases(question))
    return [Fraction(one, sum(found)) for one in found]


@currencies
def test_a_sum_and_a_count_have_the_same_relative_error(visits: Table, currency: Currency) -> None:
    """A sum of 0..U is compared with half of U per row: twice the noise in its own terms."""
    question = asked(visits, "COUNT(*) AS n, SUM(cost) AS c", currency)
    total, count = sorted(shares(question), reverse=True)
    assert float(total / count) == pytest.approx(4 if currency is Currency.GDP else 2, rel=0.01)
    priced = bought(question)
    of_sum, of_count = sorted(priced.precisions)
    square = 2 if currency is Currency.GDP else 1
    middle = 50_000 * 100 / 2
    assert float(of_sum * middle**square / of_count) == pytest.approx(1, rel=0.01)


def test_a_mean_is_split_for_a_value_half_way_from_its_middle(visits: Table) -> None:
    """``1 / a + 1 / (4 b)`` is least, for a + b = 1, at two thirds for the sum."""
    question = asked(visits, "AVG(stay_days) AS m")
    assert sorted(shares(question)) == [
        pytest.approx(Fraction(1, 3), abs=1e-3),
        pytest.approx(Fraction(2, 3), abs=1e-3),
    ]


@currencies
@pytest.mark.parametrize("one", OUTPUTS)
def test_one_purchase_is_paid_all(visits: Table, one: str, currency: Currency) -> None:
    question = asked(visits, f"{one} AS x", currency)
    if len(purchases(question)) == 1:
        assert shares(question) == [1]


def test_what_has_no_known_relative_error_gets_an_equal_part(visits: Table) -> None:
    question = asked(
        visits, "MEDIAN(age) AS m, COUNT(DISTINCT sex) AS d, COUNT(*) AS n, SUM(age) AS s"
    )
    found = shares(question)
    for at, one in enumerate(purchases(question)):
        if question.plan.measures[one.members[0]].kind.value in ("quantile", "distinct"):
            assert found[at] == pytest.approx(Fraction(1, 4), abs=1e-3)


@settings(deadline=None, max_examples=40)
@given(
    chosen=st.lists(st.sampled_from(OUTPUTS), min_size=1, max_size=6, unique=True),
    currency=st.sampled_from(list(Currency)),
    percent=st.integers(1, 100),
)
def test_every_purchase_has_a_part_and_all_fit_the_offer(
    visits: Table, chosen: list[str], currency: Currency, percent: int
) -> None:
    question = asked(
        visits, ", ".join(f"{one} AS x{at}" for at, one in enumerate(chosen)), currency
    )
    found = shares(question)
    least = LEAST / len(found)
    assert all(one >= least * Fraction(7, 10) for one in found)
    priced = bought(question, str(percent))
    offered = GRANTED.amount * Fraction(percent, 100)
    assert offered * Fraction(99, 100) <= priced.charge.amount <= offered


def test_the_order_of_columns_and_the_kind_of_key_change_nothing(visits: Table) -> None:
    one = asked(visits, "COUNT(*) AS n, AVG(age) AS a, SUM(cost) AS c")
    two = asked(visits, "SUM(cost) AS c, COUNT(*) AS n, AVG(age) AS a")
    assert shares(one) == shares(two)


def test_units_count_by_their_declared_number(visits: Table) -> None:
    """A patient adds one, and there are fewer of them than visits."""
    known = asked(visits, "COUNT(DISTINCT patient_id) AS p, COUNT(*) AS n")
    unknown = replace(known, units=None)
    assert shares(unknown) == [Fraction(1, 2)] * 2
    assert shares(known) != shares(unknown)


def test_the_better_split_of_a_mean_is_closer_around_its_middle(ask: Ask) -> None:
    """Variance of a mean in squared radii, per row: below that of halves up to 0.7 radii off."""
    question = ask("SELECT AVG(stay_days) AS m FROM visits")
    of_sum, of_count = max(shares(question)), min(shares(question))
    for off in (0, 0.25, 0.5, 0.7):
        assert 1 / of_sum + off**2 / of_count < 2 + 2 * off**2
