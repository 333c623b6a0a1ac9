"""Stated bounds go first, measured ones fill in, and the refusal says how to get some."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from privlab.errors import BadQuery, IntegrityError
from privlab.query.canonical import decode_plan, encode_plan, plan_text, question_id, view_ids
from privlab.query.compile import compile_question
from privlab.query.expr import Call, Literal, Op, Ref
from privlab.query.passes.find_bounds import found_under, with_found
from privlab.query.plan import Measure, MeasureKind
from privlab.terms.catalog import Catalog, Column, Found, Kind, Table
from privlab.terms.loss import Currency
from tests.query.conftest import VISITS

VIEW = "a5" * 32
SCORE = Ref("score", Kind.INT)


def bounded(low: int = -64, high: int = 1023, table: Table = VISITS) -> Catalog:
    """The table, with bounds of score that its asker found."""
    found = Found(Fraction(low), Fraction(high), "your measurement of 2025-03-01 10:00 UTC", VIEW)
    column = table.column("score")
    assert column is not None
    return Catalog((table.replacing({"score": replace(column, found=found)}),))


def value_of(text: str, catalog: Catalog) -> Measure:
    """The sum or the quantile of a question."""
    kinds = (MeasureKind.SUM, MeasureKind.QUANTILE)
    measures = compile_question(text, {}, catalog).plan.measures
    return next(one for one in measures if one.kind in kinds)


@pytest.mark.parametrize(
    ("of", "low", "high"),
    [
        ("score", -64, 1023),
        ("score * 2 + 1", -127, 2047),
        ("ABS(score)", 0, 1023),
        ("GREATEST(score, 0)", 0, 1023),
        ("score + age", -64, 1133),
        ("CASE WHEN urgent THEN score END", -64, 1023),
        ("CASE WHEN score > 0 THEN score END", 1, 1023),
    ],
)
@pytest.mark.parametrize("call", ["SUM({})", "AVG({})", "MEDIAN({})", "MAX({})"])
def test_measured_bounds_pass_through_an_expression(
    of: str, low: int, high: int, call: str
) -> None:
    measure = value_of(f"SELECT {call.format(of)} AS s FROM visits", bounded())
    assert (measure.low, measure.high) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT SUM(LEAST(GREATEST(score, 0), 60)) AS s FROM visits",
        "SELECT SUM(score) AS s FROM visits WHERE score BETWEEN 5000 AND 6000",
        "SELECT SUM(SIGN(score)) AS s FROM visits",
        "SELECT SUM(stay_days) AS s FROM visits WHERE score > 5000",
        "SELECT COUNT(*) AS n FROM visits WHERE score > 5000",
        "SELECT score > 5000 AS big, COUNT(*) AS n FROM visits GROUP BY big",
        "SELECT MAGNITUDE(score) AS bin, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY bin",
    ],
)
def test_what_needs_no_measured_bounds_is_the_same_question_with_them(text: str) -> None:
    plain, other = (compile_question(text, {}, one) for one in (Catalog((VISITS,)), bounded()))
    assert question_id(plain) == question_id(other)
    assert plain.notes == other.notes


def test_measured_bounds_make_no_keys() -> None:
    """Values between them are no more public than before: a threshold shows them, or nothing does."""
    text = "SELECT score, COUNT(*) AS n FROM visits GROUP BY score"
    plain, other = (compile_question(text, {}, one) for one in (Catalog((VISITS,)), bounded(0, 3)))
    assert question_id(plain) == question_id(other)
    assert [key.values for key in other.plan.keys] == [()]

    with pytest.raises(BadQuery) as caught:
        compile_question(text, {}, bounded(0, 3, replace(VISITS, currency=Currency.PURE)))
    assert caught.value.code == "PL107"


def test_a_range_that_the_contract_states_goes_first() -> None:
    age = VISITS.column("age")
    assert age is not None
    found = Found(Fraction(0), Fraction(7), "your measurement", VIEW)
    table = VISITS.replacing({"age": replace(age, found=found)})
    assert with_found(table).column("age") == table.column("age")
    assert value_of("SELECT SUM(age) AS s FROM visits", Catalog((table,))).high == 110


def test_the_note_says_where_bounds_are_from() -> None:
    (note,) = compile_question("SELECT AVG(score) AS m FROM visits", {}, bounded()).notes
    assert note == (
        "score has no stated range: -64..1023 is from your measurement of 2025-03-01 10:00 UTC"
    )
    (table,) = bounded().tables
    assert [one.name for one in found_under(SCORE, table, None)] == ["score"]
    assert found_under(Call(Op.CLIP, (SCORE, Literal(0), Literal(9))), table, None) == ()


def test_a_plan_says_from_which_view_its_bounds_are_and_its_views_do_not() -> None:
    clipped = "SELECT SUM(LEAST(GREATEST(score, -64), 1023)) AS s FROM visits"
    typed = compile_question(clipped, {}, bounded())
    found = compile_question("SELECT SUM(score) AS s FROM visits", {}, bounded())
    assert typed.plan.bounds_from == ()
    assert found.plan.bounds_from == (VIEW,)
    assert encode_plan(typed.plan)["version"] == 2
    assert encode_plan(found.plan)["version"] == 3
    assert view_ids(typed.plan) == view_ids(found.plan), "what is measured is the same"
    assert question_id(typed) != question_id(found), "what it says is not"
    assert plan_text(found.plan) == plan_text(typed.plan) + f"\nbounds from view {VIEW[:12]}"
    assert decode_plan(encode_plan(found.plan)) == found.plan


@pytest.mark.parametrize(
    "views", [[], ["a5"], [VIEW, VIEW], [VIEW, "a4" * 32], [VIEW.upper()], VIEW]
)
def test_a_plan_with_other_words_for_its_views_is_refused(views: object) -> None:
    found = compile_question("SELECT SUM(score) AS s FROM visits", {}, bounded())
    with pytest.raises(IntegrityError):
        decode_plan({**encode_plan(found.plan), "bounds_from": views})
    with pytest.raises(IntegrityError):
        decode_plan({**encode_plan(found.plan), "version": 2})


def test_bounds_of_what_one_person_sums_are_named_too() -> None:
    text = (
        "SELECT AVG(s) AS m FROM"
        " (SELECT patient_id, SUM(score) AS s FROM visits GROUP BY patient_id) t"
    )
    question = compile_question(text, {}, bounded())
    assert question.plan.bounds_from == (VIEW,)
    assert any("score has no stated range: -64..1023" in note for note in question.notes)


def test_bounds_of_a_decimal_choose_its_step() -> None:
    free = Column("free", Kind.FLOAT, found=Found(Fraction(0), Fraction(1, 64), "yours", VIEW))
    table = replace(VISITS, columns=(*VISITS.columns, free))
    measure = value_of("SELECT SUM(free) AS s FROM visits", Catalog((table,)))
    assert measure.low == 0
    assert Fraction(1, 64) <= measure.high < Fraction(1, 64) + measure.step
    assert 2**19 < measure.high / measure.step <= 2**20


def test_a_measurement_that_gave_none_is_named_in_the_refusal() -> None:
    column = VISITS.column("score")
    assert column is not None
    table = VISITS.replacing({"score": replace(column, searched="your measurement of today")})
    with pytest.raises(BadQuery) as caught:
        compile_question("SELECT SUM(score) AS s FROM visits", {}, Catalog((table,)))
    assert caught.value.code == "PL103"
    assert "your measurement of today saw no size of score" in caught.value.hint


def test_bounds_up_to_the_largest_numbers_have_a_coarse_step() -> None:
    measure = value_of("SELECT SUM(score) AS s FROM visits", bounded(-(2**63), 2**63 - 1))
    assert measure.step > 2**38
    assert VISITS.row_cap * measure.radius < 2**62
