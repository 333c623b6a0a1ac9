"""Released vectors become the table an analyst reads."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.accuracy.gaussian import half_width
from privlab.mechanisms.entropy import KeyStream
from privlab.mechanisms.gaussian import add_noise
from privlab.query.finish import finish
from privlab.query.plan import Question
from privlab.terms.catalog import Kind
from privlab.terms.noise import RoundedGaussian
from privlab.terms.release import ResultTable

Ask = Callable[..., Question]
CONFIDENCE = Fraction(95)


def table(question: Question, *vectors: list[int], precision: object = 1) -> ResultTable:
    """Vectors in the order of the plan's measures."""
    return finish(
        question,
        [tuple(map(Fraction, vector)) for vector in vectors],
        [Fraction(str(precision))] * len(vectors),
        CONFIDENCE,
    )


def test_steps_become_units(ask: Ask) -> None:
    question = ask("SELECT SUM(cost) AS c FROM visits")
    shown = table(question, [12_345])
    assert shown.rows == ((Fraction("123.45"),),)
    assert shown.half_widths == ((half_width(Fraction(1), CONFIDENCE) / 100,),)
    assert (shown.columns[0].label, shown.columns[0].kind) == ("sum", Kind.FLOAT)
    assert shown.columns[0].decimals == 2


def test_keys_come_in_their_public_order_with_null_last(ask: Ask) -> None:
    shown = table(ask("SELECT sex, COUNT(*) AS n FROM visits GROUP BY sex"), [5, -2, 7])
    assert shown.rows == (("f", 5), ("m", -2), (None, 7))
    assert shown.half_widths[0][0] is None


def test_rows_follow_the_keys_as_they_are_shown(ask: Ask) -> None:
    one = table(ask("SELECT ward, urgent, COUNT(*) FROM visits GROUP BY 1, 2"), [1, 2, 3, 4, 5, 6])
    two = table(ask("SELECT urgent, ward, COUNT(*) FROM visits GROUP BY 1, 2"), [1, 2, 3, 4, 5, 6])
    assert [row[:2] for row in one.rows[:3]] == [("A", False), ("A", True), ("B", False)]
    assert [row[:2] for row in two.rows[:3]] == [(False, "A"), (False, "B"), (False, "C")]
    assert {(row[0], row[1], row[2]) for row in one.rows} == {
        (row[1], row[0], row[2]) for row in two.rows
    }


def test_a_mean_is_its_centre_plus_a_ratio(ask: Ask) -> None:
    question = ask("SELECT AVG(stay_days) AS stay FROM visits")
    shown = table(question, [1000], [-20_000])  # rows, then the sum about 30
    assert shown.rows == ((Fraction(10),),)
    assert shown.columns[0].label == "mean"
    width = shown.half_widths[0][0]
    assert width is not None
    assert Fraction("0.03") < width < Fraction("0.05")


@pytest.mark.parametrize(("count", "value"), [(-3, 30), (0, 30), (1, 60), (2, 55)])
def test_a_mean_over_a_count_that_may_be_zero_may_be_all_of_the_clamp(
    ask: Ask, count: int, value: int
) -> None:
    shown = table(ask("SELECT AVG(stay_days) AS stay FROM visits"), [count], [50])
    assert shown.rows == ((value,),)
    assert shown.half_widths == ((max(value, 60 - value),),)


def test_an_interval_that_misses_the_clamp_is_all_of_it(ask: Ask) -> None:
    shown = table(ask("SELECT AVG(stay_days) AS stay FROM visits"), [1000], [90_000])
    assert (shown.rows, shown.half_widths) == (((60,),), ((60,),))


@pytest.mark.parametrize(("rows", "mean"), [(0, 30), (15, 4), (15, 59), (60, 8), (300, 30)])
def test_the_interval_of_a_mean_covers_whatever_the_noise(ask: Ask, rows: int, mean: int) -> None:
    """Every draw shows an interval; small groups and means at an end of the clamp too."""
    question = ask("SELECT AVG(stay_days) AS stay FROM visits")
    noises = (RoundedGaussian(6, 0), RoundedGaussian(150, 0))  # sigma 17 rows, 424 days
    exact = (rows, rows * (mean - 30))
    with KeyStream(bytes(range(32))) as words:
        drawn = [
            add_noise(np.full(400, value, np.int64), noise, words)
            for value, noise in zip(exact, noises, strict=True)
        ]
    covered = 0
    for pair in zip(*drawn, strict=True):
        shown = finish(
            question,
            [(Fraction(int(value)),) for value in pair],
            [noise.precision for noise in noises],
            CONFIDENCE,
        )
        value, width = shown.rows[0][0], shown.half_widths[0][0]
        assert isinstance(value, Fraction)
        assert width is not None
        assert 0 <= value <= 60
        assert width <= 60
        covered += abs(value - mean) <= width
    assert covered / 400 >= 0.95 - 3 * (0.95 * 0.05 / 400) ** 0.5


def test_having_order_and_limit_use_released_numbers(ask: Ask) -> None:
    question = ask(
        "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward HAVING n >= 2 ORDER BY n DESC LIMIT 1"
    )
    assert table(question, [2, 9, 1]).rows == (("B", 9),)
    assert table(question, [1, 1, 1]).rows == ()


def test_having_may_use_what_is_not_shown(ask: Ask) -> None:
    question = ask("SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward HAVING AVG(age) > 50")
    # rows, then the sum of ages about 55: means 56, 45, and 55 for want of a count
    found = table(question, [1000, 1000, 0], [1000, -10_000, 0])
    assert [row[0] for row in found.rows] == ["A", "C"]


def test_ties_follow_the_public_order_either_way(ask: Ask) -> None:
    for direction in ("ASC", "DESC"):
        text = f"SELECT ward, COUNT(*) AS n FROM visits GROUP BY 1 ORDER BY n {direction}"
        assert [row[0] for row in table(ask(text), [4, 4, 4]).rows] == ["A", "B", "C"]


def test_several_sorts_apply_in_order(ask: Ask) -> None:
    text = "SELECT ward, urgent, COUNT(*) AS n FROM visits GROUP BY 1, 2 ORDER BY urgent DESC, n"
    shown = table(ask(text), [3, 2, 1, 6, 5, 4])
    assert [row[1] for row in shown.rows] == [True] * 3 + [False] * 3
    counts = [row[2] for row in shown.rows]
    assert counts == sorted(counts[:3]) + sorted(counts[3:])


def test_sorting_by_a_key_sorts_by_its_value_with_null_last(ask: Ask) -> None:
    text = "SELECT sex, COUNT(*) AS n FROM visits GROUP BY sex ORDER BY sex DESC"
    assert [row[0] for row in table(ask(text), [1, 2, 3]).rows] == ["m", "f", None]


def test_units_carry_the_plural_of_their_word(ask: Ask) -> None:
    shown = table(ask("SELECT COUNT(DISTINCT patient_id) AS p FROM visits"), [5])
    column = shown.columns[0]
    assert (column.label, column.unit_word, column.kind, column.decimals) == (
        "units",
        "patients",
        Kind.INT,
        0,
    )


def test_a_vector_of_the_wrong_length_is_an_error(ask: Ask) -> None:
    question = ask("SELECT ward, COUNT(*) FROM visits GROUP BY ward")
    with pytest.raises(ValueError, match="one value per cell"):
        table(question, [1, 2])


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.integers(-50, 50), min_size=3, max_size=3), limit=st.integers(0, 4))
def test_post_processing_shows_a_part_of_the_cells(ask: Ask, values: list[int], limit: int) -> None:
    question = ask(
        "SELECT ward, COUNT(*) AS n FROM visits GROUP BY 1 HAVING n > 0 LIMIT :k", k=limit
    )
    shown = table(question, values)
    passing = [("ABC"[at], value) for at, value in enumerate(values) if value > 0]
    assert list(shown.rows) == passing[:limit]


def test_ten_thousand_averages_are_finished_within_seconds(ask: Callable[..., Question]) -> None:
    question = ask("SELECT admitted, MONTH(seen), AVG(stay_days) FROM visits GROUP BY 1, 2")
    cells = question.plan.cells
    vectors = [[Fraction(100 + cell) for cell in range(cells)] for _ in question.plan.measures]
    precisions = [Fraction(1, 617)] * len(vectors)
    begin = time.process_time()
    found = finish(question, vectors, precisions, Fraction(95))
    assert time.process_time() - begin < 5  # measured: 0.8
    assert len(found.rows) == cells == 9_503
