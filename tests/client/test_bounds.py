"""Measuring bounds is one question, and what is known afterwards is what the curator says."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from privlab.client.bounds import MOST_TIMES, Bounds, histogram, measure_bounds, question
from privlab.errors import BadQuery
from privlab.query import histogram as of_query
from privlab.query.compile import compile_question
from privlab.query.histogram import histogram_text
from privlab.terms.catalog import Catalog, Column, Kind
from privlab.wire.messages import ColumnFacts, TableFacts
from tests.query.conftest import CATALOG, VISITS


def told(name: str, column: ColumnFacts) -> TableFacts:
    """A table of one column."""
    return TableFacts(
        dataset="clinic",
        name=name,
        version=1,
        unit="patient_id",
        unit_word="patient",
        bound="",
        currency="gdp",
        rows="",
        synthetic=False,
        about="",
        purposes=(),
        columns=(column,),
    )


def test_it_is_the_question_that_the_curator_looks_for() -> None:
    typed = question(("clinic", "visits"), "score", "patient_id")
    assert compile_question(typed, {}, CATALOG) == compile_question(
        histogram_text(VISITS, "score"), {}, CATALOG
    )


@pytest.mark.parametrize("name", ["order", "two words", 'quo"te', "größe", "MAX"])
def test_any_name_of_a_column_can_be_asked_about(name: str) -> None:
    table = VISITS.replacing({"score": Column(name, Kind.INT)})
    typed = question(("clinic", "visits"), name, "patient_id")
    for text in (typed, histogram_text(table, name)):
        assert compile_question(text, {}, Catalog((table,))).plan.keys[0].kind is Kind.INT


@pytest.mark.parametrize(
    ("again", "which"), [(False, None), (True, 3), (1, None), (2, 2), (3, 3), (4, 0), (-1, 0)]
)
def test_what_is_asked_anew_is_the_next_time_or_one_that_was_paid(
    again: int | bool, which: int | None
) -> None:
    def describe(name: str) -> TableFacts:
        column = ColumnFacts(
            name="score", kind="int", facts="", key=False, withheld=False, measured=2
        )
        return told(name, column)

    session = SimpleNamespace(describe=describe)
    if which == 0:
        with pytest.raises(BadQuery, match="were measured 2 times") as caught:
            histogram(session, "visits.score", again)  # type: ignore[arg-type]
        assert caught.value.hint == "--again 3 is the next"
        return
    anew = "" if which is None else f", {which}"
    assert f'MAGNITUDE("score"{anew})' in histogram(session, "visits.score", again)  # type: ignore[arg-type]


def test_how_often_is_what_the_language_says() -> None:
    assert of_query.MOST_TIMES == MOST_TIMES


@pytest.mark.parametrize("name", ["score", ".score", "visits."])
def test_a_column_is_named_with_its_table(name: str) -> None:
    with pytest.raises(BadQuery) as caught:
        histogram(None, name)  # type: ignore[arg-type]  # refused before anybody is asked
    assert caught.value.code == "PL112"


def test_it_is_shown_in_the_curators_words() -> None:
    facts = ColumnFacts(name="score", kind="int", facts="0 to 7", key=False, withheld=False)
    assert repr(Bounds("visits", facts, None)) == "visits.score: 0 to 7"  # type: ignore[arg-type]


def test_nothing_is_bought_of_a_column_whose_range_is_stated() -> None:
    """It would be paid for, and decide nothing."""
    column = ColumnFacts(
        name="age", kind="int", facts="0 to 110", key=True, withheld=False, stated=True
    )

    class Described:
        def describe(self, name: str) -> TableFacts:
            return told(name, column)

    with pytest.raises(BadQuery, match="contract states the range") as caught:
        measure_bounds(Described(), "visits.age")  # type: ignore[arg-type]
    assert 'MAGNITUDE("age")' in caught.value.hint
