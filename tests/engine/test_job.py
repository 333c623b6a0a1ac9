"""Jobs: only the keys they need, refused before the charge, read back strictly."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from privlab.connector.keys import Custody
from privlab.connector.manifest import UNITS_FILE_COLUMNS
from privlab.engine.job import Job
from privlab.errors import IntegrityError
from privlab.query.plan import Call, Key, Literal, Measure, MeasureKind, Op, Ref
from privlab.query.relations import Scan
from privlab.terms.catalog import Kind
from privlab.terms.noise import Choice, DiscreteLaplace, RoundedGaussian, RoundedLaplace

WARD, AGE = Ref("ward", Kind.TEXT), Ref("age", Kind.INT)
COUNT = Measure(MeasureKind.ROWS)
NOISE = RoundedGaussian(3, 1)


@pytest.fixture
def job(place: Any) -> Job:
    plan = place.plan(
        COUNT,
        Measure(MeasureKind.SUM, AGE, Fraction(0), Fraction(110)),
        keys=(Key(WARD, Kind.TEXT, ("north", None)),),
        where=Call(Op.GE, (AGE, Literal(18))),
    )
    made: Job = place.job(plan, NOISE)
    return made


def test_a_job_comes_back_as_it_was(job: Job) -> None:
    assert Job.decode(job.encode()) == job


@pytest.mark.parametrize("noise", [DiscreteLaplace(3, 1), RoundedLaplace(3, 1)])
def test_the_law_of_the_noise_is_part_of_the_job(
    job: Job, noise: DiscreteLaplace | RoundedLaplace
) -> None:
    other = replace(job, noises=(noise, NOISE))
    assert Job.decode(other.encode()).noises == (noise, NOISE)


def test_a_job_holds_the_keys_of_its_own_columns_only(job: Job) -> None:
    for part in job.tables[0].parts:
        assert set(part.keys) == {"", *UNITS_FILE_COLUMNS, "ward", "age"}
    assert len(job.bounding_key) == 16


def test_a_job_shows_no_key(job: Job) -> None:
    assert repr(job) == "Job(visits v1, 2 measures)"


def test_the_bounding_key_is_the_table_versions(place: Any, job: Job) -> None:
    """So that a top-up and a roll-up measure the same sample."""
    other: Job = place.job(place.plan(COUNT))

    assert other.bounding_key == job.bounding_key
    assert job.bounding_key == place.custody.derive("bounding", "clinic", "visits", "1")[:16]


def test_damaged_parts_are_found_before_a_job_exists(fresh: Any) -> None:
    (fresh.folder / "units-0000.parquet").unlink()

    with pytest.raises(IntegrityError) as caught:
        fresh.job(fresh.plan(COUNT))

    assert caught.value.code == "PL402"


def test_another_master_makes_no_job(place: Any) -> None:
    other = replace(place, custody=Custody(b"\x08" * 32))

    with pytest.raises(IntegrityError) as caught:
        other.job(other.plan(COUNT))

    assert caught.value.code == "PL404"


def test_a_plan_of_another_version_makes_no_job(place: Any) -> None:
    with pytest.raises(ValueError, match="different table versions"):
        place.job(replace(place.plan(COUNT), source=Scan("visits", 2)))


def test_a_plan_whose_sums_could_overflow_makes_no_job(place: Any) -> None:
    wide = Measure(MeasureKind.SUM, AGE, Fraction(0), Fraction(2**60))

    with pytest.raises(ValueError, match="int64"):
        place.job(place.plan(wide))


@pytest.mark.parametrize(
    "change",
    [
        {"noises": ()},
        {"noises": (NOISE,)},
        {"tables": ()},
        {"bounding_key": b"short"},
    ],
)
def test_a_job_that_lacks_something_cannot_be_made(job: Job, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(job, **change)


def test_a_measure_without_noise_cannot_be_asked_for(place: Any) -> None:
    with pytest.raises(ValueError, match="one noise per measure"):
        Job.of(
            plan=place.plan(COUNT),
            noises=(),
            tables=[(place.manifest, place.folder)],
            custody=place.custody,
        )


def test_a_job_has_the_keys_of_exactly_the_columns_it_reads(job: Job) -> None:
    (table,) = job.tables
    first, *rest = table.parts
    fewer = {name: key for name, key in first.keys.items() if name != "ward"}
    for keys in (fewer, {**first.keys, "notes": b"k" * 32}):
        parts = (replace(first, keys=keys), *rest)
        with pytest.raises(ValueError, match="exactly the columns it reads"):
            replace(job, tables=(replace(table, parts=parts),))


def edits(good: dict[str, Any]) -> list[dict[str, Any]]:
    table = good["tables"][0]
    part = table["parts"][0]

    def stored(**change: Any) -> dict[str, Any]:
        return good | {"tables": [table | change]}

    return [
        good | {"version": 1},
        good | {"more": 1},
        {name: value for name, value in good.items() if name != "tables"},
        good | {"tables": []},
        good | {"tables": [table, table]},
        good | {"tables": [{name: one for name, one in table.items() if name != "row_cap"}]},
        stored(more=1),
        good | {"plan": good["plan"] | {"row_cap": "x"}},
        good | {"noises": [["rounded-gaussian", 1.5, 0], ["rounded-gaussian", 1, 0]]},
        good | {"noises": [["rounded-gaussian", True, 0], ["rounded-gaussian", 1, 0]]},
        good | {"noises": [["discrete-gaussian", 1, 0], ["rounded-gaussian", 1, 0]]},
        good | {"noises": [[1, 0], [1, 0]]},
        stored(parts=[["../0", *part[1:]]]),
        stored(parts=[[part[0], -1, *part[2:]]]),
        stored(parts=[part[:-1]]),
        stored(parts=[part, part]),
        stored(parts=[[*part[:-1], part[-1] | {"ward": "AAAA"}]]),
        stored(parts=[[*part[:-1], part[-1] | {"notes": part[-1]["ward"]}]]),
        stored(folder=None),
        stored(version=2),
        stored(row_cap=-1),
        good | {"bounding_key": ""},
    ]


def test_anything_else_is_no_job(job: Job) -> None:
    good = json.loads(job.encode())
    assert Job.decode(json.dumps(good).encode()) == job
    for edited in edits(good):
        with pytest.raises(ValueError, match="this is not a job"):
            Job.decode(json.dumps(edited).encode())
    for raw in (b"", b"[]", b"null", b"\xff"):
        with pytest.raises(ValueError, match="this is not a job"):
            Job.decode(raw)


def test_the_curators_half_loads_no_library_that_decodes_rows() -> None:
    script = (
        "import sys, privlab.engine.job, privlab.engine.handle, privlab.connector.catalog\n"
        "import privlab.connector.contract, privlab.connector.keys, privlab.connector.manifest\n"
        "print([m for m in ('numpy', 'polars', 'pyarrow', 'numba', 'opendp') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_a_quantile_is_chosen_and_a_count_has_noise(job: Job) -> None:
    median = Measure(MeasureKind.QUANTILE, AGE, Fraction(0), Fraction(110), q=Fraction(1, 2))
    choice = Choice.at_most(Fraction(1, 10))
    plan = replace(job.plan, measures=(COUNT, median))
    chosen = replace(job, plan=plan, noises=(NOISE, choice))
    assert Job.decode(chosen.encode()) == chosen
    for noises in ((choice, choice), (NOISE, NOISE), (choice, NOISE)):
        with pytest.raises(ValueError, match="chosen"):
            replace(chosen, noises=noises)


def test_the_answers_of_a_quantile_have_a_length_inside_int64(job: Job) -> None:
    wide = Measure(MeasureKind.QUANTILE, AGE, Fraction(0), Fraction(1 << 60), q=Fraction(1, 2))
    with pytest.raises(ValueError, match="int64"):
        replace(
            job,
            plan=replace(job.plan, measures=(COUNT, wide)),
            noises=(NOISE, Choice.at_most(Fraction(1))),
        )
