"""What is made of aggregates: measures, prices, words, in both surfaces."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from privlab.errors import BadQuery
from privlab.query.frame_answer import STEPS as ANSWER
from privlab.query.frame_outputs import AGGREGATES as IN_POLARS
from privlab.query.passes.lower_moment import LABELS
from privlab.query.passes.lower_output import SAME
from privlab.query.passes.settle_rows import settled
from privlab.query.plan import Question
from privlab.query.post.expected import expected_width
from privlab.query.post.formula import formula
from privlab.query.price import Offer, price
from privlab.query.sql_outputs import AGGREGATES as IN_SQL
from privlab.query.words import caption, selects
from privlab.terms.catalog import Table
from privlab.terms.loss import Loss

Ask = Callable[..., Question]
GRANT = Loss.budget(Fraction(1, 100))
DELTA = Fraction(1, 10**6)


def within(question: Question, **widths: str) -> list[Fraction]:
    offer = Offer(None, {n: Fraction(w) for n, w in widths.items()}, None, Fraction(95))
    count = len(question.plan.measures)
    return list(price(question, offer, [Fraction(0)] * count, GRANT, DELTA).precisions)


def test_every_moment_has_a_label_in_both_surfaces() -> None:
    assert set(LABELS) <= set(IN_SQL.values())
    assert {"var", "std"} <= set(IN_POLARS)
    assert "with_columns" in ANSWER
    assert len(set(SAME.values())) == len(SAME)


def test_a_mean_and_a_deviation_share_their_sum_and_their_count(ask: Ask) -> None:
    question = ask("SELECT AVG(stay_days) AS a, STDDEV(stay_days) AS s FROM visits")
    assert len(question.plan.measures) == 3


def test_a_half_width_of_a_difference_is_met(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) FILTER (WHERE urgent) - SUM(stay_days) AS d FROM visits")
    precisions = within(question, d="500")
    width = expected_width(question.finish.outputs[0].out, question, precisions, Fraction(95), None)
    assert width is not None
    assert Fraction(495) < width <= 500


def test_what_is_made_of_columns_with_half_widths_needs_none(ask: Ask) -> None:
    question = ask(
        "SELECT ward, COUNT(*) AS n, COUNT(*) / SUM(COUNT(*)) OVER () AS s FROM visits "
        "GROUP BY ward"
    )
    assert within(question, n="25")


@pytest.mark.parametrize("text", ["SUM(cost) / COUNT(*)", "CORR(age, weight)", "SQRT(COUNT(*))"])
def test_what_depends_on_unknown_numbers_has_no_half_width_to_buy(ask: Ask, text: str) -> None:
    with pytest.raises(BadQuery) as caught:
        within(ask(f"SELECT {text} AS x FROM visits"), x="5")
    assert caught.value.code == "PL108"
    assert "--share" in caught.value.hint


def test_a_statement_says_how_an_output_is_made(ask: Ask) -> None:
    question = ask(
        "SELECT ward, 100 * COUNT(*) / SUM(COUNT(*)) OVER () AS p FROM visits GROUP BY ward"
    )
    out = question.finish.outputs[1].out
    assert formula(out, question.plan) == "(100 * (#0 / sum of #0 among all rows))"


def test_captions_say_what_ranks_are_and_do_not_name_products(ask: Ask, visits: Table) -> None:
    ranks = ask("SELECT ward, RANK() OVER (ORDER BY COUNT(*)) AS k FROM visits GROUP BY ward")
    assert "ranks are of noisy numbers" in caption(ranks, visits)
    assert "*" not in caption(ask("SELECT VARIANCE(stay_days) AS v FROM visits"), visits)


def test_noise_that_chooses_rows_is_said(ask: Ask) -> None:
    text = "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"
    assert not selects(ask(f"{text} ORDER BY ward LIMIT 2"))
    assert selects(ask(f"{text} ORDER BY n LIMIT 2"))
    assert selects(ask(f"{text} ORDER BY n LIMIT 3 OFFSET 1"))
    assert selects(ask(f"{text} QUALIFY RANK() OVER (ORDER BY n) = 1"))


def test_conditions_without_windows_are_one_kind(ask: Ask) -> None:
    text = "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"
    one, two = ask(f"{text} HAVING n > 5"), ask(f"{text} QUALIFY n > 5")
    assert one == two
    assert settled(one.finish) == one.finish


def test_names_of_steps_follow_each_other(ask: Ask) -> None:
    one = ask(
        "visits.group_by('ward').agg(n=pl.len()).with_columns(n=pl.col('n') * 2)"
        ".with_columns(m=pl.col('n') + 1).filter(pl.col('m') > 7)"
    )
    two = ask(
        "SELECT ward, 2 * COUNT(*) AS n, 2 * COUNT(*) + 1 AS m FROM visits GROUP BY ward "
        "HAVING 2 * COUNT(*) + 1 > 7"
    )
    assert one == two
