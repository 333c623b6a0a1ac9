"""Groups whose keys are not public, of joins, unions and rows per unit: found, bounded and shown.

Rows are drawn so that they meet, many units are in more groups than count, and notes are
null or long; what Polars makes of them is what the plain twins do.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import Any

import polars as pl
import pytest

from privlab.connector.contract import parse
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.scan import DTYPES
from privlab.engine.found import put_together
from privlab.engine.reference import UNIT, bounded_sums, cells_of, sampled
from privlab.engine.reference_relations import rows_of
from privlab.engine.run import shown
from privlab.engine.sources import standing
from privlab.engine.work import Work
from privlab.query.compile import compile_question
from privlab.query.labels import decode_labels
from privlab.query.plan import MOST_LABEL, Plan
from privlab.query.relation_kinds import kinds_of
from privlab.query.relations import PublicRows
from privlab.terms.catalog import Catalog, Kind
from privlab.terms.groups import Label
from tests.engine.conftest import QUIET
from tests.engine.test_found import by_label, labels_of

KEY = bytes(range(16))
HEAD = '[table]\nname = "{}"\ndataset = "clinic"\nunit = "patient"\nrow_cap = 5_000\n'
VISITS = (
    HEAD.format("visits")
    + 'rows_per_unit = 4\n[columns.patient]\ntype = "int"\n'
    + '[columns.ward]\ntype = "text"\nkeys = ["a", "b"]\n'
    + '[columns.note]\ntype = "text"\n[columns.score]\ntype = "int"\n'
    + '[columns.age]\ntype = "int"\nrange = [0, 9]\n'
)
DRUGS = (
    HEAD.format("drugs")
    + 'rows_per_unit = 2\n[columns.patient]\ntype = "int"\n'
    + '[columns.ward]\ntype = "text"\nkeys = ["a", "b"]\n'
    + '[columns.maker]\ntype = "text"\n'
    + '[columns.dose]\ntype = "int"\nrange = [0, 5]\n'
)
CATALOG = Catalog(tuple(parse(text).table(1) for text in (VISITS, DRUGS)))
WORDS = PublicRows(
    (("word", Kind.TEXT), ("topic", Kind.TEXT), ("weight", Kind.INT)),
    (("ab", "x", 1), ("ab", "y", 2), ("cd", "x", 3), (None, "z", 4)),
)
WARDS = PublicRows((("ward", Kind.TEXT), ("region", Kind.TEXT)), (("a", "north"), ("b", "south")))
PUBLIC = {"words": WORDS, "wards": WARDS}
VALUES: dict[str, dict[str, tuple[Kind, list[Any]]]] = {
    "visits": {
        "ward": (Kind.TEXT, ["a", "b", "c", None]),
        "note": (Kind.TEXT, ["ab", "ac", "cd", "", None, "x" * (MOST_LABEL + 1)]),
        "score": (Kind.INT, [1, -7, 2**63 - 1, -(2**63), None]),
        "age": (Kind.INT, [-3, 0, 4, 9, 50, None]),
    },
    "drugs": {
        "ward": (Kind.TEXT, ["a", "b", None]),
        "maker": (Kind.TEXT, ["ab", "cd", "zz", None]),
        "dose": (Kind.INT, [0, 2, 5, 7, None]),
    },
}
MOST = {"visits": 4, "drugs": 2}

QUESTIONS = {
    "public rows": "SELECT note, region, COUNT(*) AS n, SUM(age) AS s FROM visits "
    "JOIN wards USING (ward) GROUP BY note, region",
    "public rows that may not be there": "SELECT note, region, COUNT(*) AS n FROM visits "
    "LEFT JOIN wards USING (ward) GROUP BY note, region",
    "public rows that are several": "SELECT score, COUNT(*) AS n, SUM(weight) AS s FROM visits v "
    "JOIN words w ON v.note = w.word GROUP BY score",
    "rows of the unit, a key of the left side": "SELECT note, COUNT(*) AS n, SUM(dose) AS s "
    "FROM visits v JOIN drugs d USING (patient) GROUP BY note",
    "rows of the unit, a key of the right side": "SELECT maker, COUNT(*) AS n, SUM(age) AS s, "
    "COUNT(DISTINCT score) AS d FROM visits v JOIN drugs d USING (patient) GROUP BY maker",
    "rows of the unit, keys of both sides": "SELECT note, maker, COUNT(*) AS n, SUM(dose) AS s "
    "FROM visits v JOIN drugs d USING (patient) GROUP BY note, maker",
    "rows of the unit that may not be there": "SELECT maker, COUNT(*) AS n, SUM(age) AS s FROM "
    "visits v LEFT JOIN drugs d ON v.patient = d.patient AND v.ward = d.ward GROUP BY maker",
    "the largest value of a unit": "SELECT x, COUNT(*) AS n, SUM(s) AS s FROM (SELECT patient, "
    "MAX(score) AS x, SUM(age) AS s FROM visits GROUP BY patient) AS u GROUP BY x",
    "a key of a subquery": "SELECT note, COUNT(*) AS n, SUM(k) AS s FROM (SELECT patient, note, "
    "COUNT(*) AS k FROM visits GROUP BY patient, note) AS u GROUP BY note",
    "what is made of a key of a subquery": "SELECT LEFT(note, 1) AS f, COUNT(*) AS n FROM (SELECT "
    "patient, note, COUNT(*) AS k FROM visits GROUP BY patient, note) AS u GROUP BY f",
    "a union": "SELECT x, COUNT(*) AS n, SUM(s) AS s FROM (SELECT note AS x, age AS s FROM visits "
    "UNION ALL SELECT maker AS x, dose AS s FROM drugs) AS u GROUP BY x",
    "units that another table has": "SELECT note, COUNT(*) AS n, MEDIAN(age) AS m FROM visits "
    "WHERE patient IN (SELECT patient FROM drugs WHERE ward = 'a') GROUP BY note",
    "a condition on both sides": "SELECT note, COUNT(*) AS n FROM visits v JOIN drugs d "
    "USING (patient) WHERE v.age > d.dose GROUP BY note",
}
Rows = dict[str, list[dict[str, Any]]]
every = pytest.mark.parametrize("text", QUESTIONS.values(), ids=QUESTIONS)


@cache
def plan_of(text: str) -> Plan:
    return compile_question(text, {}, CATALOG, PUBLIC).plan


def unit(seed: int, table: str, *, full: bool = False) -> list[dict[str, Any]]:
    dice = random.Random(f"{seed} {table}")
    count = MOST[table] if full else dice.randint(0, MOST[table])
    values = VALUES[table]
    return [
        {UNIT: (seed % 3, seed)} | {name: dice.choice(of) for name, (_, of) in values.items()}
        for _ in range(count)
    ]


def drawn(count: int) -> Rows:
    return {
        table: sorted(
            (row for seed in range(count) for row in unit(seed, table)), key=lambda row: row[UNIT]
        )
        for table in VALUES
    }


def frames(rows: Rows) -> dict[str, pl.LazyFrame]:
    found = {}
    for table, its in rows.items():
        units = {
            half: pl.Series([row[UNIT][at] for row in its], dtype=pl.UInt64)
            for at, half in enumerate(UNIT_COLUMNS)
        }
        others = {
            name: pl.Series([row[name] for row in its], dtype=DTYPES[kind])
            for name, (kind, _) in VALUES[table].items()
        }
        found[table] = pl.DataFrame(units | others).lazy()
    return found


def twin_rows(plan: Plan, rows: Rows) -> list[dict[str, Any]]:
    read = [plan.where, *(key.expr for key in plan.keys), *(one.of for one in plan.measures)]
    return rows_of(plan.source, kinds_of(*read), rows)


@every
def test_the_engine_finds_the_groups_sums_and_samples_of_the_twins(text: str) -> None:
    plan, rows = plan_of(text), drawn(40)
    expected = twin_rows(plan, rows)
    labels = cells_of(plan, expected)

    found = put_together(plan, [Work.of(plan, KEY).found(standing(plan, frames(rows)))])

    assert plan.thresholded
    assert len(labels) > 2
    ours = labels_of(plan, found)
    assert by_label(ours, found.exact.sums.tolist()) == by_label(
        labels, bounded_sums(plan, expected, KEY)
    )
    for j, measure in enumerate(plan.measures):
        if measure.chosen:
            values = [sorted(one.tolist()) for one in found.exact.samples[j].by_cell(len(ours))]
            twins = sampled(plan, j, expected, KEY)
            assert dict(zip(ours, values, strict=True)) == dict(zip(labels, twins, strict=True))


@every
def test_groups_of_two_parts_are_those_of_one(text: str) -> None:
    """Units are whole in their part, of every table that is read."""
    plan, rows, work = plan_of(text), drawn(40), Work.of(plan_of(text), KEY)
    halves = [
        {name: [row for row in its if (row[UNIT][0] == 0) is first] for name, its in rows.items()}
        for first in (True, False)
    ]

    whole = put_together(plan, [work.found(standing(plan, frames(rows)))])
    parts = put_together(plan, [work.found(standing(plan, frames(half))) for half in halves])

    assert labels_of(plan, parts) == labels_of(plan, whole)
    assert parts.exact.sums.tolist() == whole.exact.sums.tolist()


@every
def test_what_is_shown_is_what_reaches_the_threshold(text: str) -> None:
    plan, rows = plan_of(text), drawn(40)
    plan = replace(plan, measures=tuple(one for one in plan.measures if not one.chosen))
    expected = twin_rows(plan, rows)
    exact = by_label(cells_of(plan, expected), bounded_sums(plan, expected, KEY))
    sizes = sorted(values[plan.tested] for values in exact.values())
    threshold = max(2, sizes[len(sizes) // 2])

    found = put_together(plan, [Work.of(plan, KEY).found(standing(plan, frames(rows)))])
    answer = shown(plan, (QUIET,) * len(plan.measures), threshold, found)

    labels = list(decode_labels(answer["labels"], plan.keys))
    assert by_label(labels, answer["vectors"]) == {
        label: values for label, values in exact.items() if values[plan.tested] >= threshold
    }
    assert 0 < len(labels) < len(exact)


@every
def test_a_unit_moves_groups_and_measures_by_no_more_than_is_declared(text: str) -> None:
    """Taken out of a table with others, and alone; some unit is in as many groups as may be."""
    plan = plan_of(text)
    others, touched = drawn(12), []
    for seed in range(100, 140):
        own = {table: unit(seed, table, full=True) for table in VALUES}
        more = {
            table: sorted([*its, *own[table]], key=lambda row: row[UNIT])
            for table, its in others.items()
        }
        with_it, without = twin_rows(plan, more), twin_rows(plan, others)
        cells: list[Label] = cells_of(plan, with_it)
        changes = [
            [a - b for a, b in zip(one, two, strict=True)]
            for one, two in zip(
                bounded_sums(plan, with_it, KEY, cells),
                bounded_sums(plan, without, KEY, cells),
                strict=True,
            )
        ]
        for measure, change in zip(plan.measures, changes, strict=True):
            assert sum(x * x for x in change) <= measure.squared_sensitivity(plan.bound)
            assert sum(map(abs, change)) <= measure.sensitivity(plan.bound)
        tested = changes[plan.tested]
        assert set(tested) <= {0, 1}
        touched.append(sum(tested))
        moved = {at for change in changes for at, by in enumerate(change) if by}
        assert moved <= {at for at, by in enumerate(tested) if by}
    assert max(touched) <= plan.bound.groups
    assert max(touched) >= min(2, plan.bound.groups)


@pytest.mark.parametrize(
    "text", [text for name, text in QUESTIONS.items() if name != "public rows that are several"]
)
def test_rows_that_no_contract_bounds_away_all_count(text: str) -> None:
    """What is declared of a unit is enough for each; only public rows make more than count."""
    plan = plan_of(text)
    for seed in range(40):
        rows = twin_rows(plan, {table: unit(seed, table, full=True) for table in VALUES})
        count = next(j for j, one in enumerate(plan.measures) if one.kind == "rows")
        sums = bounded_sums(plan, rows, KEY)
        wide = replace(plan, bound=type(plan.bound)(999, 999, 999))
        assert sums[count] == bounded_sums(wide, rows, KEY)[count]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT region, COUNT(*) AS n FROM visits JOIN wards USING (ward) GROUP BY region",
        "SELECT topic, weight, COUNT(*) AS n FROM visits v JOIN words w ON v.note = w.word GROUP BY 1, 2",
        "SELECT v.note, COUNT(*) AS n FROM visits v JOIN words w ON v.note = w.word GROUP BY v.note",
        "SELECT k, COUNT(*) AS n FROM (SELECT COUNT(*) AS k FROM visits GROUP BY patient) AS u GROUP BY k",
    ],
)
def test_keys_of_public_frames_are_public(text: str) -> None:
    """So are values of a private column that are equal to theirs, and bounded counts."""
    plan = plan_of(text)
    assert not plan.thresholded
    assert all(key.values for key in plan.keys)
    (count,) = plan.measures  # nothing is tested
    assert count.kind == "rows"
