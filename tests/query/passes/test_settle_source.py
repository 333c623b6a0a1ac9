"""Relations in the form that their equals share: conditions low, and nothing unread."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from privlab.query.ask import Source, Span, Surface
from privlab.query.passes.derive_column import derive_column
from privlab.query.passes.public_work import PublicWork
from privlab.query.passes.settle_source import refs, settle_source
from privlab.query.plan import Call, Literal, Op, Question, Ref
from privlab.query.plan_text import relation_lines
from privlab.query.relations import Join, PerUnit, Project, PublicRows, Scan
from privlab.terms.catalog import Column, Kind, Table

Ask = Callable[..., Question]


def test_conditions_stand_below_the_join_where_they_concern_one_side(ask: Ask) -> None:
    plan = ask(
        "SELECT COUNT(*) AS n FROM visits v JOIN labs l USING (patient_id) "
        "WHERE v.urgent AND l.value > 3 AND l.taken > v.admitted"
    ).plan
    assert isinstance(plan.source, Join)
    assert relation_lines(plan.source) == [
        "join on the unit with at most 8 and 20 rows of each",
        "  only: admitted",
        "    visits v1",
        "    where urgent",
        "  only: taken",
        "    labs v1",
        "    where value > 3",
    ]
    assert {ref.column for ref in refs(plan.where)} == {"admitted", "taken"}


def test_settling_twice_changes_nothing(ask: Ask) -> None:
    plan = ask(
        "SELECT w.region, AVG(l.v) AS m FROM visits v JOIN wards w USING (ward) LEFT JOIN "
        "(SELECT patient_id, COALESCE(value, 0) AS v FROM labs WHERE kind = 'k') l "
        "USING (patient_id) WHERE w.beds > 7 GROUP BY 1"
    ).plan
    read = refs(*(key.expr for key in plan.keys), *(one.of for one in plan.measures))
    work = PublicWork(Source("", Surface.SQL), Span(0, 0))
    assert settle_source(plan.source, plan.where, read, work) == (plan.source, plan.where)


def test_a_preserving_join_keeps_its_right_side_as_it_is(ask: Ask) -> None:
    """A condition on it in WHERE is about rows that meet none, too."""
    plan = ask(
        "SELECT COUNT(*) AS n FROM visits v LEFT JOIN labs l USING (patient_id) "
        "WHERE v.urgent AND (l.value > 3 OR l.value IS NULL)"
    ).plan
    assert isinstance(plan.source, Join)
    assert isinstance(plan.source.left, Project)
    assert plan.source.right == Scan("labs", 1)
    assert plan.where is not None


def test_public_conditions_leave_only_the_public_rows_that_pass(ask: Ask) -> None:
    plan = ask(
        "SELECT COUNT(*) AS n FROM visits JOIN wards USING (ward) WHERE region = 'north'"
    ).plan
    assert isinstance(plan.source, Join)
    assert isinstance(plan.source.right, PublicRows)
    assert plan.source.right.rows == (("A",), ("C",))
    assert plan.where is None


def test_who_has_no_row_is_asked_with_one_row_per_unit(ask: Ask) -> None:
    plan = ask(
        "SELECT COUNT(*) AS n FROM visits v LEFT JOIN labs l USING (patient_id) "
        "WHERE l.patient_id IS NULL"
    ).plan
    assert isinstance(plan.source, Join)
    assert isinstance(plan.source.right, Project)
    assert isinstance(plan.source.right.of, PerUnit)
    assert plan.bound.rows == 8


def test_what_a_subquery_does_not_say_does_not_matter(ask: Ask) -> None:
    """Columns that nobody reads are not read."""
    plan = ask(
        "SELECT COUNT(*) AS n FROM (SELECT patient_id, MAX(age) AS a, COUNT(*) AS k FROM visits "
        "GROUP BY patient_id) t WHERE a > 50"
    ).plan
    assert dict(plan.reads) == {"visits": {"age"}}


def test_a_derived_column_states_what_follows_from_its_table(ask: Ask, visits: Table) -> None:
    source, span = Source("", Surface.SQL), Span(0, 0)
    age = Ref("age", Kind.INT)
    where = Call(Op.GE, (age, Literal(65)))
    found = derive_column("a", age, visits, where, source, span)
    assert found == Column("a", Kind.INT, False, Fraction(65), Fraction(110))  # noqa: FBT003
    ward = derive_column("w", Ref("ward", Kind.TEXT), visits, None, source, span)
    assert ward.keys == ("A", "B", "C")
    plan = ask(
        "SELECT y, COUNT(*) AS n FROM (SELECT patient_id, YEAR(admitted) AS y FROM visits "
        "WHERE admitted >= '2024-01-01' GROUP BY patient_id, YEAR(admitted)) t GROUP BY y"
    ).plan
    assert plan.keys[0].values == (2024,)
    assert plan.bound.rows == 1
