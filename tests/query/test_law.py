"""Questions to a pure dataset: epsilons add, and a finer answer is a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accuracy import laplace
from privlab.accuracy.confidence import simultaneous
from privlab.errors import BadQuery
from privlab.query.canonical import question_id
from privlab.query.compile import compile_question
from privlab.query.explain import explain
from privlab.query.finish import finish
from privlab.query.joint import purchases
from privlab.query.law import law_of
from privlab.query.plan import MeanOut, Question
from privlab.query.price import Offer, Priced, price
from privlab.query.words import caption, what_fits
from privlab.terms.catalog import Catalog, Table
from privlab.terms.events import LaplaceEvent
from privlab.terms.loss import Currency, Loss
from privlab.terms.noise import DiscreteLaplace, RoundedGaussian
from privlab.wire.messages import Price

GRANTED = Loss.budget(Fraction(1))
CONFIDENCE = Fraction(95)
LAW = law_of(Currency.PURE)
STORY = (
    "SELECT ward, COUNT(*) AS n, AVG(stay_days) AS stay, SUM(cost) AS c, "
    "COUNT(DISTINCT patient_id) AS p FROM visits WHERE age >= 65 GROUP BY ward"
)
SUMS = "SELECT ward, COUNT(*) AS n, SUM(cost) AS c FROM visits GROUP BY ward"
MEANS = "SELECT ward, AVG(stay_days) AS stay FROM visits GROUP BY ward"

Ask = Callable[[str], Question]


@pytest.fixture(scope="session")
def pure(visits: Table) -> Table:
    return replace(visits, currency=Currency.PURE)


@pytest.fixture(scope="session")
def ask_pure(pure: Table) -> Ask:
    return lambda text: compile_question(text, {}, Catalog((pure,)))


@pytest.fixture(scope="session")
def of_sums(ask: Callable[..., Question]) -> Question:
    """A mean from a sum and a count, as it is where shares do not fit."""
    return replace(ask(MEANS), currency=Currency.PURE)


def bought(
    question: Question, held: tuple[Fraction, ...] | None = None, **given_: object
) -> Priced:
    offer = Offer.parse(Price(**given_), "95")  # type: ignore[arg-type]
    none = (Fraction(0),) * len(question.plan.measures)
    return price(question, offer, held or none, GRANTED, Fraction(1, 10**6))


def test_a_question_is_the_same_question_in_either_currency(
    ask_pure: Ask, ask: Callable[..., Question]
) -> None:
    """But for means and variances, which are made of shares in a pure dataset."""
    assert question_id(ask_pure(SUMS)) == question_id(ask(SUMS))
    assert question_id(ask_pure(STORY)) != question_id(ask(STORY))
    assert (ask_pure(STORY).currency, ask(STORY).currency) == (Currency.PURE, Currency.GDP)


@settings(deadline=None, max_examples=60)
@given(percent=st.integers(1, 100))
def test_a_share_is_never_exceeded_and_nearly_spent(ask_pure: Ask, percent: int) -> None:
    priced = bought(ask_pure(STORY), share=str(percent))
    allowed = GRANTED.amount * percent / 100
    assert allowed * Fraction(999, 1000) <= priced.charge.amount <= allowed


def test_a_charge_is_the_sum_of_its_epsilons(ask_pure: Ask) -> None:
    question = ask_pure(STORY)
    priced = bought(question, share="3")
    epsilons = []
    for event, one in zip(priced.events, purchases(question), strict=True):
        assert isinstance(event, LaplaceEvent)
        assert isinstance(event.noise, DiscreteLaplace)
        assert event.sensitivity == one.sensitivity
        epsilons.append(event.epsilon)
    assert priced.charge.units == sum(Loss.charge(epsilon).units for epsilon in epsilons)


@settings(deadline=None, max_examples=60)
@given(thousandths=st.integers(1, 5000))
def test_an_epsilon_is_what_is_paid_for_it(ask_pure: Ask, thousandths: int) -> None:
    """Epsilons add in a pure dataset, so the one asked for is the one charged."""
    epsilon = Fraction(thousandths, 1000)
    priced = bought(ask_pure(STORY), epsilon=str(float(epsilon)))
    assert epsilon * Fraction(999, 1000) <= priced.charge.amount <= epsilon


@settings(deadline=None, max_examples=60)
@given(first=st.integers(1, 100), second=st.integers(1, 100))
def test_the_same_or_less_is_free_and_more_is_paid_in_full(
    ask_pure: Ask, first: int, second: int
) -> None:
    question = ask_pure(STORY)
    one = bought(question, share=str(first))
    two = bought(question, one.precisions, share=str(second))
    if second <= first:
        assert two.charge == Loss(0)
        assert two.precisions == one.precisions
    else:
        alone = bought(question, share=str(second))
        assert two.charge == alone.charge
        assert two.noises == alone.noises
        assert two.precisions == alone.precisions


@settings(deadline=None, max_examples=60)
@given(width=st.integers(1, 100_000))
def test_a_half_width_is_met_by_the_least_noise_that_meets_it(ask_pure: Ask, width: int) -> None:
    question = ask_pure("SELECT ward, SUM(cost) AS c FROM visits GROUP BY ward")
    priced = bought(question, within={"c": str(width)})
    (noise,) = priced.noises
    assert isinstance(noise, DiscreteLaplace)
    steps = width / question.plan.measures[0].step
    assert laplace.half_width(noise, CONFIDENCE) <= steps
    if noise.shift == 0:
        assert laplace.half_width(DiscreteLaplace(noise.multiplier + 1, 0), CONFIDENCE) > steps


@settings(deadline=None, max_examples=60)
@given(hundredths=st.integers(1, 1000))
def test_a_half_width_on_a_mean_is_met_for_the_stated_size(
    of_sums: Question, hundredths: int
) -> None:
    question = of_sums
    width = Fraction(hundredths, 100)
    priced = bought(question, within={"stay": str(float(width))})
    mean = question.finish.outputs[1].out
    assert isinstance(mean, MeanOut)
    assert question.rows is not None
    total, count = priced.precisions[mean.total], priced.precisions[mean.count]
    size = Fraction(question.rows, 3)
    met = LAW.mean_width(question.plan.measures[mean.total], size, CONFIDENCE, total, count)
    assert width * Fraction(98, 100) <= met <= width


def test_a_mean_within_its_price_has_the_interval_that_was_promised(of_sums: Question) -> None:
    """At the size and the mean that the price assumed, and no noise drawn."""
    question = of_sums
    priced = bought(question, within={"stay": "0.5"})
    mean = question.finish.outputs[1].out
    assert isinstance(mean, MeanOut)
    rows, off = 500_000, question.plan.measures[mean.total].radius // 2
    vectors = [(Fraction(0),) * 3] * 2
    vectors[mean.total], vectors[mean.count] = (Fraction(rows * off),) * 3, (Fraction(rows),) * 3
    shown = finish(question, vectors, priced.precisions, CONFIDENCE)
    widths = [width for _, width in shown.half_widths]
    assert all(width is not None and width <= Fraction(1, 2) for width in widths)
    assert shown.rows[0][1] == 45


def test_what_meets_a_target_on_a_mean_stays_free(of_sums: Question) -> None:
    question = of_sums
    first = bought(question, within={"stay": "0.5"})
    counts = [None, None]
    mean = question.finish.outputs[1].out
    assert isinstance(mean, MeanOut)
    counts[mean.count] = (Fraction(499_900),) * 3  # type: ignore[call-overload]
    offer = Offer.parse(Price(within={"stay": "0.5"}), "95")
    again = price(question, offer, first.precisions, GRANTED, Fraction(1, 10**6), counts)
    assert again.charge == Loss(0)


@pytest.mark.parametrize("tilt", [Fraction(1, 2), Fraction(4, 5), Fraction(5, 4), Fraction(2)])
def test_no_split_of_a_mean_is_cheaper(of_sums: Question, tilt: Fraction) -> None:
    """Half-widths h and g of sum and count with (h + r g) / (N - g) = w, loss R / h + 1 / g."""
    question = of_sums
    mean = question.finish.outputs[1].out
    assert isinstance(mean, MeanOut)
    measure, size, width = question.plan.measures[mean.total], Fraction(10_000), Fraction(1)
    total, count = LAW.for_mean(measure, width, size, CONFIDENCE, Fraction(0), Fraction(0))
    each = simultaneous(CONFIDENCE, 2)
    other_count = tilt * LAW.half_width(count, each)
    other_total = width * size - (Fraction(measure.radius, 2) + width) * other_count
    if other_total > 0:
        other = measure.radius * LAW.precision_for(other_total, each)
        other += LAW.precision_for(other_count, each)
        assert measure.radius * total + count < other


def test_a_price_finer_than_whole_steps_is_refused(ask_pure: Ask) -> None:
    with pytest.raises(BadQuery, match="finer than a released number"):
        bought(ask_pure("SELECT COUNT(*) AS n FROM visits"), epsilon="1000")


def test_prices_say_that_a_finer_answer_is_paid_in_full(ask_pure: Ask) -> None:
    question = ask_pure(STORY)
    shown = explain(question, bought(question, share="1"), GRANTED, GRANTED)
    assert "in a pure dataset a finer answer is paid in full" in shown.words
    assert "four times" not in shown.words


def test_half_of_an_epsilon_buys_twice_the_half_width() -> None:
    words = what_fits(Loss(100), Loss(1000), Fraction(1, 4), Currency.PURE)
    assert words == "10 % is left, which buys half-widths 4 times as wide"


def test_a_caption_says_that_the_guarantee_has_no_delta(ask_pure: Ask, pure: Table) -> None:
    assert "discrete Laplace" in caption(ask_pure(STORY), pure)


def test_a_caption_names_no_noise_where_values_are_chosen(ask_pure: Ask, pure: Table) -> None:
    words = caption(ask_pure("SELECT MEDIAN(stay_days) AS m FROM visits"), pure)
    assert "Laplace" not in words
    assert "without a delta" in words


def test_a_law_takes_no_event_of_the_other() -> None:
    with pytest.raises(TypeError):
        LAW.event(1, RoundedGaussian(1, 0))
    with pytest.raises(TypeError):
        law_of(Currency.GDP).event(1, DiscreteLaplace(1, 0))
