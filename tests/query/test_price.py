"""Prices: what is wanted, what is held, what is missing, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accounting.gdp import epsilon_of
from privlab.accuracy.gaussian import half_width
from privlab.errors import BadQuery
from privlab.query.allocate import expected_width
from privlab.query.plan import MeanOut, Question
from privlab.query.price import Offer, Priced, price
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import RoundedGaussian
from privlab.wire.messages import Price

Ask = Callable[..., Question]
GRANTED = Loss.budget(Fraction(56_029, 1_000_000))
DELTA = Fraction(1, 1_000_000)
CONFIDENCE = Fraction(95)
STORY = (
    "SELECT ward, COUNT(*) AS n, AVG(stay_days) AS stay, SUM(cost) AS c, "
    "COUNT(DISTINCT patient_id) AS p FROM visits WHERE age >= 65 GROUP BY ward"
)


def offer(**given_: object) -> Offer:
    return Offer.parse(Price(**given_), "95")  # type: ignore[arg-type]


def nothing(question: Question) -> tuple[Fraction, ...]:
    return (Fraction(0),) * len(question.plan.measures)


def bought(question: Question, offered: Offer, held: tuple[Fraction, ...] | None = None) -> Priced:
    return price(question, offered, held or nothing(question), GRANTED, DELTA)


offers = st.one_of(
    st.integers(1, 1000).map(lambda n: offer(share=f"{n / 10}")),
    st.fractions(Fraction(1, 100), 2).map(lambda e: offer(epsilon=f"{float(e):.6f}")),
    st.tuples(st.integers(2, 5000), st.integers(1, 500)).map(
        lambda w: offer(
            within={"n": f"{w[0]}", "stay": f"{w[1] / 100}", "c": f"{w[0] * 999}", "p": f"{w[0]}.5"}
        )
    ),
)


@settings(deadline=None, max_examples=50)
@given(offered=offers)
def test_the_same_ask_again_is_free(ask: Ask, offered: Offer) -> None:
    question = ask(STORY)
    first = bought(question, offered)
    again = bought(question, offered, first.precisions)
    assert first.charge
    assert not again.charge
    assert again.noises == (None,) * len(question.plan.measures)
    assert again.events == ()
    assert again.precisions == first.precisions


@settings(deadline=None, max_examples=60)
@given(offered=st.lists(offers, min_size=1, max_size=4))
def test_any_path_to_a_precision_costs_what_one_purchase_costs(
    ask: Ask, offered: list[Offer]
) -> None:
    """Coarse first is never wasted: top-ups add up to the dearest, within rounding."""
    question = ask(STORY)
    held, spent = nothing(question), 0
    for one in offered:
        priced = bought(question, one, held)
        held, spent = priced.precisions, spent + priced.charge.units
    sensitivities = [m.squared_sensitivity(question.plan.bound) for m in question.plan.measures]
    exact = sum((d * p for d, p in zip(sensitivities, held, strict=True)), Fraction(0))
    rounding = len(offered) * len(held)
    assert Loss.charge(exact).units - 1 <= spent <= Loss.charge(exact).units + rounding


@settings(deadline=None, max_examples=60)
@given(percent=st.integers(1, 100))
def test_a_share_is_never_exceeded_and_nearly_spent(ask: Ask, percent: int) -> None:
    priced = bought(ask(STORY), offer(share=str(percent)))
    allowed = GRANTED.mu2 * percent / 100
    assert priced.charge.mu2 <= allowed
    assert priced.charge.mu2 >= allowed * Fraction(999, 1000)


def test_the_charge_is_the_sum_of_its_events(ask: Ask) -> None:
    priced = bought(ask(STORY), offer(share="1"))
    assert priced.charge.units == sum(Loss.charge(event.mu2).units for event in priced.events)
    assert len(priced.events) == len(ask(STORY).plan.measures)


def test_a_share_is_split_over_distinct_measures(ask: Ask) -> None:
    one = bought(ask("SELECT COUNT(*) AS n FROM visits"), offer(share="1"))
    three = bought(ask("SELECT COUNT(*) AS n, SUM(age) AS a, COUNT(sex) AS s FROM visits"), offer(share="1"))  # fmt: skip
    assert one.wanted[0] > 2 * min(three.wanted)


@settings(deadline=None, max_examples=60)
@given(width=st.integers(1, 100_000))
def test_a_half_width_on_counts_and_sums_is_met(ask: Ask, width: int) -> None:
    question = ask("SELECT ward, SUM(cost) AS c FROM visits GROUP BY ward")
    priced = bought(question, offer(within={"c": str(width)}))
    step = question.plan.measures[0].step
    met = half_width(1 / priced.precisions[0], CONFIDENCE) * step
    assert met <= width
    assert met >= width * Fraction(999, 1000)


@settings(deadline=None, max_examples=60)
@given(hundredths=st.integers(1, 1000))
def test_a_half_width_on_a_mean_is_met_for_the_stated_size(ask: Ask, hundredths: int) -> None:
    question = ask("SELECT ward, AVG(stay_days) AS stay FROM visits GROUP BY ward")
    width = Fraction(hundredths, 100)
    priced = bought(question, offer(within={"stay": f"{hundredths / 100}"}))
    out = question.finish.outputs[1].out
    assert isinstance(out, MeanOut)
    assert priced.sizes[1] == 500_000
    expected = expected_width(
        question.plan.measures[out.total],
        Fraction(500_000),
        CONFIDENCE,
        priced.precisions[out.total],
        priced.precisions[out.count],
    )
    assert width * Fraction(99, 100) <= expected <= width


def test_a_mean_of_unknown_size_needs_a_count_first(ask: Ask) -> None:
    question = replace(
        ask("SELECT ward, AVG(stay_days) AS stay FROM visits GROUP BY ward"), rows=None
    )
    offered = offer(within={"stay": "0.5"})
    with pytest.raises(BadQuery) as caught:
        bought(question, offered)
    assert caught.value.code == "PL108"
    assert "--share" in caught.value.hint

    counts = [(Fraction(900), Fraction(1100), Fraction(-5)), None]
    priced = price(question, offered, nothing(question), GRANTED, DELTA, counts)
    assert priced.sizes[1] == 900
    # her count is better known now, and a little lower: the same ask is still free
    counts = [(Fraction(820), Fraction(1000), Fraction(2)), None]
    again = price(question, offered, priced.precisions, GRANTED, DELTA, counts)
    assert not again.charge


def test_a_count_she_holds_corrects_the_declared_size(ask: Ask) -> None:
    question = ask("SELECT ward, AVG(stay_days) AS stay FROM visits GROUP BY ward")
    offered = offer(within={"stay": "0.5"})
    counts = [(Fraction(1000),) * 3, None]
    first = price(question, offered, nothing(question), GRANTED, DELTA, counts)
    assert first.sizes[1] == 1000
    assert first.charge.units > bought(question, offered).charge.units
    later = [(Fraction(950),) * 3, None]
    assert not price(question, offered, first.precisions, GRANTED, DELTA, later).charge


def test_a_target_that_the_declared_size_missed_is_reached_by_asking_again(ask: Ask) -> None:
    """WHERE leaves far fewer rows than are declared; her first answer shows it."""
    question = ask("SELECT ward, AVG(stay_days) AS s FROM visits WHERE age > 99 GROUP BY ward")
    out = question.finish.outputs[1].out
    assert isinstance(out, MeanOut)
    offered = offer(within={"s": "0.5"})

    def width(priced: Priced) -> Fraction:
        measure = question.plan.measures[out.total]
        total, count = priced.precisions[out.total], priced.precisions[out.count]
        return expected_width(measure, Fraction(2000), CONFIDENCE, total, count)

    def seeing(count: int, held: Priced) -> Priced:
        counts: list[tuple[Fraction, ...] | None] = [None, None]
        counts[out.count] = (Fraction(count),) * 3
        return price(question, offered, held.precisions, GRANTED, DELTA, counts)

    first = bought(question, offered)
    assert width(first) > 100
    second = seeing(2000, first)
    assert second.charge
    assert width(second) <= Fraction(1, 2)
    for count in (2000, 1950, 1700, 2100, 600_000):
        assert not seeing(count, second).charge


@pytest.mark.parametrize("share", [90, 100, 120])
def test_a_count_about_the_declared_size_is_no_reason_to_charge_again(ask: Ask, share: int) -> None:
    question = ask("SELECT ward, AVG(stay_days) AS stay FROM visits GROUP BY ward")
    offered = offer(within={"stay": "0.5"})
    first = bought(question, offered)
    counts = [(Fraction(5000 * share),) * 3, None]
    assert not price(question, offered, first.precisions, GRANTED, DELTA, counts).charge


def test_an_epsilon_buys_the_loss_whose_curve_meets_it(ask: Ask) -> None:
    priced = bought(ask(STORY), offer(epsilon="0.5"))
    assert Fraction("0.49") < Fraction(epsilon_of(priced.charge.mu2, DELTA)) <= Fraction("0.5")


@pytest.mark.parametrize(
    ("given_", "confidence"),
    [
        ({"share": "0"}, "95"),
        ({"share": "-1"}, "95"),
        ({"share": "nan"}, "95"),
        ({"share": "inf"}, "95"),
        ({"share": "-Infinity"}, "95"),
        ({"share": "sNaN"}, "95"),
        ({"share": "100.001"}, "95"),
        ({"share": "one"}, "95"),
        ({"share": "1e-40"}, "95"),
        ({"share": "1e999999999"}, "95"),
        ({"share": "1_0e_"}, "95"),
        ({"epsilon": "nan"}, "95"),
        ({"epsilon": "0"}, "95"),
        ({"epsilon": "1%"}, "95"),
        ({"epsilon": "1001"}, "95"),
        ({"within": {}}, "95"),
        ({"within": {"n": "nan"}}, "95"),
        ({"within": {"n": "-3"}}, "95"),
        ({}, "95"),
        ({"share": "1", "epsilon": "1"}, "95"),
        ({"share": "1"}, "0"),
        ({"share": "1"}, "100"),
        ({"share": "1"}, "nan"),
        ({"share": "1"}, "1e3"),
    ],
)
def test_an_offer_that_is_no_positive_finite_amount_is_refused(
    given_: dict[str, object], confidence: str
) -> None:
    with pytest.raises(BadQuery) as caught:
        Offer.parse(Price(**given_), confidence)  # type: ignore[arg-type]
    assert caught.value.code == "PL108"


@pytest.mark.parametrize(
    ("text", "given_", "word"),
    [
        (STORY, {"within": {"*": "5"}}, "share a unit"),
        (STORY, {"within": {"n": "5"}}, "no half-width"),
        (STORY, {"within": {"ward": "5"}}, "no column ward"),
        (STORY, {"within": {"nn": "5"}}, "no column nn"),
        ("SELECT COUNT(*) AS n FROM visits", {"within": {"n": "0.5"}}, "steps of 1"),
        ("SELECT COUNT(*) AS n FROM visits", {"share": "1e-25"}, "nothing"),
        (
            "SELECT SUM(LEAST(GREATEST(score, 0), 16000000)) AS n FROM visits",
            {"share": "1e-11"},
            "drown",
        ),
        ("SELECT COUNT(*) AS n FROM visits", {"within": {"n": "0.5000000001"}}, "finer"),
        ("SELECT AVG(age) AS n FROM visits", {"within": {"n": "1e-20"}}, "finer"),
        (
            "SELECT COUNT(*) AS n FROM visits HAVING SUM(age) > 5",
            {"within": {"n": "5"}},
            "HAVING",
        ),
    ],
)
def test_a_price_that_does_not_fit_the_question_is_refused(
    ask: Ask, text: str, given_: dict[str, object], word: str
) -> None:
    with pytest.raises(BadQuery, match=word) as caught:
        bought(ask(text), offer(**given_))
    assert caught.value.code == "PL108"
    assert caught.value.hint


@pytest.mark.parametrize("currency", Currency)
@pytest.mark.parametrize("width", ["60", "1e10"])
def test_a_mean_is_in_its_clamp_for_nothing(ask: Ask, currency: Currency, width: str) -> None:
    """stay_days is clamped to 0..60: a half-width of 60 says nothing, and would cost all the same."""
    question = replace(
        ask("SELECT ward, AVG(stay_days) AS stay FROM visits GROUP BY ward"), currency=currency
    )
    with pytest.raises(BadQuery) as caught:
        bought(question, offer(within={"stay": width}))
    assert caught.value.code == "PL108"
    assert "the values are clamped to 0..60" in caught.value.what
    assert caught.value.hint == "--within stay=3"
    assert bought(question, offer(within={"stay": "59.9"})).charge
    assert bought(question, offer(within={"stay": "3"})).charge


def test_a_bare_number_fits_columns_of_one_unit(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) AS n, COUNT(sex) AS s FROM visits")
    assert bought(question, offer(within={"*": "25"})).charge


def test_noise_never_exceeds_what_is_missing(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) AS n FROM visits")
    coarse = bought(question, offer(share="1"))
    fine = bought(question, offer(share="4"), coarse.precisions)
    noise = fine.noises[0]
    assert isinstance(noise, RoundedGaussian)
    assert noise.precision <= fine.wanted[0] - coarse.precisions[0]
    assert 3 * Fraction(99, 100) <= fine.charge.mu2 / coarse.charge.mu2 <= 3 * Fraction(101, 100)


def test_a_lesser_offer_after_a_better_one_is_free(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) AS n FROM visits")
    fine = bought(question, offer(share="4"))
    assert not bought(question, offer(share="1"), fine.precisions).charge


@pytest.mark.parametrize(
    ("within", "what", "hint"),
    [
        ({"*": "5%"}, "a half-width is a number above zero, in the column's unit, this is 5%", "--within 25"),
        ({"*": "0"}, "a half-width is a number above zero, in the column's unit, this is 0", "--within 25"),
        ({"n": "x"}, "a half-width of n is a number above zero, in the column's unit, this is x", "--within n=25"),
    ],
)  # fmt: skip
def test_a_half_width_that_is_none_is_called_one(
    within: dict[str, str], what: str, hint: str
) -> None:
    with pytest.raises(BadQuery) as caught:
        Offer.parse(Price(within=within), "95")
    assert (caught.value.code, caught.value.what, caught.value.hint) == ("PL108", what, hint)


@pytest.mark.parametrize("level", ["99.99999", "100", "150"])
def test_the_largest_confidence_is_named(level: str) -> None:
    with pytest.raises(BadQuery) as caught:
        Offer.parse(Price(share="1"), level)
    assert caught.value.what == f"a confidence is at most 99.9999 %, this is {level}"
