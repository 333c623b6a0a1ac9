"""``--explain`` shows the plan, each column's price and error, and spends nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from privlab.query.afford import holdings
from privlab.query.canonical import plan_text
from privlab.query.explain import explain
from privlab.query.neighbours import neighbours
from privlab.query.plan import Question
from privlab.query.price import Offer, price
from privlab.terms.catalog import Table
from privlab.terms.loss import Currency, Loss
from privlab.wire.messages import Price

Ask = Callable[..., Question]
GRANTED = Loss.budget(Fraction(1, 4))
DELTA = Fraction(1, 10**6)
TEXT = "SELECT ward, COUNT(*) AS n, AVG(stay_days) AS stay FROM visits GROUP BY ward"


def test_each_column_has_a_price_and_an_error(ask: Ask) -> None:
    question = ask(TEXT)
    offer = Offer.parse(Price(within={"n": "250", "stay": "0.5"}), "95")
    priced = price(question, offer, (Fraction(0),) * 3, GRANTED, DELTA)
    shown = explain(question, priced, GRANTED, GRANTED)
    assert shown.plan == plan_text(question.plan)
    assert [(one.name, one.label, one.half_width) for one in shown.columns] == [
        ("n", "rows", "250"),
        ("stay", "mean", "0.5"),
    ]
    assert not any(one.held for one in shown.columns)
    assert shown.charge == priced.charge.text()
    assert shown.left_share == "100 %"
    assert "about 500,000 rows in a group" in shown.words
    assert "twice as precise costs four times" in shown.words


def test_what_is_held_is_free(ask: Ask) -> None:
    question = ask(TEXT)
    offer = Offer.parse(Price(share="1"), "95")
    first = price(question, offer, (Fraction(0),) * 3, GRANTED, DELTA)
    again = price(question, offer, first.precisions, GRANTED, DELTA)
    shown = explain(question, again, GRANTED, GRANTED - first.charge)
    assert shown.charge == "0"
    assert shown.words.startswith("free: you hold this already")
    assert all(one.held and one.share == "0 %" for one in shown.columns)


def test_a_price_beyond_what_is_left_says_so(ask: Ask) -> None:
    question = ask(TEXT)
    priced = price(
        question, Offer.parse(Price(share="50"), "95"), (Fraction(0),) * 3, GRANTED, DELTA
    )
    left = Loss(GRANTED.units // 4)
    assert (
        "does not fit: 50 % of your grant; 25 % is left, which buys half-widths 1.5 times as wide"
        in explain(question, priced, GRANTED, left).words
    )


def test_what_is_left_adds_to_what_is_held(ask: Ask) -> None:
    """She holds 30 % of precision and 10 % is left: together 40 %, of the 60 % she asks."""
    question = ask("SELECT COUNT(*) AS n FROM visits")
    words = words_of(question, held="30", left="10", wanted="60")

    assert words.startswith("does not fit: 30.1 % of your grant; ")
    assert "10 % is left, which with what you hold buys half-widths 1.3 times as wide" in words


def test_what_is_left_may_buy_nothing_finer_of_a_pure_dataset(ask: Ask) -> None:
    question = replace(ask("SELECT COUNT(*) AS n FROM visits"), currency=Currency.PURE)

    assert words_of(question, held="30", left="10", wanted="60") == (
        "does not fit: 60 % of your grant; 10 % is left, "
        "and nothing finer than what you hold fits; asking for that again is free"
    )
    assert "which with what you hold buys half-widths 1.5 times as wide" in words_of(
        question, held="30", left="40", wanted="60"
    )


def words_of(question: Question, *, held: str, left: str, wanted: str) -> str:
    """What she is told who holds and asks for these shares, and has this share left."""
    none = (Fraction(0),) * len(question.plan.measures)
    first = price(question, Offer.parse(Price(share=held), "95"), none, GRANTED, DELTA)
    holds = holdings(question, first.precisions)
    again = Offer.parse(Price(share=wanted), "95")
    priced = price(question, again, first.precisions, GRANTED, DELTA)
    rest = Loss(-(-GRANTED.units * int(left) // 100))
    return explain(question, priced, GRANTED, rest, holds).words


def test_a_mean_of_unknown_size_has_no_expected_error(ask: Ask) -> None:
    question = replace(ask(TEXT), rows=None)
    priced = price(
        question, Offer.parse(Price(share="1"), "95"), (Fraction(0),) * 3, GRANTED, DELTA
    )
    widths = {
        one.name: one.half_width for one in explain(question, priced, GRANTED, GRANTED).columns
    }
    assert widths["stay"] == ""
    assert widths["n"] != ""


def test_what_may_not_have_been_meant_is_said_before_it_is_paid_for(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) AS n FROM visits WHERE age > 200 AND ward = 'a'")
    priced = price(question, Offer.parse(Price(share="1"), "95"), (Fraction(0),), GRANTED, DELTA)
    words = explain(question, priced, GRANTED, GRANTED).words
    assert "no age in its stated range 0..110 passes the condition" in words
    assert words.endswith("'a' is not among the stated keys of ward; did you mean 'A'?")


def test_the_error_of_a_mean_is_for_the_count_she_holds(ask: Ask) -> None:
    """Not for the declared size, which knows of no WHERE; and never wider than the clamp."""
    question = ask("SELECT AVG(stay_days) AS stay FROM visits WHERE age > 99")
    offer = Offer.parse(Price(share="1"), "95")
    first = price(question, offer, (Fraction(0),) * 2, GRANTED, DELTA)

    def width(count: int) -> Fraction:
        counts = [(Fraction(count),), None]
        again = price(question, offer, first.precisions, GRANTED, DELTA, counts)
        return Fraction(explain(question, again, GRANTED, GRANTED).columns[0].half_width)

    declared = explain(question, first, GRANTED, GRANTED).columns[0].half_width
    assert width(20_000) > 70 * Fraction(declared)
    assert width(1) == 60


def test_the_error_of_a_quantile_is_in_ranks(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) AS n, MEDIAN(stay_days) AS m FROM visits")
    priced = price(
        question, Offer.parse(Price(share="1"), "95"), (Fraction(0),) * 2, GRANTED, DELTA
    )
    told = explain(question, priced, GRANTED, GRANTED)
    (off,) = [one.half_width.removesuffix(" ranks") for one in told.columns if one.name == "m"]
    assert f"m is within {off} ranks of the exact one at 95 %" in told.words


def test_cheaper_neighbours_are_told_and_change_nothing_else(ask: Ask, visits: Table) -> None:
    question = ask("SELECT COUNT(*) AS n FROM visits")
    priced = price(question, Offer.parse(Price(share="1"), "95"), (Fraction(0),), GRANTED, DELTA)
    cheaper = neighbours(question, priced, visits, within=False)
    told = explain(question, priced, GRANTED, GRANTED, cheaper=cheaper)
    assert told.cheaper == (cheaper[0].words,)
    assert told.model_copy(update={"cheaper": ()}) == explain(question, priced, GRANTED, GRANTED)
