"""Intervals that hold at once: bought, stated, and covering together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from privlab.accuracy.confidence import outside
from privlab.errors import BadQuery
from privlab.query.explain import explain
from privlab.query.finish import finish
from privlab.query.law import law_of
from privlab.query.plan import Question
from privlab.query.price import Offer, Priced, price
from privlab.query.simultaneous import each
from privlab.query.words import caption, rank_words
from privlab.terms.catalog import Table
from privlab.terms.groups import ShownGroups
from privlab.terms.loss import Currency, Delta, Loss
from privlab.terms.noise import RoundedGaussian
from privlab.wire.messages import Price

Ask = Callable[..., Question]
CONFIDENCE = Fraction(95)
GRANTED = Loss.budget(Fraction(1, 4))
DELTA = Fraction(1, 10**6)
TEXT = "SELECT ward, sex, COUNT(*) AS n, AVG(stay_days) AS stay FROM visits GROUP BY ward, sex"
COUNTS = "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"
CURRENCIES = pytest.mark.parametrize("currency", list(Currency))


def offered(question: Question, *, together: bool, **kinds: object) -> Priced:
    offer = Offer.parse(Price.model_validate(kinds), "95", together=together)
    return price(question, offer, (Fraction(0),) * len(question.plan.measures), GRANTED, DELTA)


def missed(question: Question) -> Fraction:
    return outside(each(question, CONFIDENCE, together=True))


def test_each_of_many_must_miss_less_and_alone_it_is_as_usual(ask: Ask) -> None:
    assert each(ask(TEXT), CONFIDENCE, together=False) == CONFIDENCE
    assert each(ask("SELECT COUNT(*) AS n FROM visits"), CONFIDENCE, together=True) == CONFIDENCE
    one, three = missed(ask("SELECT COUNT(*) AS n FROM visits")), missed(ask(COUNTS))
    assert one / 3 < three < one / 2
    both = missed(ask(TEXT))
    assert one / 18 < both < one / 17


def test_what_chance_is_split_by_is_every_interval_and_nothing_else(ask: Ask) -> None:
    """Keys, ranks and constants have none; a quantile's ranks are one; a window shares noise."""
    half = missed(ask("SELECT COUNT(*) AS n, MEDIAN(age) AS m FROM visits"))
    assert half == Fraction(5, 200)
    twice = ask("SELECT COUNT(*) AS n, COUNT(*) AS again, 1 AS one FROM visits")
    assert missed(twice) == Fraction(5, 100)
    ranked = ask(
        "SELECT ward, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*)) AS k FROM visits GROUP BY ward"
    )
    assert missed(ranked) == Fraction(5, 300)
    shares = ask(
        "SELECT ward, COUNT(*) AS n, COUNT(*) / SUM(COUNT(*)) OVER () AS s FROM visits GROUP BY ward"
    )
    assert missed(shares) == Fraction(5, 600)


@CURRENCIES
def test_a_half_width_is_met_by_all_at_once(ask: Ask, currency: Currency) -> None:
    question = replace(ask(COUNTS), currency=currency)
    alone, together = (
        offered(question, together=at_once, within={"n": "250"}) for at_once in (False, True)
    )
    assert together.precisions[0] > alone.precisions[0]
    assert together.charge > alone.charge
    shown = finish(question, [[Fraction(9)] * 3], together.precisions, CONFIDENCE, together=True)
    widths = [width for row in shown.half_widths for width in row if width is not None]
    assert len(widths) == 3
    assert all(Fraction(249) < width <= 250 for width in widths)
    assert shown.confidence == CONFIDENCE
    law = law_of(currency)
    assert law.half_width(alone.precisions[0], together.each) > 250


def test_a_share_buys_the_same_and_states_wider_ones(ask: Ask) -> None:
    question = ask(TEXT)
    alone, together = (offered(question, together=at_once, share="1") for at_once in (False, True))
    assert together.noises == alone.noises
    assert together.charge == alone.charge
    for a, b in zip(
        explain(question, alone, GRANTED, GRANTED).columns,
        explain(question, together, GRANTED, GRANTED).columns,
        strict=True,
    ):
        assert Fraction(b.half_width) > Fraction(a.half_width)


def test_explain_and_caption_say_that_they_hold_at_once(ask: Ask, visits: Table) -> None:
    question = ask(TEXT)
    words = "the half-widths of all 9 groups and all 2 columns hold at once"
    priced = offered(question, together=True, share="1")
    assert words in explain(question, priced, GRANTED, GRANTED).words
    assert words in caption(question, visits, together=True)
    assert words not in caption(question, visits)
    alone = explain(question, offered(question, together=False, share="1"), GRANTED, GRANTED)
    assert words not in alone.words


def test_rows_that_noise_chose_are_covered_too(ask: Ask, visits: Table) -> None:
    question = ask(f"{COUNTS} HAVING COUNT(*) > 100")
    said = caption(question, visits, together=True)
    assert "hold at once" in said
    assert "before noisy values chose" not in said


def test_ranks_of_a_quantile_hold_with_the_rest(ask: Ask) -> None:
    question = ask("SELECT ward, MEDIAN(age) AS m FROM visits GROUP BY ward")
    alone = rank_words(question, [Fraction(1, 10)], CONFIDENCE)[0]
    together = rank_words(question, [Fraction(1, 10)], CONFIDENCE, together=True)[0]
    assert together.endswith("at 95 %, with all else that is stated")
    assert int(together.split()[3].replace(",", "")) > int(alone.split()[3].replace(",", ""))


def test_windows_over_chosen_rows_are_refused(ask: Ask) -> None:
    question = ask(
        "SELECT ward, COUNT(*) AS n, SUM(COUNT(*)) OVER () AS s FROM visits GROUP BY ward "
        "HAVING COUNT(*) > 100"
    )
    with pytest.raises(BadQuery) as caught:
        offered(question, together=True, share="1")
    assert caught.value.code == "PL108"
    assert offered(question, together=False, share="1").charge


@CURRENCIES
def test_all_intervals_of_an_answer_cover_together(ask: Ask, currency: Currency) -> None:
    """600 answers of nine counts, means and totals; 95 % of them have no interval that misses.

    Per cell the same noise leaves about one answer in three without a miss.
    """
    question = replace(
        ask(
            "SELECT ward, sex, COUNT(*) AS n, AVG(stay_days) AS stay, "
            "COUNT(*) FILTER (WHERE urgent) AS u FROM visits GROUP BY ward, sex"
        ),
        currency=currency,
    )
    plan, random = question.plan, np.random.default_rng(20)
    sigma = 6.0
    precision = Fraction(1, 36) if currency is Currency.GDP else Fraction(1, 6)
    exact = [[40 * (at + 1) + 7 * cell for cell in range(9)] for at in range(len(plan.measures))]
    truth = finish(
        question,
        [[Fraction(x) for x in one] for one in exact],
        [Fraction(1, 1)] * len(exact),
        CONFIDENCE,
    ).rows
    held = {False: 0, True: 0}
    for _ in range(600):
        noise = (
            np.rint(random.normal(0, sigma, (len(exact), 9)))
            if currency is Currency.GDP
            else np.rint(random.laplace(0, 6.0, (len(exact), 9)))
        )
        vectors = [
            [Fraction(x + int(e)) for x, e in zip(one, errors, strict=True)]
            for one, errors in zip(exact, noise, strict=True)
        ]
        for together in held:
            shown = finish(
                question, vectors, [precision] * len(exact), CONFIDENCE, together=together
            )
            held[together] += all(
                width is None or abs(value - true) <= width  # type: ignore[operator]
                for values, trues, widths in zip(shown.rows, truth, shown.half_widths, strict=True)
                for value, true, width in zip(values, trues, widths, strict=True)
            )
    assert held[True] >= 0.95 * 600 - 3 * (600 * 0.95 * 0.05) ** 0.5
    assert held[False] < held[True] - 100


# --- groups that a threshold shows ---

FOUND = "SELECT note, COUNT(DISTINCT patient_id) AS p, COUNT(*) AS n FROM visits GROUP BY note"
THRESHOLDS = Delta.budget(DELTA / 10)


def found_price(question: Question, *, together: bool, **kinds: object) -> Priced:
    offer = Offer.parse(Price.model_validate(kinds), "95", together=together)
    held = (Fraction(0),) * len(question.plan.measures)
    return price(question, offer, held, GRANTED, DELTA, None, THRESHOLDS)


def test_of_shown_groups_as_many_hold_as_there_can_be(ask: Ask, visits: Table) -> None:
    """A z of 4.7 in place of 1.96, and a price that grows by its square: no more."""
    question = ask(FOUND)
    assert question.plan.cells == 10_000
    assert float(missed(question)) == pytest.approx((1 - 0.95**1e-4) / 2, rel=1e-6)
    alone, together = (
        found_price(question, together=at_once, within={"n": "250", "p": "250"})
        for at_once in (False, True)
    )
    for finer, usual in zip(together.precisions, alone.precisions, strict=True):
        assert 5 < finer / usual < 7
    assert together.threshold is not None
    words = "the half-widths of all groups that are shown and all 2 columns hold at once"
    assert words in explain(question, together, GRANTED, GRANTED, thresholds=THRESHOLDS).words
    assert words in caption(question, visits, together=True)


def test_a_share_buys_the_same_threshold_whether_intervals_hold_at_once(ask: Ask) -> None:
    question = ask(FOUND)
    alone, together = (
        found_price(question, together=at_once, share="1") for at_once in (False, True)
    )
    assert together.threshold == alone.threshold
    assert (together.noises, together.charge, together.delta) == (
        alone.noises,
        alone.charge,
        alone.delta,
    )


@pytest.mark.parametrize("most", [200, 20], ids=["by the threshold", "the largest alone"])
def test_all_intervals_of_shown_groups_cover_together(ask: Ask, most: int) -> None:
    """300 answers of 60 groups, some far below the threshold, some near it, some above."""
    question = ask(
        "SELECT note, COUNT(DISTINCT patient_id) AS p, COUNT(*) AS n, "
        "SUM(COUNT(*)) OVER () AS t FROM visits GROUP BY note"
    )
    question = replace(question, plan=replace(question.plan, row_cap=most))
    plan, random = question.plan, np.random.default_rng(31)
    sigma, threshold = 6.0, 40
    noise = RoundedGaussian.at_most(Fraction(1, 36))
    units = np.array([10 + at for at in range(60)])
    exact = [units if at == plan.tested else 3 * units for at in range(len(plan.measures))]
    held, runs, shown_groups = {True: 0, False: 0}, 300, set()
    for _ in range(runs):
        noisy = [one + np.rint(random.normal(0, sigma, 60)).astype(int) for one in exact]
        counts = noisy[plan.tested]
        reached = np.flatnonzero(counts >= threshold)
        chosen = sorted(reached[np.argsort(-counts[reached], kind="stable")][: plan.cells])
        shown_groups.add(len(chosen))
        groups = ShownGroups(threshold, tuple((f"{at:02}",) for at in chosen))
        vectors = [[Fraction(int(one[at])) for at in chosen] for one in noisy]
        total = sum(3 * int(units[at]) for at in chosen)
        for together in held:
            answer = finish(
                question,
                vectors,
                (noise.precision,) * len(vectors),
                Fraction(95),
                groups=groups,
                together=together,
            )
            true = [
                (None, int(units[int(str(row[0]))]), 3 * int(units[int(str(row[0]))]), total)
                for row in answer.rows
            ]
            held[together] += all(
                width is None or abs(value - exactly) <= width  # type: ignore[operator]
                for values, trues, widths in zip(answer.rows, true, answer.half_widths, strict=True)
                for value, exactly, width in zip(values, trues, widths, strict=True)
            )
    assert max(shown_groups) <= plan.cells
    assert held[True] >= 0.95 * runs - 3 * (runs * 0.95 * 0.05) ** 0.5
    assert held[False] < held[True] - 50
