"""What stands behind FROM becomes a relation, and a table that everything after knows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from privlab.query.canonical import decode_plan, encode_plan, question_id
from privlab.query.passes import (
    bound_source,
    found_source,
    join_conditions,
    lower_unit_value,
    resolve_join,
    resolve_member,
    resolve_names,
    resolve_per_unit,
    resolve_source,
    resolve_union,
    side_table,
)
from privlab.query.plan import Question
from privlab.query.relations import Join, PerUnit, PublicRows, Scan, Union

Ask = Callable[..., Question]

SAME = [
    (
        "SELECT w.region, COUNT(*) AS n FROM visits v JOIN wards w ON v.ward = w.ward GROUP BY w.region",
        "SELECT region, COUNT(*) AS n FROM visits JOIN wards USING (ward) GROUP BY region",
        (
            "WITH a AS (SELECT ward AS w, region AS region FROM wards) "
            "SELECT b.region, COUNT(*) AS n FROM visits AS x INNER JOIN a b ON b.w = x.ward GROUP BY 1"
        ),
    ),
    (
        (
            "SELECT p.sex, COUNT(*) AS n FROM visits v JOIN patients p USING (patient_id) "
            "WHERE p.born < 1950 AND v.urgent GROUP BY p.sex"
        ),
        (
            "SELECT s AS sex, COUNT(*) AS n FROM (SELECT * FROM visits WHERE urgent) v JOIN "
            "(SELECT patient_id, sex AS s FROM patients WHERE born <= 1949) p "
            "ON p.patient_id = v.patient_id GROUP BY s"
        ),
        (
            "WITH p AS (SELECT * FROM patients) SELECT p.sex, COUNT(*) AS n FROM visits "
            "JOIN p ON visits.patient_id = p.patient_id AND p.born < 1950 AND urgent GROUP BY p.sex"
        ),
    ),
    (
        "SELECT COUNT(*) AS n FROM visits WHERE patient_id IN (SELECT patient_id FROM labs WHERE value > 9)",
        (
            "SELECT COUNT(*) AS n FROM visits v WHERE EXISTS "
            "(SELECT 1 FROM labs l WHERE l.patient_id = v.patient_id AND value > 9)"
        ),
        (
            "SELECT COUNT(*) AS n FROM visits JOIN (SELECT DISTINCT patient_id FROM labs WHERE value > 9) l "
            "USING (patient_id)"
        ),
        (
            "SELECT COUNT(*) AS n FROM visits SEMI JOIN labs ON labs.patient_id = visits.patient_id "
            "AND labs.value > 9"
        ),
    ),
    (
        "SELECT AVG(n) AS m FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id) t",
        (
            "WITH t AS (SELECT patient_id, COUNT(*) AS k, MAX(age) AS a FROM visits GROUP BY 1) "
            "SELECT AVG(t.k) AS m FROM t"
        ),
    ),
]


@pytest.mark.parametrize("texts", SAME)
def test_one_question_has_one_plan(ask: Ask, texts: tuple[str, ...]) -> None:
    questions = [ask(text) for text in texts]
    assert len({question_id(one) for one in questions}) == 1
    assert decode_plan(encode_plan(questions[0].plan)) == questions[0].plan


def test_each_kind_of_relation_comes_from_its_own_pass(ask: Ask) -> None:
    """Bounds: public rows change nothing, rows of the unit multiply, parts add up."""
    public = ask("SELECT COUNT(*) AS n FROM visits JOIN wards USING (ward)").plan
    assert isinstance(public.source, Join)
    assert isinstance(public.source.right, PublicRows)
    assert (public.bound.rows, public.row_cap) == (8, 4_000_000)
    pairs = ask("SELECT COUNT(*) AS n FROM visits JOIN labs USING (patient_id)").plan
    assert isinstance(pairs.source, Join)
    assert pairs.source.most == (8, 20)
    assert (pairs.bound.rows, pairs.row_cap) == (160, 64_000_000)
    each = ask(
        "SELECT AVG(n) AS m FROM (SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY 1) t"
    ).plan
    assert isinstance(each.source, PerUnit)
    assert each.source.of == Scan("visits", 1)
    assert each.bound.rows == 1
    stacked = ask(
        "SELECT COUNT(*) AS n FROM (SELECT ward FROM visits UNION ALL SELECT ward FROM labs) t"
    ).plan
    assert isinstance(stacked.source, Union)
    assert (stacked.bound.rows, stacked.row_cap) == (28, 12_000_000)


def test_passes_say_what_they_are_for() -> None:
    for one in (
        bound_source,
        found_source,
        join_conditions,
        lower_unit_value,
        resolve_join,
        resolve_member,
        resolve_names,
        resolve_per_unit,
        resolve_source,
        resolve_union,
        side_table,
    ):
        assert one.__doc__
