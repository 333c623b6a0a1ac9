"""Passes of a few lines each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from privlab.errors import BadQuery, PolicyDenied
from privlab.query.ask import Aggregate, AggregateKind, Item, Name, Source, Span, Surface
from privlab.query.passes.find_column import find_column
from privlab.query.passes.name_output import name_output
from privlab.query.passes.order_measures import order_measures
from privlab.query.plan import Finish, MeanOut, Output, Question
from privlab.terms.catalog import Table

SQL = Source("age", Surface.SQL)
SPAN = Span(0, 3)


def test_a_column_is_found_by_its_exact_name(visits: Table) -> None:
    assert find_column(Name("age", SPAN), visits, SQL) is visits.column("age")
    with pytest.raises(BadQuery) as caught:
        find_column(Name("Age", SPAN), visits, SQL)
    assert (caught.value.code, caught.value.hint) == ("PL104", "did you mean age?")


def test_the_unit_and_withheld_columns_are_not_found(visits: Table) -> None:
    for name in ("patient_id", "diagnosis"):
        with pytest.raises(PolicyDenied) as caught:
            find_column(Name(name, SPAN), visits, SQL)
        assert caught.value.code == "PL201"


def test_a_given_name_wins() -> None:
    count = Aggregate(AggregateKind.ROWS, None, SPAN)
    assert name_output(Item(count, "n", SPAN), SQL) == "n"
    assert name_output(Item(count, None, SPAN), SQL) == "count"


def test_outputs_follow_their_measures(ask: Callable[..., Question]) -> None:
    question = ask("SELECT AVG(age) AS a FROM visits")
    plan, out = question.plan, question.finish.outputs[0].out
    assert isinstance(out, MeanOut)
    from dataclasses import replace

    turned = replace(plan, measures=plan.measures[::-1])
    finish = Finish((Output("a", MeanOut(1 - out.total, 1 - out.count), "mean"),))
    assert order_measures(turned, finish) == replace(question, rows=None, units=None)
