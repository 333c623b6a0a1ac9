"""The rows behind FROM, from encrypted parts of one table and of several."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from privlab.connector.bucket import open_bucket
from privlab.connector.contract import parse
from privlab.connector.keys import Custody
from privlab.connector.manifest import UNIT_COLUMNS, UNITS_FILE_COLUMNS, Manifest
from privlab.connector.protect import protect
from privlab.engine import reference_relations, run, sources
from privlab.engine.handle import Engine
from privlab.engine.job import Job, bounding_key
from privlab.engine.practice import Practice
from privlab.engine.reference import UNIT, bounded_sums, cells_of
from privlab.engine.stored import batches
from privlab.query.compile import compile_question
from privlab.query.plan import Measure, MeasureKind, Plan
from privlab.query.relation_kinds import kinds_of
from privlab.query.relations import Scan
from privlab.terms.catalog import Catalog, Kind
from tests.engine.conftest import CONTRACT, QUIET, frame

CUSTODY = Custody(b"\x07" * 32)
PEOPLE = """\
[table]
name = "people"
dataset = "clinic"
unit = "patient"
rows_per_unit = 2
row_cap = 1_000
[columns.patient]
type = "text"
[columns.sex]
type = "text"
keys = ["f", "m"]
[columns.born]
type = "int"
range = [1900, 2020]
"""


@dataclass(frozen=True)
class Clinic:
    """``clinic`` with two tables, of four parts and of one, and all rows as they are stored."""

    opened: dict[str, tuple[Manifest, Path]]
    rows: dict[str, list[dict[str, Any]]]
    catalog: Catalog

    def job(self, plan: Plan) -> Job:
        made = Job.of(
            plan=plan,
            noises=(QUIET,) * len(plan.measures),
            tables=[self.opened[scan.table] for scan in plan.tables],
            custody=CUSTODY,
        )
        return Job.decode(made.encode())


def stored(root: Path, text: str, rows: pl.DataFrame) -> tuple[Manifest, Path, Any]:
    contract = parse(text)
    table = contract.stated
    source = root / f"{table.name}.parquet"
    rows.write_parquet(source)
    place = root / table.name / "1"
    done = protect(
        source, contract, version=1, unit_key=b"u" * 32, order_key=b"o" * 32, folder=place
    )
    manifest = Manifest.wrapping(
        contract.table(1), contract.text, done.parts, done.keys, CUSTODY, datetime.now(UTC)
    )
    read = pl.concat(
        open_bucket(place, "clinic", table.name, part, done.keys.of(part.bucket)).with_ids()
        for part in done.parts
    ).collect()
    kept = [{**row, UNIT: tuple(row.pop(name) for name in UNIT_COLUMNS)} for row in read.to_dicts()]
    return manifest, place, kept


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """Half of the patients of visits are in people as well, some twice, and some are not in visits."""
    root = tmp_path_factory.mktemp("clinic")
    people = pl.DataFrame(
        {
            "patient": [str(n * 2 % 130) for n in range(90)],
            "sex": [("f", "m", None)[n % 3] for n in range(90)],
            "born": [1900 + n * 7 % 130 for n in range(90)],
        }
    )
    visits = stored(root, CONTRACT, frame())
    others = stored(root, PEOPLE, people)
    tables = Catalog(tuple(parse(text).table(1) for text in (CONTRACT, PEOPLE)))
    return Clinic(
        {"visits": visits[:2], "people": others[:2]},
        {"visits": visits[2], "people": others[2]},
        tables,
    )


QUESTIONS = """\
SELECT sex, COUNT(*) AS n, SUM(age) AS a FROM visits v JOIN people p ON v.patient = p.patient \
GROUP BY sex
SELECT COUNT(*) AS n, AVG(stay) AS s FROM visits v LEFT JOIN people p ON v.patient = p.patient \
WHERE sex IS NULL
SELECT AVG(n) AS n FROM (SELECT patient, COUNT(*) AS n FROM visits GROUP BY patient) AS u
SELECT n, COUNT(*) AS people FROM (SELECT patient, COUNT(DISTINCT ward) AS n FROM visits \
GROUP BY patient) AS u GROUP BY n
SELECT SUM(a) AS a FROM (SELECT age AS a FROM visits UNION ALL SELECT born - 1900 AS a \
FROM people) AS u
SELECT COUNT(*) AS n FROM visits WHERE patient IN (SELECT patient FROM people WHERE sex = 'f')
""".splitlines()


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_child_answers_as_the_twin_does(clinic: Clinic, engine: Engine, text: str) -> None:
    """Under Landlock, from the folders of the tables that are read."""
    plan = compile_question(text, {}, clinic.catalog).plan
    job = clinic.job(plan)
    kinds = kinds_of(
        plan.where, *(key.expr for key in plan.keys), *(one.of for one in plan.measures)
    )
    rows = reference_relations.rows_of(plan.source, kinds, clinic.rows)

    expected = bounded_sums(plan, rows, bounding_key(plan, CUSTODY))

    assert any(any(vector) for vector in expected)
    assert run.measure(job).sums.tolist() == expected
    assert [list(vector) for vector in engine.run(job).vectors] == expected


def test_a_child_shows_groups_of_several_tables(clinic: Clinic, engine: Engine) -> None:
    """Whose keys are not public: of encrypted parts, and of rows invented."""
    text = "SELECT big, COUNT(*) AS n FROM visits v JOIN people p ON v.patient = p.patient GROUP BY big"
    plan = compile_question(text, {}, clinic.catalog).plan
    noises = (QUIET,) * len(plan.measures)
    tables = [clinic.opened[scan.table] for scan in plan.tables]
    job = Job.of(plan=plan, noises=noises, tables=tables, custody=CUSTODY, threshold=2)
    rows = reference_relations.rows_of(plan.source, {"big": Kind.INT}, clinic.rows)

    shown = engine.run(job)

    expected = zip(*bounded_sums(plan, rows, bounding_key(plan, CUSTODY)), strict=True)
    exact = dict(zip(cells_of(plan, rows), expected, strict=True))
    assert shown.labels
    assert dict(zip(shown.labels, zip(*shown.vectors, strict=True), strict=True)) == {
        label: values for label, values in exact.items() if values[plan.tested] >= 2
    }
    contracts = tuple(one[0].contract_text for one in tables)
    assert engine.run(Practice(plan, noises, contracts, threshold=2)).labels is not None


@pytest.mark.parametrize("text", QUESTIONS)
def test_invented_rows_of_several_tables_meet(clinic: Clinic, engine: Engine, text: str) -> None:
    plan = compile_question(text, {}, clinic.catalog).plan
    contracts = tuple(clinic.opened[scan.table][0].contract_text for scan in plan.tables)

    measured = engine.run(Practice(plan, (QUIET,) * len(plan.measures), contracts))

    assert any(any(vector) for vector in measured.vectors)


def test_a_job_of_several_tables_has_keys_of_what_it_reads(clinic: Clinic) -> None:
    job = clinic.job(compile_question(QUESTIONS[0], {}, clinic.catalog).plan)
    fixed = {"", *UNITS_FILE_COLUMNS}
    keys = {one.table: set(one.parts[0].keys) - fixed for one in job.tables}

    assert keys == {"visits": {"age"}, "people": {"sex"}}
    assert len(batches(job.tables)) == 1


def test_the_bounding_key_is_that_of_the_tables(clinic: Clinic) -> None:
    """Whatever is made of them; a table alone keeps the key that it has had."""
    one, *_ = (compile_question(text, {}, clinic.catalog).plan for text in QUESTIONS)
    other = replace(one, where=None, measures=(Measure(MeasureKind.ROWS),))
    alone = replace(other, source=Scan("visits", 1), keys=())

    assert bounding_key(one, CUSTODY) == bounding_key(other, CUSTODY)
    assert bounding_key(alone, CUSTODY) == CUSTODY.derive("bounding", "clinic", "visits", "1")[:16]
    assert bounding_key(one, CUSTODY) != bounding_key(alone, CUSTODY)


def test_a_plan_and_tables_in_another_order_make_no_job(clinic: Clinic) -> None:
    plan = compile_question(QUESTIONS[0], {}, clinic.catalog).plan
    with pytest.raises(ValueError, match="different table versions"):
        Job.of(
            plan=plan,
            noises=(QUIET,) * len(plan.measures),
            tables=[clinic.opened["people"], clinic.opened["visits"]],
            custody=CUSTODY,
        )


def test_a_scan_is_read_as_it_is_stored(place: Any) -> None:
    job = place.job(place.plan(Measure(MeasureKind.ROWS)))

    rows = [
        row
        for batch in batches(job.tables)
        for row in sources.opened(job, batch).select(UNIT_COLUMNS).collect().iter_rows()
    ]

    assert rows == [row[""] for row in place.rows]
