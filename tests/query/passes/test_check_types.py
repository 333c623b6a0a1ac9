"""Operations get the types they are defined for, and constants the other side's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from privlab.errors import PrivlabError
from privlab.query.plan import Question


@pytest.mark.parametrize(
    "where",
    [
        "age = 'old'",
        "note < 'a'",
        "urgent > FALSE",
        "note = 3",
        "admitted = 3",
        "admitted = 'yesterday'",
        "admitted = seen",
        "admitted = TIMESTAMP '2023-01-01 10:00:00'",
        "note = NULL",
        "age <> NULL",
        "age AND urgent",
        "NOT age",
        "age + urgent > 1",
        "-note = 'a'",
        "ABS(urgent) > 1",
        "YEAR(age) = 2023",
        "age IN ('a')",
        "age IN (1, NULL)",
        "LEAST(note, 3) = 3",
        "GREATEST(LEAST(age, 3), 'a') = 3",
        "age = 123456789012345678901234567890",
        "age = 1e99",
        "age = DATE '2023-02-30'",
        "age = CAST('x' AS INT)",
    ],
)
def test_types_that_do_not_fit_are_refused(
    refusal: Callable[..., PrivlabError], where: str
) -> None:
    assert refusal(f"SELECT COUNT(*) FROM visits WHERE {where}").code in ("PL111", "PL106")


def test_a_clip_whose_bounds_cross_is_refused(refusal: Callable[..., PrivlabError]) -> None:
    assert refusal('visits.select(pl.col("age").clip(9, 3).sum())').code == "PL111"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("admitted = '2023-05-01'", "admitted = DATE '2023-05-01'"),
        ("seen >= '2023-05-01'", "seen >= TIMESTAMP '2023-05-01 00:00:00'"),
        ("admitted = TIMESTAMP '2023-05-01 00:00:00'", "admitted = '2023-05-01'"),
        ("age = 65.0", "age = 65"),
        ("cost = CAST('2.5' AS DECIMAL)", "cost = 2.5"),
        ("age = CAST('-3' AS INT)", "age = -3"),
        ("DATE(admitted) = '2023-05-01'", "admitted = '2023-05-01'"),
    ],
)
def test_constants_are_read_as_the_other_sides_type(
    ask: Callable[..., Question], one: str, two: str
) -> None:
    texts = [f"SELECT COUNT(*) FROM visits WHERE {where}" for where in (one, two)]
    assert ask(texts[0]) == ask(texts[1])
