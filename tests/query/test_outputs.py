"""Columns, their names, and the scope they are read in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from privlab.errors import PrivlabError
from privlab.query.outputs import MAX_OUTPUTS
from privlab.query.plan import KeyOut, Question
from privlab.query.scope import ALWAYS

Ask = Callable[..., Question]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            (
                "SELECT ward, YEAR(admitted), COUNT(*), COUNT(sex), SUM(age), AVG(age + stay_days) "
                "FROM visits GROUP BY 1, 2"
            ),
            ["ward", "year", "count", "count_sex", "sum_age", "avg_age"],
        ),
        (
            (
                'visits.group_by("ward", pl.col("admitted").dt.year()).agg(pl.len(), '
                'pl.col("age").mean(), s=pl.col("age").sum())'
            ),
            ["ward", "admitted", "len", "age", "s"],
        ),
    ],
)
def test_columns_without_a_name_get_the_surfaces_own(ask: Ask, text: str, names: list[str]) -> None:
    assert [one.name for one in ask(text).finish.outputs] == names


def test_an_answer_has_a_widest_width(refusal: Callable[..., PrivlabError]) -> None:
    columns = ", ".join(f"COUNT(*) AS n{at}" for at in range(MAX_OUTPUTS + 1))
    assert refusal(f"SELECT {columns} FROM visits").code == "PL106"


def test_a_condition_that_always_holds_is_dropped(ask: Ask) -> None:
    assert ALWAYS.value is True
    assert ask("SELECT COUNT(*) FROM visits WHERE 1 = 1 AND TRUE").plan.where is None


def test_order_by_takes_a_name_a_position_or_the_expression(ask: Ask) -> None:
    texts = [
        f"SELECT ward AS w, COUNT(*) AS n FROM visits GROUP BY ward ORDER BY {by} DESC"
        for by in ("n", "2", "COUNT(*)")
    ]
    orders = {ask(text).finish.order for text in texts}
    assert len(orders) == 1
    by_key = ask("SELECT ward AS w, COUNT(*) AS n FROM visits GROUP BY ward ORDER BY ward")
    assert by_key.finish.order[0].by == KeyOut(0)
