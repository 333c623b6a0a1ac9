"""How many rows a price of a mean is worked out for: what the asker holds, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from privlab.errors import BadQuery
from privlab.query.compile import compile_question
from privlab.query.plan import Question
from privlab.query.price import Offer, price
from privlab.query.price_mean import rows_held
from privlab.terms.catalog import Catalog, Table
from privlab.terms.loss import Currency, Loss

TEXT = "SELECT AVG(stay_days) AS m FROM visits"
OFFER = Offer(None, {"m": Fraction(1)}, None, Fraction(95))


def asked(visits: Table, currency: Currency, rows: int | None) -> Question:
    table = replace(visits, currency=currency, rows=rows)
    return compile_question(TEXT, {}, Catalog((table,)))


def test_the_rows_of_shares_are_their_sum_over_what_a_row_adds(visits: Table) -> None:
    question = asked(visits, Currency.PURE, None)
    out = question.finish.outputs[0].out
    assert rows_held(question.plan, out, [(Fraction(2400),), (Fraction(600),)]) == [50]
    assert rows_held(question.plan, out, [(Fraction(2400),), None]) is None
    assert rows_held(question.plan, out, None) is None


@pytest.mark.parametrize("currency", list(Currency))
def test_a_mean_of_unknown_size_has_no_price(visits: Table, currency: Currency) -> None:
    question = asked(visits, currency, None)
    with pytest.raises(BadQuery, match="how many rows there are") as caught:
        price(question, OFFER, [Fraction(0)] * 2, Loss.budget(Fraction(1)), Fraction(1, 10**6))
    assert caught.value.code == "PL108"


@pytest.mark.parametrize("currency", list(Currency))
def test_the_rows_of_the_contract_are_its_price(visits: Table, currency: Currency) -> None:
    charges = []
    for rows in (1_000, 1_000_000):
        question, none = asked(visits, currency, rows), [Fraction(0)] * 2
        priced = price(question, OFFER, none, Loss.budget(Fraction(10**6)), Fraction(1, 10**6))
        charges.append(priced.charge)
    assert charges[0] > charges[1]


def test_all_of_the_clamp_is_not_for_sale(ask: Callable[..., Question]) -> None:
    offer = Offer(None, {"m": Fraction(60)}, None, Fraction(95))
    with pytest.raises(BadQuery, match="any answer is within"):
        price(ask(TEXT), offer, [Fraction(0)] * 2, Loss.budget(Fraction(1)), Fraction(1, 10**6))
