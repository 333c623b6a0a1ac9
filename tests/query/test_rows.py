"""What both surfaces parse FROM, joins and subqueries into."""

from __future__ import annotations

import ast

import pytest
from sqlglot import exp, parse_one

from privlab.errors import BadQuery
from privlab.query import frame_chain, frame_joins, sql_groups, sql_joins
from privlab.query.ask import Apply, Name, Source, Surface
from privlab.query.compile import parse
from privlab.query.frame_place import Place
from privlab.query.passes import (
    found_source,
    join_conditions,
    resolve_join,
    resolve_member,
    resolve_per_unit,
    resolve_union,
)
from privlab.query.passes.public_work import PublicWork
from privlab.query.passes.resolve_source import resolve_source
from privlab.query.plan import Op
from privlab.query.relations import Join, PerUnit, Union
from privlab.query.rows import Grouped, How, Joined, Named, Rows, Stacked, tables_of
from privlab.query.sql_expressions import Expressions
from privlab.query.sql_rows import RowsReader
from tests.query.conftest import CATALOG, PUBLIC

NESTED = """
WITH old AS (SELECT * FROM patients WHERE born < 1950), per AS (
  SELECT patient_id, COUNT(*) AS n FROM labs GROUP BY patient_id)
SELECT w.region, COUNT(*) AS n FROM visits v JOIN old o USING (patient_id)
LEFT JOIN per USING (patient_id) JOIN wards w ON w.ward = v.ward
WHERE v.patient_id IN (SELECT patient_id FROM labs) GROUP BY 1
"""


def test_every_table_that_is_named_is_found_from_left_to_right() -> None:
    names = [one.name for one in tables_of(parse(NESTED, CATALOG).base)]
    assert names == ["visits", "patients", "labs", "wards", "labs"]


def test_what_names_and_filters_is_no_base_of_its_own() -> None:
    """A derived table, a CTE and a chain of steps come to one table and one condition."""
    for text in (
        "SELECT SUM(a) AS s FROM (SELECT age + 1 AS a FROM visits WHERE urgent) t",
        "WITH t AS (SELECT age + 1 AS a FROM visits WHERE urgent) SELECT SUM(a) AS s FROM t",
        'visits.filter(pl.col("urgent")).select(a=pl.col("age") + 1).select(s=pl.col("a").sum())',
    ):
        ask = parse(text, CATALOG)
        assert isinstance(ask.base, Named)
        assert isinstance(ask.where, Name)


def test_names_of_a_select_are_in_force_after_its_rows_are_read() -> None:
    text = "SELECT 1 FROM (SELECT age + 1 AS a FROM visits WHERE urgent) t WHERE t.a > 3"
    statement = parse_one(text)
    reader = Expressions(Source(text, Surface.SQL), statement)
    assert isinstance(statement, exp.Select)
    rows = RowsReader(reader).of(statement)
    assert (reader.tables, reader.joined) == (("t",), False)
    assert list(reader.names.made) == ["a"]
    assert rows.names == reader.names
    assert isinstance(rows.where, Apply)
    assert rows.where.op is Op.AND


def test_conditions_are_those_that_and_joins() -> None:
    where = parse_one("SELECT 1 FROM t WHERE (a AND (b OR c)) AND NOT d").args["where"].this
    assert [one.sql() for one in sql_joins.conditions(where)] == ["a", "(b OR c)", "NOT d"]


@pytest.mark.parametrize(("word", "how"), frame_joins.HOW.items())
def test_a_join_is_one_thing_in_either_surface(word: str, how: How) -> None:
    kind = {"inner": "", "left": "LEFT", "semi": "SEMI", "anti": "ANTI"}[word]
    sql = parse(f"SELECT COUNT(*) AS n FROM visits {kind} JOIN labs USING (patient_id)").base
    frame = parse(f'visits.join(labs, on="patient_id", how="{word}").select(n=pl.len())').base
    for base in (sql, frame):
        assert isinstance(base, Joined)
        assert base.how is how
        assert base.merged == {"patient_id"}
        assert [[one.name for one in pair if isinstance(one, Name)] for pair in base.pairs] == [
            ["patient_id", "patient_id"]
        ]


def test_a_right_join_is_a_left_join_the_other_way() -> None:
    base = parse("SELECT COUNT(*) AS n FROM a RIGHT JOIN b USING (x)").base
    assert isinstance(base, Joined)
    assert (base.how, base.left_as, base.right_as) == (How.LEFT, "b", "a")


def test_positions_of_group_by_are_of_the_subquerys_own_columns() -> None:
    base = parse(
        "SELECT COUNT(*) AS n FROM (SELECT patient_id, age // 10 AS d FROM visits GROUP BY 2, 1) t"
    ).base
    assert isinstance(base, Grouped)
    assert [group.node for group in base.groups] == [
        base.items[1].value,
        base.items[0].value,
    ]


def test_a_position_that_is_none_is_refused() -> None:
    text = "SELECT patient_id FROM visits GROUP BY 2"
    statement = parse_one(text)
    reader = Expressions(Source(text, Surface.SQL), statement)
    group = statement.args["group"]
    with pytest.raises(BadQuery, match="position 2 is not one of the 0"):
        sql_groups.read_groups(reader, group, ())
    assert sql_groups.read_groups(reader, None, ()) == ()


def test_a_chain_in_the_place_of_a_table_is_rows() -> None:
    text = 'labs.filter(pl.col("value") > 3).group_by("patient_id").agg(n=pl.len())'
    tree = ast.parse(text, mode="eval").body
    rows = frame_chain.rows_of(Source(text, Surface.POLARS), Place(text, 0), tree)
    assert isinstance(rows, Rows)
    assert isinstance(rows.base, Grouped)
    assert rows.base.of.where is not None
    stacked = parse("pl.concat([visits, labs]).select(n=pl.len())").base
    assert isinstance(stacked, Stacked)
    assert stacked.by_name


def test_each_base_is_resolved_by_a_pass_of_its_own() -> None:
    text = (
        "SELECT COUNT(*) AS n FROM (SELECT patient_id FROM labs GROUP BY patient_id UNION ALL "
        "SELECT v.patient_id FROM visits v JOIN patients p USING (patient_id)) t"
    )
    ask = parse(text, CATALOG)
    sources = found_source.Sources(
        ask.source,
        CATALOG,
        PUBLIC,
        {},
        lambda own, base: passes[type(base)](own, base),
        PublicWork(ask.source, ask.base.span),
    )
    passes = {
        Named: lambda own, base: own.named(base),
        Joined: resolve_join.resolve_join,
        Grouped: resolve_per_unit.resolve_per_unit,
        Stacked: resolve_union.resolve_union,
    }
    assert isinstance(ask.base, Stacked)
    union = resolve_union.resolve_union(sources, ask.base)
    assert isinstance(union.relation, Union)
    assert resolve_source(ask, CATALOG, PUBLIC, {}).relation == union.relation
    group, join = (part.base for part in ask.base.parts)
    assert isinstance(group, Grouped)
    assert isinstance(join, Joined)
    assert isinstance(resolve_per_unit.resolve_per_unit(sources, group).relation, PerUnit)
    left, right = (sources.rows(one, "") for one in (join.left, join.right))
    asked = join_conditions.sort_conditions(sources, join, left, right)
    assert asked == join_conditions.Conditions(unit=True)
    assert isinstance(resolve_join.resolve_join(sources, join).relation, Join)
    semi = resolve_member.resolve_member(sources, join, left, right, asked)
    assert isinstance(semi.relation, Join)
    assert semi.relation.right_names == ()
