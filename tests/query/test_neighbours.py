"""The cheaper neighbour: its saving is exact, and what it says to type compiles to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from privlab.query.neighbours import MOST, WORTHWHILE, Neighbour, Way, neighbours
from privlab.query.plan import MeasureKind, Question
from privlab.query.price import Offer, price
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Table
from privlab.terms.loss import Currency, Loss
from privlab.wire.messages import Price

Ask = Callable[..., Question]
GRANTED = Loss.budget(Fraction(1, 4))
DELTA = Fraction(1, 10**6)


def found(
    question: Question, table: Table, confidence: str = "95", *, within: bool = False
) -> dict[Way, Neighbour]:
    offer = Offer.parse(Price(share="1"), confidence)
    none = (Fraction(0),) * len(question.plan.measures)
    priced = price(question, offer, none, GRANTED, DELTA)
    return {one.way: one for one in neighbours(question, priced, table, within=within)}


def sensitivity(question: Question, kind: MeasureKind) -> int:
    """Squared, of the one measure of this kind."""
    (measure,) = (one for one in question.plan.measures if one.kind is kind)
    return measure.squared_sensitivity(question.plan.bound)


COUNTS = [
    ("SELECT COUNT(*) AS n FROM visits", "SELECT {} AS n FROM visits"),
    (
        "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward",
        "SELECT ward, {} AS n FROM visits GROUP BY ward",
    ),
    ("visits.select(n=pl.len())", "visits.select(n={})"),
    ('visits.group_by("ward").agg(n=pl.len())', 'visits.group_by("ward").agg(n={})'),
]


@pytest.mark.parametrize(("text", "other"), COUNTS)
def test_counting_units_is_said_with_its_exact_saving(
    ask: Ask, visits: Table, text: str, other: str
) -> None:
    one = found(ask(text), visits)[Way.UNITS]
    rows = sensitivity(ask(text), MeasureKind.ROWS)
    units = sensitivity(ask(other.format(one.typed)), MeasureKind.UNITS)
    assert one.saving == Fraction(rows, units)
    assert one.typed in one.words


def test_counting_patients_costs_a_64th_of_counting_visits(ask: Ask, visits: Table) -> None:
    one = found(ask("SELECT COUNT(*) AS n FROM visits"), visits)[Way.UNITS]
    assert one.words == (
        "counting patients, COUNT(DISTINCT patient_id), costs 1/64 of counting visits at the same "
        "half-width"
    )


CLIPS = [
    ("SELECT SUM(stay_days) AS s FROM visits", "SELECT {} AS s FROM visits"),
    ("SELECT AVG(cost) AS s FROM visits", "SELECT {} AS s FROM visits"),
    (
        "SELECT SUM(LEAST(GREATEST(score, 0), 365)) AS s FROM visits",
        "SELECT {} AS s FROM visits",
    ),
    (
        "SELECT SUM(LEAST(GREATEST(score, -60), 40)) AS s FROM visits",
        "SELECT {} AS s FROM visits",
    ),
    ('visits.select(s=pl.col("stay_days").mean())', "visits.select(s={})"),
    ('visits.select(s=pl.col("score").clip(-90, 0).sum())', "visits.select(s={})"),
]


@pytest.mark.parametrize(("text", "other"), CLIPS)
def test_a_narrower_clip_is_said_with_its_exact_saving(
    ask: Ask, visits: Table, text: str, other: str
) -> None:
    one = found(ask(text), visits)[Way.CLIP]
    narrow = ask(other.format(one.typed))
    assert one.saving == Fraction(
        sensitivity(ask(text), MeasureKind.SUM), sensitivity(narrow, MeasureKind.SUM)
    )
    assert one.saving >= 4
    assert "what lies beyond then counts as" in one.words


def test_the_average_of_a_sum_and_a_count_needs_a_cheaper_sum(ask: Ask, visits: Table) -> None:
    for text in (
        "SELECT SUM(stay_days) AS s, COUNT(*) AS n FROM visits",
        "SELECT SUM(stay_days) / COUNT(*) AS r FROM visits",
        'visits.select(s=pl.col("stay_days").sum() / pl.len())',
    ):
        question = ask(text)
        priced = price(
            question, Offer.parse(Price(share="1"), "95"), (Fraction(0),) * 2, GRANTED, DELTA
        )
        every = neighbours(question, priced, visits, within=False)
        one = next(one for one in every if one.way is Way.MEAN)
        mean = ask(
            f"SELECT {one.typed} AS a FROM visits"
            if question.sql
            else f"visits.select(a={one.typed})"
        )
        assert one.saving == Fraction(
            sensitivity(question, MeasureKind.SUM), sensitivity(mean, MeasureKind.SUM)
        )
        assert one.saving == 4


def test_a_sum_alone_is_not_taken_for_an_average(ask: Ask, visits: Table) -> None:
    assert Way.MEAN not in found(ask("SELECT SUM(stay_days) AS s FROM visits"), visits)


@pytest.mark.parametrize(
    ("text", "other", "groups"),
    [
        (
            "SELECT admitted, SUM(stay_days) AS n FROM visits GROUP BY admitted",
            "SELECT {0} AS m, SUM(stay_days) AS n FROM visits GROUP BY {0}",
            (731, 24),
        ),
        (
            'visits.group_by(m=pl.col("admitted").dt.truncate("1w")).agg(n=pl.len())',
            "visits.group_by(m={0}).agg(n=pl.len())",
            (106, 8),
        ),
        (
            "SELECT age, COUNT(*) AS n FROM visits GROUP BY age",
            "SELECT {0} AS a, COUNT(*) AS n FROM visits GROUP BY {0}",
            (111, 12),
        ),
    ],
)
def test_coarser_groups_are_larger_and_the_same_percent_costs_less(
    ask: Ask, visits: Table, text: str, other: str, groups: tuple[int, int]
) -> None:
    one = found(ask(text), visits)[Way.COARSER]
    assert (ask(text).plan.cells, ask(other.format(one.typed)).plan.cells) == groups
    assert one.saving == Fraction(*groups) ** 2
    assert f"{groups[1]} groups instead of {groups[0]}" in one.words


def test_fewer_groups_than_a_unit_is_in_cost_what_they_cost(ask: Ask, visits: Table) -> None:
    """Three groups of a unit become two: its rows are in fewer, and each holds more."""
    text = "SELECT DATE_TRUNC('quarter', admitted) AS q, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY q"
    one = found(ask(text), visits)[Way.COARSER]
    assert one.saving == Fraction(8, 2) ** 2 / Fraction(2, 3)


def test_a_lower_confidence_is_offered_for_half_widths_alone(ask: Ask, visits: Table) -> None:
    question = ask("SELECT COUNT(DISTINCT patient_id) AS n FROM visits")
    assert not found(question, visits, "99.9")
    one = found(question, visits, "99.9", within=True)[Way.CONFIDENCE]
    assert one.typed == "--confidence 95"
    assert Fraction(281, 100) < one.saving < Fraction(283, 100)
    assert not found(question, visits, "95", within=True)


def test_what_is_held_has_no_cheaper_neighbour(ask: Ask, visits: Table) -> None:
    question = ask("SELECT COUNT(*) AS n, SUM(stay_days) AS s FROM visits")
    offer = Offer.parse(Price(share="1"), "95")
    first = price(question, offer, (Fraction(0),) * 2, GRANTED, DELTA)
    again = price(question, offer, first.precisions, GRANTED, DELTA)
    assert neighbours(question, first, visits, within=False)
    assert neighbours(question, again, visits, within=False) == ()


def test_nothing_is_offered_that_saves_less_than_half(ask: Ask, visits: Table) -> None:
    for text in (
        "SELECT COUNT(DISTINCT patient_id) AS n FROM visits",
        "SELECT MEDIAN(stay_days) AS m FROM visits",
        "SELECT AVG(stay_days) AS s, COUNT(stay_days) AS n FROM visits WHERE stay_days < 5",
        "SELECT SUM(LEAST(GREATEST(score, 100), 200)) AS s FROM visits",
    ):
        assert not found(ask(text), visits), text
    question = ask("SELECT COUNT(*) AS n FROM visits")
    single = replace(question, plan=replace(question.plan, bound=ContributionBound(1, 1, 1)))
    assert not found(single, one_row(visits))


def test_units_are_not_offered_where_the_question_may_not_name_them(
    ask: Ask, visits: Table
) -> None:
    both = "SELECT age FROM visits UNION ALL SELECT stay_days AS age FROM visits"
    assert not found(ask(f"SELECT COUNT(*) AS n FROM ({both}) v"), visits)


def test_the_best_two_are_named_and_the_cheapest_first(ask: Ask, visits: Table) -> None:
    question = ask(
        "SELECT admitted, COUNT(*) AS n, SUM(stay_days) AS s FROM visits GROUP BY admitted"
    )
    every = list(found(question, visits).values())
    assert len(every) == MOST
    assert every[0].saving >= every[1].saving >= WORTHWHILE
    assert [one.way for one in every] == [Way.COARSER, Way.UNITS]


def test_of_a_pure_dataset_losses_go_with_half_widths(ask: Ask, visits: Table) -> None:
    question = replace(ask("SELECT COUNT(*) AS n FROM visits"), currency=Currency.PURE)
    assert found(question, visits)[Way.UNITS].saving == 8


def one_row(table: Table) -> Table:
    return replace(table, bound=ContributionBound(1, 1, 1))
