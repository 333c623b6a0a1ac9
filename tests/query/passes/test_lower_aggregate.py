"""What is measured for each aggregate."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from privlab.errors import PrivlabError
from privlab.query.plan import MeasureKind, Question, Ref
from privlab.terms.catalog import Kind

Ask = Callable[..., Question]


def test_clamps_are_whole_multiples_of_the_step_outwards(ask: Ask) -> None:
    (measure,) = ask(
        "SELECT SUM(LEAST(GREATEST(weight, 0.00013), 70.00001)) FROM visits"
    ).plan.measures
    for end in (measure.low, measure.high, measure.centre):
        assert (end / measure.step).denominator == 1
    assert measure.low <= Fraction("0.00013")
    assert measure.high >= Fraction("70.00001")


def test_a_constant_range_still_has_a_sensitivity(ask: Ask) -> None:
    for text in (
        "SELECT SUM(LEAST(GREATEST(score, 0), 0)) FROM visits",
        "SELECT AVG(LEAST(GREATEST(score, 7), 7)) FROM visits",
        "SELECT AVG(age) FROM visits WHERE age = 7",
    ):
        plan = ask(text).plan
        assert all(one.squared_sensitivity(plan.bound) >= 1 for one in plan.measures)


def test_a_condition_outside_of_the_range_is_no_reason_to_fail(ask: Ask) -> None:
    plan = ask("SELECT AVG(age) FROM visits WHERE age > 200").plan
    assert all(one.squared_sensitivity(plan.bound) >= 1 for one in plan.measures)


def test_the_count_of_what_cannot_be_null_is_the_count_of_rows(ask: Ask) -> None:
    for text in (
        "SELECT COUNT(age) FROM visits",
        "SELECT COUNT(age + weight) FROM visits",
        "SELECT COUNT(sex) FROM visits WHERE sex = 'f'",
        "SELECT COUNT(sex IS NULL) FROM visits WHERE sex = 'f'",
    ):
        (measure,) = ask(text).plan.measures
        if "IS NULL" not in text:
            assert (measure.kind, measure.of) == (MeasureKind.ROWS, None)


def test_a_count_of_an_expression_is_that_of_its_nullable_column(ask: Ask) -> None:
    (measure,) = ask("SELECT COUNT(2 * stay_days + age) FROM visits").plan.measures
    assert measure.of == Ref("stay_days", Kind.INT)
    (measure,) = ask("SELECT COUNT(stay_days + cost) FROM visits").plan.measures
    assert measure.of is not None
    assert not isinstance(measure.of, Ref)


def test_a_constant_is_not_counted_distinct(refusal: Callable[..., PrivlabError]) -> None:
    error = refusal("SELECT COUNT(DISTINCT 1) FROM visits")
    assert error.code == "PL106"
    assert error.hint == "COUNT(DISTINCT patient_id)"


def test_units_are_counted_as_units_and_other_values_as_values(
    ask: Callable[..., Question],
) -> None:
    """A unit counts once in a group; of its values, so many as rows may count."""
    units, values = ask(
        "SELECT ward, COUNT(DISTINCT patient_id), COUNT(DISTINCT age) FROM visits GROUP BY ward"
    ).plan.measures[::-1]
    bound = ask("SELECT ward, COUNT(*) FROM visits GROUP BY ward").plan.bound
    assert (units.kind, values.kind) == (MeasureKind.UNITS, MeasureKind.DISTINCT)
    assert units.squared_sensitivity(bound) == bound.groups
    assert values.squared_sensitivity(bound) == bound.squared_rows


@pytest.mark.parametrize("value", ["3", "ward", "admitted"])
def test_only_numbers_of_rows_are_summed(refusal: Callable[..., PrivlabError], value: str) -> None:
    assert refusal(f"SELECT SUM({value}) FROM visits").code in ("PL106", "PL111")


def test_a_sum_of_conditions_is_a_count(ask: Callable[..., Question]) -> None:
    """However it is written, it costs a count, and is one view."""
    counts = [
        ask(text).plan.measures
        for text in (
            "SELECT COUNT(*) FILTER (WHERE urgent) FROM visits",
            "SELECT COUNT(age) FILTER (WHERE urgent) FROM visits",
            "SELECT COUNT(CASE WHEN urgent THEN 'x' END) FROM visits",
            "SELECT SUM(CASE WHEN urgent THEN 1 ELSE 0 END) FROM visits",
            "SELECT SUM(urgent) FROM visits",
            "SELECT COUNT_IF(urgent) FROM visits",
            'visits.select(pl.col("urgent").sum())',
            'visits.select(pl.col("stay_days").filter(pl.col("urgent")).len())',
        )
    ]
    assert all(one == counts[0] for one in counts)
    assert counts[0][0].kind is MeasureKind.ROWS


def test_units_are_counted_where_a_condition_holds(ask: Callable[..., Question]) -> None:
    for text in (
        "SELECT COUNT(DISTINCT patient_id) FILTER (WHERE urgent) FROM visits",
        "SELECT COUNT(DISTINCT CASE WHEN urgent THEN patient_id END) FROM visits",
        'visits.select(pl.col("patient_id").filter(pl.col("urgent")).n_unique())',
    ):
        (measure,) = ask(text).plan.measures
        assert measure.kind is MeasureKind.UNITS
        assert measure.of is not None
