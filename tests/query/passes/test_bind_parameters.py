"""Parameters are values, never text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction

import pytest

from privlab.errors import PrivlabError
from privlab.query.canonical import view_id
from privlab.query.plan import Question

Ask = Callable[..., Question]


def test_a_parameter_means_its_value(ask: Ask) -> None:
    bound = ask(
        "SELECT COUNT(*) FROM visits WHERE age >= :age AND admitted > :day AND ward IN :wards "
        "AND cost < :cost LIMIT :n",
        age=65,
        day=date(2023, 5, 1),
        wards=("A", "B"),
        cost=Fraction(5, 2),
        n=3,
    )
    written = ask(
        "SELECT COUNT(*) FROM visits WHERE age >= 65 AND admitted > '2023-05-01' "
        "AND ward IN ('A', 'B') AND cost < 2.5 LIMIT 3"
    )
    assert bound == written


def test_a_value_is_part_of_the_view(ask: Ask) -> None:
    text = "SELECT COUNT(*) FROM visits WHERE age >= :age"
    assert view_id(ask(text, age=65).plan, 0) != view_id(ask(text, age=66).plan, 0)


def test_a_text_cannot_break_out(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) FROM visits WHERE note = :x", x="' OR TRUE --")
    assert question.plan.where is not None
    assert question.plan.columns == {"note"}


@pytest.mark.parametrize(
    ("text", "values", "code"),
    [
        ("age = :x", {}, "PL110"),
        ("age = :x", {"x": (1, 2)}, "PL110"),
        ("age = :x", {"x": "old"}, "PL111"),
        ("age = :x", {"x": None}, "PL111"),
        ("age IN :x", {"x": ()}, "PL111"),
        ("age IN (:x, :y)", {"x": (1, None), "y": 2}, "PL111"),
        ("age = :x", {"x": 1 << 63}, "PL111"),
        ("age IN :x", {"x": tuple(range(100_001))}, "PL110"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(
    refusal: Callable[..., PrivlabError], text: str, values: dict[str, object], code: str
) -> None:
    assert refusal(f"SELECT COUNT(*) FROM visits WHERE {text}", **values).code == code


def test_a_list_of_ten_thousand_is_quick(ask: Ask) -> None:
    question = ask("SELECT COUNT(*) FROM visits WHERE note IN :x", x=tuple(map(str, range(10_000))))
    assert question.plan.columns == {"note"}
