"""What stands behind FROM becomes a relation, and a table that everything after knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from privlab.errors import BadQuery
from privlab.query.canonical import decode_plan, encode_plan, question_id
from privlab.query.compile import compile_question
from privlab.query.passes import bound_source, lower_unit_value, resolve_names, side_table
from privlab.query.plan import Question
from privlab.query.relations import Join, PerUnit, PublicRows, Scan, Union
from privlab.terms.catalog import Catalog, Column, Kind, Table
from tests.query.conftest import VISITS

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


def test_a_row_meets_so_many_public_rows_at_most() -> None:
    """`MAX_FAN_OUT` is where a join is refused, and a condition on the frame is the way out.

    The table is small: of a large one, far fewer may meet a row.
    """
    small = Catalog((replace(VISITS, row_cap=60_000),))
    text = "SELECT COUNT(*) AS n FROM visits JOIN many USING (ward)"
    for size in (bound_source.MAX_FAN_OUT, bound_source.MAX_FAN_OUT + 1):
        many = PublicRows(
            (("ward", Kind.TEXT), ("at", Kind.INT)), tuple(("A", at) for at in range(size))
        )
        if size == bound_source.MAX_FAN_OUT:
            plan = compile_question(text, {}, small, {"many": many}).plan
            assert bound_source.widest(plan.source) == size
            assert (plan.bound.rows, plan.row_cap) == (8, 60_000 * size)
            continue
        with pytest.raises(BadQuery, match="1,001 public rows") as caught:
            compile_question(text, {}, small, {"many": many})
        assert caught.value.code == "PL113"
        compile_question(f"{text} WHERE at < 1000", {}, small, {"many": many})


def test_values_of_a_unit_state_their_ranges(ask: Ask) -> None:
    plan = ask(
        "SELECT SUM(a) AS a, SUM(b) AS b, SUM(c) AS c, SUM(d) AS d, SUM(e) AS e FROM "
        "(SELECT patient_id, COUNT(stay_days) AS a, SUM(stay_days - 10) AS b, AVG(cost) AS c, "
        "MAX(age) - MIN(age) AS d, COUNT(DISTINCT note) AS e FROM visits GROUP BY patient_id) t"
    ).plan
    assert isinstance(plan.source, PerUnit)
    names = dict(plan.source.columns)
    assert set(lower_unit_value.WORDS.values()) == {name.split("_")[0] for name in names}
    ranges = {(one.low, one.high) for one in plan.measures}
    assert ranges == {(0, 8), (-80, 400), (0, 50_000), (-110, 110)}


def test_names_are_found_behind_their_words(ask: Ask) -> None:
    """`resolve_names`: the unit may be named of either side; other names need a word."""
    table = Table("", "t", 1, "", "", bound_source.ONE, 1, (Column("a", Kind.INT),))
    names = resolve_names.Names.of(table)
    assert names.visible() == {"a": resolve_names.column("a")}
    asked = {
        question_id(ask(f"SELECT COUNT(DISTINCT {word}patient_id) AS n FROM visits v "
                        "JOIN labs l ON v.patient_id = l.patient_id"))
        for word in ("", "v.", "l.")
    }  # fmt: skip
    assert len(asked) == 1


def test_units_with_rows_on_a_preserved_side_are_counted(ask: Ask) -> None:
    plan = ask(
        "SELECT COUNT(DISTINCT v.patient_id) AS n, COUNT(DISTINCT l.patient_id) AS k "
        "FROM visits v LEFT JOIN labs l USING (patient_id)"
    ).plan
    assert [one.of is None for one in plan.measures].count(False) == 1
    assert len(plan.measures) == len("nk")
    assert isinstance(plan.source, Join)
    assert side_table.MET in dict(plan.source.right_names)


def test_keys_of_a_unit_that_are_not_public_count_as_many_as_rows(ask: Ask) -> None:
    """A threshold shows them, in the subquery's question as in any other."""
    plan = ask(
        "SELECT note, COUNT(*) AS n FROM (SELECT patient_id, note, COUNT(*) AS k FROM visits "
        "GROUP BY patient_id, note) t GROUP BY note"
    ).plan
    assert plan.thresholded
    assert (plan.bound.rows, plan.bound.rows_per_group) == (8, 1)
    joined = ask(
        "SELECT area, COUNT(*) AS n FROM visits JOIN patients USING (patient_id) GROUP BY 1"
    )
    assert joined.plan.thresholded
