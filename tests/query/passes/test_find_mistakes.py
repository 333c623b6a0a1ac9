"""What cannot be meant is refused; what is probably not meant is answered with a note."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings

from privlab.errors import BadQuery, PrivlabError
from privlab.query.ask import Source, Span, Surface
from privlab.query.evaluate import evaluate
from privlab.query.passes.find_mistakes import refuse_contradiction
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Expr, Question
from privlab.terms.catalog import Table
from tests.query import shapes

Ask = Callable[..., Question]
Refusal = Callable[..., PrivlabError]


@pytest.mark.parametrize(
    ("where", "hint"),
    [
        ("MONTH(admitted) = 13", "month(admitted) is in 1..12"),
        ("DAY(admitted) IN (40, 50)", "day(admitted) is in 1..31"),
        ("age > 5 AND age < 3", "check the conditions on age"),
        ("age = 5 AND stay_days = 1 AND age IN (6, 7)", "check the conditions on age"),
        ("ward = 'A' AND ward = 'B'", "check the conditions on ward"),
        ("ward IN ('A', 'B') AND ward <> 'A' AND ward <> 'B'", "check the conditions on ward"),
        ("seen > '2031-01-01' AND seen < '2030-01-01'", "check the conditions on seen"),
        ("YEAR(admitted) = 2024 AND admitted < '2023-01-01'", "check the conditions on year(admitted)"),
        ("LEAST(age, 60) > 70", "least"),
        ("1 = 2", "leave it out"),
    ],
)  # fmt: skip
def test_a_condition_that_no_row_can_pass_is_refused(
    refusal: Refusal, where: str, hint: str
) -> None:
    error = refusal(f"SELECT COUNT(*) FROM visits WHERE {where}")
    assert error.code == "PL111", str(error)
    assert error.caret is not None
    if hint != "least":
        assert error.hint == hint


@settings(max_examples=80, deadline=None)
@given(condition=shapes.conditions, row=shapes.rows)
def test_what_is_refused_holds_for_no_row(
    visits: Table, condition: Expr, row: dict[str, int]
) -> None:
    where = normalise(condition)
    source = Source("age", Surface.SQL)
    try:
        refuse_contradiction(where, visits, source, Span(0, 1))
    except BadQuery:
        assert evaluate(where, row) is not True


@pytest.mark.parametrize(
    ("where", "note"),
    [
        ("age > 200", "no age in its stated range 0..110 passes the condition"),
        ("YEAR(admitted) = 2031", "no year(admitted) in its stated range 2023..2024 passes"),
        ("admitted >= '2025-01-01'", "in its stated range 2023-01-01..2024-12-31 passes"),
        ("ward = 'a'", "'a' is not among the stated keys of ward; did you mean 'A'?"),
        ("ward <> 'Z'", "'Z' is not among the stated keys of ward"),
        ("sex IN ('f', 'x', 'y')", "'x', 'y' are not among the stated keys of sex"),
        ("NOT (urgent OR ward = 'a')", "did you mean 'A'?"),
    ],
)
def test_what_only_unstated_values_can_pass_is_answered_with_a_note(
    ask: Ask, where: str, note: str
) -> None:
    """A value outside of a stated range is stored as it is, so such rows may exist."""
    (found,) = ask(f"SELECT COUNT(*) FROM visits WHERE {where}").notes
    assert note in found


@pytest.mark.parametrize(
    "where", ["age > 100", "ward = 'A'", "note = 'a'", "urgent", "score > 9e9"]
)
def test_ordinary_conditions_have_no_notes(ask: Ask, where: str) -> None:
    assert ask(f"SELECT COUNT(*) FROM visits WHERE {where}").notes == ()


def test_a_long_list_is_noted_in_a_few_words(ask: Ask) -> None:
    listed = tuple(f"Z{n}" for n in range(8_000))
    (note,) = ask("SELECT COUNT(*) FROM visits WHERE ward IN (:w)", w=listed).notes
    assert "and 7,997 more are not among the stated keys of ward" in note
    assert len(note) < 120


def test_notes_are_no_part_of_the_question(ask: Ask) -> None:
    sql = ask("SELECT COUNT(*) AS n FROM visits WHERE ward = 'a'")
    frame = ask('visits.filter(pl.col("ward") == "a").select(n=pl.len())')
    assert sql == frame
    assert sql.notes == frame.notes


def test_times_of_one_day_are_not_taken_for_a_contradiction(ask: Ask) -> None:
    noon = datetime(2024, 1, 1, 12)  # noqa: DTZ001
    ask("SELECT COUNT(*) FROM visits WHERE seen >= :a AND seen <= :a", a=noon)


COUNTS = "SELECT {key}, COUNT(*) AS people FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) t {where}GROUP BY {by}"


@pytest.mark.parametrize(
    ("key", "where", "by", "note"),
    [
        ("n", "", "n", "patients whose n is above 8 are in no group; LEAST(n, 8) in its place puts them into the last"),
        ("LEAST(n, 20) AS k", "", "k", "patients whose k is above 8 are in no group; LEAST(n, 8) in its place puts them into the last"),
        ("n // 3 AS k", "", "k", "patients whose k is above 2 are in no group"),
        ("LEAST(n, 8) AS k", "", "k", None),
        ("n", "WHERE n <= 8 ", "n", None),
        ("n > 3 AS k", "", "k", None),
    ],
)  # fmt: skip
def test_a_group_by_a_count_of_ones_rows_says_who_is_in_none(
    ask: Ask, key: str, where: str, by: str, note: str | None
) -> None:
    asked = ask(COUNTS.format(key=key, where=where, by=by))
    assert asked.notes == (() if note is None else (note,))


def test_what_a_note_on_groups_says_to_type_leaves_nobody_out(ask: Ask) -> None:
    people = 'visits.group_by("patient_id").agg(n=pl.len()).group_by({key}).agg(people=pl.len())'
    (note,) = ask(people.format(key='"n"')).notes
    fix = note.split("; ")[1].removesuffix(" in its place puts them into the last")
    assert fix == 'pl.col("n").clip(0, 8)'
    assert ask(people.format(key=f"n={fix}")).notes == ()
