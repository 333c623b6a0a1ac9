"""Encoding is a bijection onto what it writes; anything else is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.errors import IntegrityError
from privlab.query import relation_encoding
from privlab.query.canonical import (
    canonical_text,
    decode_plan,
    encode_plan,
    encode_scalar,
    question_id,
    view_id,
    view_ids,
)
from privlab.query.compile import compile_question
from privlab.query.plan import Key, Measure, MeasureKind, Plan, Question, Ref
from privlab.query.relations import Join, PublicRows
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog, Kind, Scalar
from tests.query.conftest import VISITS
from tests.query.relations import relations
from tests.query.shapes import conditions, numbers

VIEW = "d9090a2454347231c7263483ef6cb386f57de3f9f1ddc3ca917499efc918d3d3"
QUESTION = "3a8f28cd69c696972b5596375de5282add3d0d32f16fcd4f87ec2efd073a8340"

scalars: st.SearchStrategy[Scalar | None] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.fractions(),
    st.text(),
    st.dates(),
    st.datetimes(),
)


@st.composite
def measures(draw: st.DrawFn) -> Measure:
    kind = draw(st.sampled_from(MeasureKind))
    match kind:
        case MeasureKind.ROWS:
            return Measure(kind, draw(st.none() | numbers))
        case MeasureKind.UNITS:
            return Measure(kind)
        case MeasureKind.DISTINCT:
            return Measure(kind, draw(numbers))
    step = draw(st.fractions(Fraction(1, 1000), 1000))
    low, high, centre = sorted(draw(st.tuples(*[st.integers(-1000, 1000)] * 3)))
    if kind is MeasureKind.SUM:
        return Measure(kind, draw(numbers), low * step, high * step, step, centre * step)
    q = draw(st.fractions(0, 1, max_denominator=1 << 20))
    return Measure(kind, draw(numbers), low * step, high * step, step, q=q)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    rows = draw(st.integers(1, 9))
    bound = ContributionBound(rows, draw(st.integers(1, rows)), draw(st.integers(1, rows)))
    values = st.lists(
        scalars, min_size=1, max_size=4, unique_by=lambda one: canonical_text(encode_scalar(one))
    )
    keys = st.builds(
        lambda name, kind, found: Key(Ref(name, kind), kind, tuple(found)),
        st.text(),
        st.sampled_from(Kind),
        values,
    )
    return Plan(
        dataset=draw(st.text()),
        unit=draw(st.text()),
        source=draw(relations()),
        bound=bound,
        row_cap=draw(st.integers(0, 1 << 60)),
        where=draw(st.none() | conditions),
        keys=tuple(draw(st.lists(keys, max_size=2))),
        measures=tuple(draw(st.lists(measures(), max_size=3))),
    )


@settings(deadline=None, max_examples=60)
@given(plan=plans())
def test_a_plan_survives_json(plan: Plan) -> None:
    text = canonical_text(encode_plan(plan))
    assert text.isascii()
    again = decode_plan(json.loads(text))
    assert again == plan
    assert canonical_text(encode_plan(again)) == text


@settings(deadline=None, max_examples=30)
@given(one=plans(), two=plans())
def test_different_plans_have_different_texts(one: Plan, two: Plan) -> None:
    texts = canonical_text(encode_plan(one)), canonical_text(encode_plan(two))
    assert (texts[0] == texts[1]) == (one == two)


def _spoiled(value: dict[str, Any], path: str, new: object) -> dict[str, Any]:
    spoiled = copy.deepcopy(value)
    place: Any = spoiled
    *steps, last = path.split(".")
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    if new is KeyError:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = new
    return spoiled


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("version", 1),
        ("version", True),
        ("extra", 1),
        ("dataset", KeyError),
        ("dataset", 3),
        ("source.scan.1", -1),
        ("source.scan.1", 1.0),
        ("source.scan.1", True),
        ("bound", [8, 9, 1]),
        ("bound", [8, 4]),
        ("where", {"op": "eval", "args": []}),
        ("where", {"op": "not", "args": []}),
        ("where", {"op": "eq", "args": [{"value": None}]}),
        ("where", {"column": "age", "kind": "complex"}),
        ("where", {"column": "age", "kind": "int", "more": 1}),
        ("where", "age"),
        ("where.args.1.value", ["int", "065"]),
        ("where.args.1.value", ["int", 65]),
        ("where.args.1.value", ["float", "65"]),
        ("where.args.1.value", ["number", "2/4"]),
        ("where.args.1.value", ["date", "20240131"]),
        ("keys.0.values", []),
        ("keys.0.values", [["text", "A"], ["text", "A"]]),
        ("measures.0.kind", "median"),
        ("measures.1.step", "0"),
        ("measures.1.step", "-1"),
        ("measures.1.step", "7"),
        ("measures.1.low", "99"),
        ("measures.1.low", "00"),
        ("measures.1.low", "1.5"),
        ("measures.1.of", None),
        ("measures.0.high", "2"),
    ],
)
def test_what_no_plan_encodes_to_is_refused(
    ask: Callable[..., Question], path: str, new: object
) -> None:
    question = ask("SELECT ward, COUNT(*), SUM(stay_days) FROM visits WHERE age >= 65 GROUP BY 1")
    encoded = encode_plan(question.plan)
    assert decode_plan(encoded) == question.plan
    with pytest.raises(IntegrityError) as caught:
        decode_plan(_spoiled(encoded, path, new))
    assert caught.value.code == "PL400"


@pytest.mark.parametrize("value", [None, 3, [], "plan", {}])
def test_what_is_no_object_is_no_plan(value: object) -> None:
    with pytest.raises(IntegrityError):
        decode_plan(value)


def test_ids_are_stable(ask: Callable[..., Question]) -> None:
    """Stored views are found by these: a change here orphans every ledger."""
    question = ask("SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward")
    assert view_id(question.plan, 0) == VIEW
    assert question_id(question) == QUESTION


def with_codes(text: str, rows: int) -> Question:
    codes = PublicRows(
        (("age", Kind.INT), ("code", Kind.INT)), tuple((at, at % 7) for at in range(rows))
    )
    return compile_question(text, {}, Catalog((VISITS,)), {"codes": codes})


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ward, COUNT(*) AS n, SUM(age) AS a, AVG(stay_days) AS s FROM visits GROUP BY ward",
        "SELECT note, COUNT(*) AS n, SUM(age) AS a FROM visits GROUP BY note",
        "SELECT code, COUNT(*) AS n, SUM(age) AS a FROM visits JOIN codes USING (age) GROUP BY code",
    ],
)
def test_a_view_has_one_id_in_whatever_plan_measures_it(text: str) -> None:
    plan = with_codes(text, 9).plan
    ids = view_ids(plan)
    assert len(set(ids)) == len(plan.measures) > 1
    assert ids == tuple(view_id(plan, at) for at in range(len(ids)))
    if not plan.thresholded:
        alone = [replace(plan, measures=(one,)) for one in plan.measures]
        assert ids == tuple(view_id(one, 0) for one in alone)


def test_public_rows_are_part_of_an_id_by_every_value_and_in_order() -> None:
    text = "SELECT code, COUNT(*) AS n FROM visits JOIN codes USING (age) GROUP BY code"
    plan = with_codes(text, 9).plan
    assert isinstance(plan.source, Join)
    assert isinstance(plan.source.right, PublicRows)
    rows = plan.source.right.rows
    others = [rows[::-1], rows[:-1], (*rows[:-1], (rows[-1][0], None))]
    plans = [
        replace(plan, source=replace(plan.source, right=replace(plan.source.right, rows=one)))
        for one in (rows, *others)
    ]
    assert len({view_id(one, 0) for one in plans}) == len(plans)
    assert view_id(plans[0], 0) == view_id(plan, 0)


def test_the_ids_of_many_measures_write_public_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are free to ask for, so they may not cost what measures times rows cost."""
    written: list[object] = []

    def counted(value: Scalar | None) -> object:
        written.append(value)
        return encode_scalar(value)

    monkeypatch.setattr(relation_encoding, "encode_scalar", counted)
    counts = ", ".join(f"COUNT(*) FILTER (WHERE code > {at}) AS c{at}" for at in range(6))
    question = with_codes(f"SELECT {counts} FROM visits JOIN codes USING (age)", 500)
    assert len(set(view_ids(question.plan))) == len(question.plan.measures) == 6
    assert question_id(question)
    assert len(written) == 1_000


def test_dates_and_times_are_told_apart(ask: Callable[..., Question]) -> None:
    texts = [
        "SELECT COUNT(*) FROM visits WHERE admitted = '2023-01-01'",
        "SELECT COUNT(*) FROM visits WHERE seen = '2023-01-01'",
    ]
    values = [encode_plan(ask(text).plan)["where"]["args"][1]["value"] for text in texts]
    assert values == [
        ["date", date(2023, 1, 1).isoformat()],
        ["datetime", datetime(2023, 1, 1).isoformat()],  # noqa: DTZ001
    ]
