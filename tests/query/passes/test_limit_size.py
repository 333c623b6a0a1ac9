"""A question's size is found out before anything walks it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from privlab.errors import PrivlabError
from privlab.query.ask import Apply, Const, Name, Span
from privlab.query.passes.limit_size import MAX_NODES, work_of
from privlab.query.plan import Op, Question

Ask = Callable[..., Question]
Refusal = Callable[..., PrivlabError]
AT = Span(0, 1)


def nested(times: int) -> str:
    text = "age"
    for _ in range(times):
        text = f"({text} BETWEEN 1 AND 2)"
    return text


@pytest.mark.parametrize(
    "text",
    [
        'visits.filter(pl.col("age")' + ".is_between(1, 2)" * 28 + ").select(pl.len())",
        f"SELECT COUNT(*) FROM visits WHERE {nested(28)}",
        f"SELECT COUNT(*) FROM visits GROUP BY {nested(28)}",
        f"SELECT SUM({nested(28)}) FROM visits",
        "SELECT COUNT(*) FROM visits HAVING COUNT(*) > " + nested(28),
        "visits.select("
        + ", ".join(
            f'a{n}=(pl.col("age")' + ".is_between(1, 2)" * 10 + ").count()" for n in range(30)
        )
        + ")",
    ],
)
def test_parts_that_share_a_value_are_counted_and_not_walked(refusal: Refusal, text: str) -> None:
    """BETWEEN in BETWEEN, 28 times, has 2^28 parts in a few hundred characters."""
    begin = time.process_time()
    error = refusal(text)
    assert time.process_time() - begin < 0.5
    assert error.code == "PL106"
    assert f"more than {MAX_NODES:,} parts" in error.what
    assert "parameter" in error.hint


@pytest.mark.parametrize("times", [210, 3_000])
def test_what_is_nested_too_deeply_is_refused(refusal: Refusal, times: int) -> None:
    chain = "visits" + '.filter(pl.col("urgent"))' * times + ".select(pl.len())"
    assert refusal(chain).code == "PL106"


def test_an_alias_that_is_grouped_by_many_times_counts_each_time(refusal: Refusal) -> None:
    listed = ", ".join(map(str, range(1_000)))
    text = f"SELECT age IN ({listed}) AS a, COUNT(*) FROM visits GROUP BY {', '.join('a' * 50)}"
    assert "parts" in refusal(text).what


def test_long_lists_deep_inside_conditions_are_refused(refusal: Refusal, ask: Ask) -> None:
    """The list of a parameter opens after the text was counted."""
    text = "age IN (:ages)"
    for _ in range(15):
        text = f"NOT (urgent AND {text})"
    begin = time.process_time()
    error = refusal(f"SELECT COUNT(*) FROM visits WHERE {text}", ages=tuple(range(50_000)))
    assert time.process_time() - begin < 2
    assert error.code == "PL106"
    ask("SELECT COUNT(*) FROM visits WHERE age IN (:ages) AND urgent", ages=tuple(range(10_000)))


def test_a_chain_is_one_operation_however_long() -> None:
    leaf = Name("age", AT)
    chain: Apply = Apply(Op.AND, (leaf, leaf), AT)
    for _ in range(50):
        chain = Apply(Op.AND, (chain, leaf), AT)
    less: Apply = Apply(Op.SUB, (leaf, leaf), AT)
    for at in range(50):
        less = Apply((Op.SUB, Op.ADD)[at % 2], (less, leaf), AT)
    assert work_of(less) == work_of(chain)
    assert work_of(leaf) == 1
    assert work_of(chain) == 103 * 4
    assert work_of(Apply(Op.NOT, (Apply(Op.NOT, (Const(value=True, span=AT),), AT),), AT)) == 3 * 9
