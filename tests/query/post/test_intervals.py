"""Expressions over released vectors: their values, and how often their intervals cover."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from privlab.accuracy.gaussian import z
from privlab.query.finish import finish
from privlab.query.plan import Question
from privlab.terms.release import ResultTable

Ask = Callable[..., Question]
CONFIDENCE = Fraction(95)


def table(
    question: Question, *vectors: list[int], precision: Fraction = Fraction(1)
) -> ResultTable:
    return finish(
        question,
        [tuple(map(Fraction, vector)) for vector in vectors],
        [precision] * len(vectors),
        CONFIDENCE,
    )


def test_variances_of_independent_measures_add_up(ask: Ask) -> None:
    question = ask("SELECT 2 * COUNT(*) - 3 * COUNT(stay_days) AS x FROM visits")
    shown = table(
        question,
        [
            10,
        ],
        [4],
    )
    width = shown.half_widths[0][0]
    assert width is not None
    exact = float(z(CONFIDENCE)) * 13**0.5 + 2.5
    assert float(width) == pytest.approx(exact, rel=1e-9)
    assert shown.rows[0][0] in (8, -22)


def test_what_cancels_has_no_noise(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) - COUNT(*) + 5 AS x, COUNT(*) AS n FROM visits")
    shown = table(question, [10])
    assert (shown.rows[0][0], shown.half_widths[0][0]) == (5, 0)


def test_sums_over_groups_add_their_variances(ask: Ask) -> None:
    text = "SELECT ward, SUM(COUNT(*)) OVER () AS s FROM visits GROUP BY ward"
    shown = table(ask(text), [5, 7, 9])
    assert [row[1] for row in shown.rows] == [21, 21, 21]
    width = float(shown.half_widths[0][1] or 0)
    assert width == pytest.approx(float(z(CONFIDENCE)) * 3**0.5 + 1.5, rel=1e-9)


def test_windows_see_the_rows_that_having_keeps(ask: Ask) -> None:
    text = (
        "SELECT ward, COUNT(*) AS n, SUM(COUNT(*)) OVER () AS s, RANK() OVER (ORDER BY COUNT(*) "
        "DESC) AS k FROM visits GROUP BY ward HAVING COUNT(*) > 5"
    )
    assert table(ask(text), [5, 7, 9]).rows == (("B", 7, 16, 2), ("C", 9, 16, 1))


def test_ranks_of_equals(ask: Ask) -> None:
    text = (
        "SELECT ward, RANK() OVER (ORDER BY COUNT(*)) AS a, DENSE_RANK() OVER (ORDER BY COUNT(*)) "
        "AS b, ROW_NUMBER() OVER (ORDER BY COUNT(*)) AS c FROM visits GROUP BY ward"
    )
    shown = table(ask(text), [4, 4, 9])
    assert shown.rows == (("A", 1, 1, 1), ("B", 1, 1, 2), ("C", 3, 2, 3))
    assert shown.half_widths[0] == (None, None, None, None)


def test_running_sums_and_shifts(ask: Ask) -> None:
    text = (
        "SELECT ward, SUM(COUNT(*)) OVER (ORDER BY ward) AS c, LAG(COUNT(*)) OVER (ORDER BY ward) "
        "AS p, LEAD(COUNT(*), 1, 0) OVER (ORDER BY ward) AS f FROM visits GROUP BY ward"
    )
    shown = table(ask(text), [1, 2, 4])
    assert shown.rows == (("A", 1, None, 2), ("B", 3, 1, 4), ("C", 7, 2, 0))
    assert shown.half_widths[0][2] is None
    assert shown.half_widths[2][3] == 0


def test_qualify_keeps_rows_after_windows_saw_them(ask: Ask) -> None:
    text = (
        "SELECT ward, COUNT(*) / SUM(COUNT(*)) OVER () AS s FROM visits GROUP BY ward "
        "QUALIFY RANK() OVER (ORDER BY COUNT(*) DESC) = 1"
    )
    assert table(ask(text), [10, 30, 60]).rows == (("C", Fraction(3, 5)),)


def test_a_page_of_rows(ask: Ask) -> None:
    text = "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward ORDER BY n DESC LIMIT 1 OFFSET 1"
    assert table(ask(text), [1, 2, 3]).rows == (("B", 2),)


def test_a_share_stays_between_nothing_and_all(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) FILTER (WHERE urgent) / COUNT(*) AS p FROM visits")
    for one in (-50, 0, 50):
        for two in (-50, 0, 20):
            shown = table(question, [one], [two], precision=Fraction(1, 400))
            value, width = shown.rows[0][0], shown.half_widths[0][0]
            assert 0 <= value <= 1
            assert width is not None
            assert width <= 1


def test_division_by_what_may_be_nothing_says_so(ask: Ask) -> None:
    question = ask("SELECT SUM(cost) / (COUNT(*) - 5) AS x FROM visits")
    shown = table(question, [5], [900])
    assert shown.rows[0][0] is None
    assert shown.half_widths[0][0] is None


COVERED = {
    "SQRT(COUNT(*))": lambda n, s: n**0.5,
    "SUM(stay_days) / COUNT(*)": lambda n, s: s / n,
    "100 * COUNT(*) - SUM(stay_days)": lambda n, s: 100 * n - s,
    "LN(COUNT(*)) + SUM(stay_days)": lambda n, s: np.log(n) + s,
    "GREATEST(COUNT(*), SUM(stay_days) / 30)": lambda n, s: max(n, s / 30),
    "CASE WHEN COUNT(*) > 50 THEN COUNT(*) ELSE SUM(stay_days) END": lambda n, s: (
        n if n > 50 else s
    ),
    "ABS(COUNT(*) - 60) + ROUND(SUM(stay_days), -1)": lambda n, s: abs(n - 60) + round(s / 10) * 10,
    "POWER(COUNT(*) - 60, 2)": lambda n, s: (n - 60) ** 2,
}


@pytest.mark.parametrize("rows", [3, 55, 4_000])
@pytest.mark.parametrize("text", COVERED)
def test_intervals_of_expressions_cover(ask: Ask, text: str, rows: int) -> None:
    """300 draws each; the 24 cases together fail once in 50 if all cover 95 % exactly."""
    question = ask(f"SELECT {text} AS x FROM visits")
    kinds = [measure.kind.value for measure in question.plan.measures]
    total = 13 * rows + 4
    exact = {"rows": rows, "sum": total}
    expected = float(COVERED[text](rows, total))
    sigmas = {"rows": 8, "sum": 300}
    draw = np.random.default_rng(rows)
    covered = 0
    for _ in range(300):
        released = [
            (Fraction(round(exact[kind] + draw.normal(0, sigmas[kind]))),) for kind in kinds
        ]
        precisions = [Fraction(1, sigmas[kind] ** 2) for kind in kinds]
        shown = finish(question, released, precisions, CONFIDENCE)
        value, width = shown.rows[0][0], shown.half_widths[0][0]
        covered += width is None or abs(float(value) - expected) <= float(width) + 1e-9
    assert covered / 300 >= 0.95 - 3.6 * (0.95 * 0.05 / 300) ** 0.5
