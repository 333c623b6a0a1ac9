"""Captions and amounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.query.compile import compile_question
from privlab.query.plan import Question
from privlab.query.words import (
    caption,
    decimals_for,
    more_like_this,
    percent,
    plural,
    price_words,
    rank_words,
    selects,
    significant,
    what_fits,
)
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog, Table
from privlab.terms.loss import NOTHING, Loss

Ask = Callable[..., Question]


def test_a_caption_says_what_was_counted(ask: Ask, visits: Table) -> None:
    question = ask("SELECT ward, AVG(stay_days) AS stay, COUNT(*) FROM visits GROUP BY ward")
    assert caption(question, visits) == (
        "at most 8 visits per patient, 4 in one group; stay_days clamped to 0..60; "
        "not the total or average of all rows"
    )
    few = replace(visits, synthetic=True)
    assert caption(ask("SELECT COUNT(*) FROM visits"), few) == (
        "at most 8 visits per patient; not the total of all rows; synthetic data"
    )


def test_a_caption_of_averages_speaks_of_averages(ask: Ask, visits: Table) -> None:
    assert caption(ask("SELECT AVG(stay_days) FROM visits"), visits) == (
        "the average over at most 8 visits per patient, not over all visits; "
        "stay_days clamped to 0..60"
    )


def test_a_caption_of_units_speaks_of_groups_alone(ask: Ask, visits: Table) -> None:
    """All rows of a unit are looked at, so the bound on rows leaves nothing out."""
    units = "COUNT(DISTINCT patient_id) AS p FROM visits"
    assert caption(ask(f"SELECT {units}"), visits) == "each patient counts once"
    assert caption(ask(f"SELECT MONTH(admitted), {units} GROUP BY 1"), visits) == (
        "each patient counts in at most 3 groups"
    )
    assert caption(ask(f"SELECT urgent, {units} GROUP BY 1"), visits) == (
        "each patient counts once in a group"
    )
    both = caption(ask(f"SELECT MONTH(admitted), COUNT(*), {units} GROUP BY 1"), visits)
    assert both == (
        "at most 8 visits per patient, 4 in one group, 3 groups; not the total of all rows"
    )


def test_one_row_per_unit_leaves_nothing_out(visits: Table) -> None:
    single = replace(visits, bound=ContributionBound(1, 1, 1), rows=None, units=None)

    def said(table: Table, text: str) -> str:
        return caption(compile_question(text, {}, Catalog((table,))), table)

    counts, means = "SELECT ward, COUNT(*) FROM visits GROUP BY 1", "SELECT AVG(age) FROM visits"
    assert said(single, counts) == "at most 1 row of visits per patient"
    assert said(single, means) == (
        "the average over at most 1 row of visits per patient; age clamped to 0..110"
    )
    units = "SELECT ward, COUNT(DISTINCT patient_id) FROM visits GROUP BY 1"
    assert said(single, units) == "each patient counts once"
    more = replace(single, rows=1_500_000, units=200_000)
    assert said(more, counts).endswith("; not the total of all rows")


def test_a_caption_ends_with_what_may_not_have_been_meant(ask: Ask, visits: Table) -> None:
    words = caption(ask("SELECT COUNT(*) FROM visits WHERE ward = 'a'"), visits)
    assert words.endswith("'a' is not among the stated keys of ward; did you mean 'A'?")


@pytest.mark.parametrize(
    ("rest", "chosen"),
    [
        ("", False),
        ("HAVING COUNT(*) > 5", True),
        ("HAVING AVG(age) > 50", True),
        ("ORDER BY n DESC", False),
        ("ORDER BY n DESC LIMIT 2", True),
        ("ORDER BY ward, n LIMIT 2", True),
        ("ORDER BY n DESC LIMIT 3", False),
        ("ORDER BY ward DESC LIMIT 2", False),
        ("LIMIT 2", False),
    ],
)
def test_a_caption_says_when_noise_chose_the_rows(
    ask: Ask, visits: Table, rest: str, chosen: bool
) -> None:
    """Three wards: LIMIT 3 leaves none out."""
    question = ask(f"SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward {rest}")
    assert selects(question) is chosen
    clause = "half-widths are per group, before noisy values chose the rows shown"
    assert (clause in caption(question, visits)) is chosen


def test_a_caption_says_when_groups_are_left_out(ask: Ask, visits: Table) -> None:
    question = ask("SELECT MONTH(admitted), COUNT(*) FROM visits GROUP BY 1")
    assert "3 groups" in caption(question, visits)


@pytest.mark.parametrize(
    ("word", "many"),
    [("patient", "patients"), ("person", "people"), ("city", "cities"), ("day", "days"),
     ("bus", "buses"), ("tail number", "tail numbers")],
)  # fmt: skip
def test_plurals(word: str, many: str) -> None:
    assert plural(word) == many


def test_a_price_is_a_share_and_how_many_more() -> None:
    words = price_words(Loss(10), Loss(1000), Loss(990))
    assert words == (
        "1 % of your grant; about 99 more like this; twice as precise costs four times"
    )
    assert price_words(NOTHING, Loss(1000), Loss(990)).startswith("free")
    assert more_like_this(Loss(10**9), Loss(1)) == "over 10,000 more like this"


def test_what_fits_is_how_much_wider_the_answer_would_be() -> None:
    quarter = Fraction(1, 4)
    assert what_fits(Loss(100), Loss(1000), quarter) == (
        "10 % is left, which buys half-widths 2 times as wide"
    )
    assert what_fits(Loss(100), Loss(1000), quarter, holds=True) == (
        "10 % is left, which with what you hold buys half-widths 2 times as wide"
    )
    assert what_fits(Loss(100), Loss(1000), None) == (
        "10 % is left, and nothing finer than what you hold fits; asking for that again is free"
    )
    assert what_fits(NOTHING, Loss(1000), None) == "nothing is left"


@given(part=st.integers(1, 10**15), whole=st.integers(1, 10**15))
def test_a_percentage_is_never_understated(part: int, whole: int) -> None:
    shown = Fraction(percent(Loss(part), Loss(whole)))
    exact = Fraction(100 * part, whole)
    assert exact <= shown <= exact * Fraction(102, 100)
    left = Fraction(percent(Loss(part), Loss(whole), up=False))
    assert exact * Fraction(98, 100) <= left <= exact


@given(value=st.fractions(Fraction(1, 10**9), 10**9), digits=st.integers(1, 4))
def test_significant_digits_round_up(value: Fraction, digits: int) -> None:
    assert value <= Fraction(significant(value, digits)) <= value * (1 + Fraction(10, 10**digits))


@pytest.mark.parametrize(
    ("width", "places"), [("25", 0), ("10", 0), ("3.4", 1), ("0.5", 2), ("0.05", 3), ("0", 12)]
)
def test_decimals_show_two_digits_of_the_error(width: str, places: int) -> None:
    assert decimals_for(Fraction(width)) == places


def test_a_quantile_inside_another_column_is_named_by_what_it_is(
    ask: Callable[..., Question], visits: Table
) -> None:
    """MAX - MIN is no range, and says so."""
    question = ask("SELECT MAX(age) - MIN(age) AS r, MEDIAN(age) AS m, COUNT(*) AS n FROM visits")
    words = rank_words(question, [Fraction(1, 10)] * 4, Fraction(95))
    assert sorted(one.split(" is within ")[0] for one in words) == [
        "m",
        "the 0.001 quantile of age",
        "the 0.999 quantile of age",
    ]
    assert all(one.endswith("ranks of the exact one at 95 %") for one in words)
    assert "quantiles are of 1 of the visits of each patient" in caption(question, visits)


def test_the_ends_say_what_they_are(ask: Callable[..., Question], visits: Table) -> None:
    question = ask("SELECT ward, MIN(age) AS low, MAX(age) AS top FROM visits GROUP BY ward")
    said = caption(question, visits)
    assert said.startswith("1 of the visits of each patient in a group")
    assert "low is not the least value but the one that 99 % lie above" in said
    assert "top is not the greatest value but the one that 99 % lie below" in said
