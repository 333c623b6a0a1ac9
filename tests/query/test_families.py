"""Every name in the tables of the two parsers is read, and compiles on a column that fits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from privlab.errors import PrivlabError
from privlab.query import (
    frame_functions,
    frame_methods,
    frame_texts,
    frame_times,
    nodes,
    sql_choices,
    sql_functions,
    sql_texts,
)
from privlab.query.ask import Const, Name, Span
from privlab.query.frame_place import Place
from privlab.query.frame_rows import STEPS
from privlab.query.hints import ACROSS
from privlab.query.plan import Op, Question
from privlab.query.projection import Projection
from privlab.query.signatures import SIGNATURES, trouble
from privlab.query.sql_dialect import AS_WRITTEN

Ask = Callable[..., Question]
FITS = {Op.NOT: "urgent", Op.LOWER: "note", Op.UPPER: "note", Op.LENGTH: "note"}


def column(op: Op) -> str:
    words = SIGNATURES[op].words if op in SIGNATURES else "numbers"
    return {
        "a date or a time": "admitted",
        "a time with a clock": "seen",
        "conditions": "urgent",
        "texts": "note",
    }.get(words, "age")


@pytest.mark.parametrize(("kind", "op"), sql_functions.UNARY.items(), ids=lambda one: str(one))
def test_sql_functions_of_one_value(ask: Ask, kind: type, op: Op) -> None:
    word = kind.sql_names()[0] if hasattr(kind, "sql_names") else None
    text = f"{word or {Op.NOT: 'NOT', Op.NEG: '-'}[op]}({column(op)})"
    assert ask(f"SELECT COUNT({text}) AS n FROM visits").plan.measures


@pytest.mark.parametrize("unit", sql_functions.PARTS)
def test_sql_parts_of_times(ask: Ask, unit: str) -> None:
    of = column(sql_functions.PARTS[unit])
    assert ask(f"SELECT COUNT(*) FROM visits WHERE EXTRACT({unit} FROM {of}) = 1").plan.where


@pytest.mark.parametrize("unit", sql_functions.TRUNCATIONS)
def test_sql_truncations(ask: Ask, unit: str) -> None:
    day = "SELECT COUNT(*) FROM visits WHERE DATE_TRUNC('{}', seen) = '2024-01-01'"
    assert ask(day.format(unit)).plan.where


@pytest.mark.parametrize("unit", sql_functions.SHIFTS)
def test_sql_intervals(ask: Ask, unit: str) -> None:
    one = ask(f"SELECT COUNT(*) FROM visits WHERE admitted + INTERVAL '2' {unit} > '2024-01-01'")
    two = ask(f"SELECT COUNT(*) FROM visits WHERE DATEADD({unit}, 2, admitted) > '2024-01-01'")
    assert one == two


@pytest.mark.parametrize("unit", nodes.MICROSECONDS)
def test_sql_differences(ask: Ask, unit: str) -> None:
    text = f"SELECT COUNT(*) FROM visits WHERE TIMESTAMPDIFF({unit}, seen, seen) = 0"
    assert ask(text).plan.where


@pytest.mark.parametrize("word", sql_texts.KINDS)
def test_sql_casts(ask: Ask, refusal: Callable[..., PrivlabError], word: str) -> None:
    text = f"SELECT COUNT(CAST(age AS {word})) FROM visits"
    if word == "DATE":
        assert refusal(text).code == "PL111"
    else:
        assert ask(text).plan.measures


def test_functions_whose_arguments_differ_elsewhere_are_left_as_written() -> None:
    assert {"DATEDIFF", "DATEADD"} <= AS_WRITTEN
    assert "aggregates" in ACROSS
    assert sql_choices.read_choice.__doc__


@pytest.mark.parametrize("name", frame_methods.PLAIN)
def test_polars_methods_of_one_value(ask: Ask, name: str) -> None:
    of = column(frame_methods.PLAIN[name])
    assert ask(f'visits.select(pl.col("{of}").{name}().count())').plan.measures


@pytest.mark.parametrize("name", frame_methods.BINARY)
def test_polars_methods_of_two_values(ask: Ask, name: str) -> None:
    of = "urgent" if name in ("and_", "or_", "xor") else "age"
    assert ask(f'visits.select(pl.col("{of}").{name}(pl.col("{of}")).count())').plan.measures


@pytest.mark.parametrize("word", frame_methods.KINDS)
def test_polars_casts(ask: Ask, refusal: Callable[..., PrivlabError], word: str) -> None:
    text = f'visits.select(pl.col("age").cast({word}).count())'
    if "ate" in word:
        assert refusal(text).code == "PL111"
    else:
        assert ask(text).plan.measures


@pytest.mark.parametrize("name", frame_methods.NULLS)
def test_polars_methods_of_nan_say_what_to_type(
    refusal: Callable[..., PrivlabError], name: str
) -> None:
    assert refusal(f'visits.select(pl.col("cost").{name}().count())').hint


@pytest.mark.parametrize("name", frame_functions.SEVERAL)
def test_polars_functions_of_several_columns(ask: Ask, name: str) -> None:
    of = '"urgent"' if "all" in name or "any" in name else '"age", "stay_days"'
    assert ask(f"visits.select(pl.{name}({of}).count())").plan.measures


@pytest.mark.parametrize("name", [*frame_texts.PLAIN, *frame_texts.STRIPS])
def test_polars_methods_of_texts(ask: Ask, name: str) -> None:
    assert ask(f'visits.select(pl.col("note").str.{name}().count())').plan.measures


@pytest.mark.parametrize("name", frame_times.PARTS)
def test_polars_parts_of_times(ask: Ask, name: str) -> None:
    assert ask(f'visits.select(pl.col("seen").dt.{name}().count())').plan.measures


@pytest.mark.parametrize("every", frame_times.TRUNCATIONS)
def test_polars_truncations(ask: Ask, every: str) -> None:
    assert ask(f'visits.select(pl.col("seen").dt.truncate("{every}").count())').plan.measures


@pytest.mark.parametrize("unit", frame_times.SHIFTS)
def test_polars_offsets(ask: Ask, unit: str) -> None:
    assert ask(f'visits.select(pl.col("seen").dt.offset_by("-2{unit}").count())').plan.measures


@pytest.mark.parametrize("name", frame_times.TOTALS)
def test_polars_differences(ask: Ask, name: str) -> None:
    text = f'visits.select((pl.col("seen") - pl.col("seen")).dt.{name}().count())'
    assert ask(text).plan.measures


def test_steps_on_rows_are_methods() -> None:
    assert {"with_columns", "rename", "drop", "drop_nulls", "filter"} <= set(STEPS)


def test_a_place_counts_characters() -> None:
    place = Place("é = é", 0)
    assert place.offset(1, 5) == 4


def test_names_are_seen_as_the_last_step_left_them() -> None:
    at = Span(0, 1)
    seen = Projection()
    assert seen.find("a", at) == Name("a", at)
    made = seen.also({"b": Const(1, at)})
    assert made.find("b", at) == Const(1, at)
    assert made.find("a", at) == Name("a", at)
    assert made.only({"b": Const(2, at)}).find("a", at) == Name("a", at, hidden=True)
    assert made.without(["a"]).find("a", at) == Name("a", at, hidden=True)
    assert made.without(["b"]).find("b", at) == Name("b", at, hidden=True)
    assert made.without(["a"]).also({"a": Const(3, at)}).find("a", at) == Const(3, at)


@pytest.mark.parametrize(
    ("what", "good", "bad"),
    [
        ("digits", 2, 99),
        ("digits", -2, True),
        ("shift", 3, "3"),
        ("offset", -1, None),
        ("length", None, -1),
        ("text", "", 3),
        ("some text", "a", ""),
        ("text", "a" * 1_000, "a" * 1_001),
    ],
)
def test_constants_are_checked(what: str, good: object, bad: object) -> None:
    assert trouble(what, good) == ""  # type: ignore[arg-type]
    assert trouble(what, bad)  # type: ignore[arg-type]
