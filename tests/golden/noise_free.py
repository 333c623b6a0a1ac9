"""A question asked of really protected rows, on the engine's own path, without its noise.

Compile, job, decrypt, bound, sum and finish are the real ones.  The two names that
hide something are replaced, here and nowhere else: noise adds nothing, and a choice
takes a best answer.
"""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl

from privlab.connector.contract import parse
from privlab.connector.keys import Custody
from privlab.connector.manifest import Manifest
from privlab.connector.protect import protect
from privlab.engine import run
from privlab.engine.job import Job
from privlab.engine.released import Released
from privlab.query.finish import finish
from privlab.query.plan import Question
from privlab.terms.groups import ShownGroups
from privlab.terms.noise import Choice, RoundedGaussian
from privlab.terms.release import ResultTable
from privlab.views.measurement import Measurement, held, merged

CONTRACT = """\
[table]
name = "visits"
dataset = "clinic"
unit = "patient_id"
unit_word = "patient"
rows_per_unit = 8
row_cap = 100_000
[columns.patient_id]
type = "text"
[columns.ward]
type = "text"
keys = ["A", "B", "C"]
[columns.sex]
type = "text"
keys = ["f", "m"]
[columns.urgent]
type = "bool"
[columns.age]
type = "int"
range = [0, 110]
[columns.stay_days]
type = "int"
range = [0, 60]
[columns.cost]
type = "float"
range = [0, 50000]
step = 0.01
[columns.weight]
type = "float"
range = [0, 200]
step = 0.25
[columns.score]
type = "int"
[columns.admitted]
type = "date"
range = [2023-01-01, 2024-12-31]
[columns.seen]
type = "datetime"
range = [2023-01-01, 2024-12-31]
[columns.note]
type = "text"
"""

LABS = """\
[table]
name = "labs"
dataset = "clinic"
unit = "patient_id"
unit_word = "patient"
rows_per_unit = 20
row_cap = 100_000
[columns.patient_id]
type = "text"
[columns.kind]
type = "text"
keys = ["na", "k", "crp"]
[columns.value]
type = "float"
range = [0, 500]
step = 0.1
[columns.ward]
type = "text"
keys = ["A", "B", "C"]
[columns.taken]
type = "date"
range = [2023-01-01, 2024-12-31]
"""

PATIENTS = """\
[table]
name = "patients"
dataset = "clinic"
unit = "patient_id"
unit_word = "patient"
rows_per_unit = 1
row_cap = 100_000
[columns.patient_id]
type = "text"
[columns.sex]
type = "text"
keys = ["f", "m"]
[columns.born]
type = "int"
range = [1900, 2024]
[columns.area]
type = "text"
"""

NOTES = ["ab", "abc", "x a x", "xax", " a", "b ", "50%", "50% off", "a_b", "acb!", "AB", "aB!"]
NOTES += ["7", "-7", "61", "+5", "12.5", "1e2", "2024-02-29", "2023-02-29", "2023-12-31", "a-b"]
NOTES += ["", "Straße", "\t a\n", "a", "a" * 30, None, None]

QUIET, SHARP = RoundedGaussian(1, 40), Choice.at_most(Fraction(1000))
CUSTODY = Custody(b"\x07" * 32)


def rows(count: int, per_unit: int, seed: int = 4) -> pl.DataFrame:
    """Rows that no bound of the contract touches: the sums of the table are its true sums."""
    dice = random.Random(seed)
    start = datetime(2023, 1, 1)

    def one(at: int) -> dict[str, Any]:
        def maybe(value: Any) -> Any:
            return None if dice.random() < 0.1 else value

        return {
            "patient_id": f"p{at // per_unit}",
            "ward": dice.choice("ABC"),
            "sex": maybe(dice.choice("fm")),
            "urgent": dice.random() < 0.4,
            "age": dice.randint(0, 110),
            "stay_days": maybe(dice.randint(0, 60) if dice.random() < 0.9 else 0),
            "cost": maybe(
                dice.choice([0, 5, 100, 12345, 1_000_00, dice.randint(0, 5_000_000)]) / 100
            ),
            "weight": dice.randint(0, 800) / 4,
            "score": maybe(dice.choice([0, 7, -7, dice.randint(-60, 120)])),
            "admitted": date(2023, 1, 1) + timedelta(days=dice.randint(0, 730)),
            "seen": maybe(start + timedelta(seconds=dice.randint(0, 730 * 86_400 + 86_399))),
            "note": dice.choice(NOTES),
        }

    schema = {"score": pl.Int64, "seen": pl.Datetime("us"), "sex": pl.String, "note": pl.String}
    return pl.DataFrame([one(at) for at in range(count)], schema_overrides=schema)


def lab_rows(people: int, seed: int = 5) -> pl.DataFrame:
    """Up to four rows of some of the people, in no order."""
    dice = random.Random(seed)
    found = [
        {
            "patient_id": f"p{person}",
            "kind": dice.choice(["na", "k", "crp"]),
            "value": None if dice.random() < 0.1 else dice.randint(0, 5_000) / 10,
            "ward": dice.choice(["A", "B", "C", None]),
            "taken": date(2023, 1, 1) + timedelta(days=dice.randint(0, 730)),
        }
        for person in range(people)
        for _ in range(dice.choice([0, 0, 1, 2, 4]))
    ]
    dice.shuffle(found)
    return pl.DataFrame(found)


def patient_rows(people: int, seed: int = 6) -> pl.DataFrame:
    """One row of each, and of some who are in no other table."""
    dice = random.Random(seed)
    found = [
        {
            "patient_id": f"p{person}",
            "sex": dice.choice(["f", "m", None]),
            "born": dice.randint(1900, 2024),
            "area": dice.choice(["n", "s", None]),
        }
        for person in range(people + 20)
    ]
    return pl.DataFrame(found)


@dataclass(frozen=True)
class Place:
    """A protected table, and its rows."""

    folder: Path
    manifest: Manifest
    frame: pl.DataFrame


def protected(folder: Path, frame: pl.DataFrame, text: str = CONTRACT) -> Place:
    contract = parse(text)
    name = contract.stated.name
    source = folder / f"{name}.parquet"
    frame.write_parquet(source)
    place = folder / "clinic" / name / "1"
    done = protect(
        source, contract, version=1, unit_key=b"u" * 32, order_key=b"o" * 32, folder=place
    )
    manifest = Manifest.wrapping(
        contract.table(1), contract.text, done.parts, done.keys, CUSTODY, datetime.now(UTC)
    )
    return Place(place, manifest, frame)


def answer(question: Question, *places: Place) -> ResultTable:
    """What the analyst would see, were nothing hidden.  places: of all tables of the plan."""
    named = {place.manifest.table: place for place in places}
    read = [named[scan.table] for scan in question.plan.tables]
    noises = tuple(SHARP if one.chosen else QUIET for one in question.plan.measures)
    job = Job.of(
        plan=question.plan,
        noises=noises,
        tables=[(place.manifest, place.folder) for place in read],
        custody=CUSTODY,
        threshold=1 if question.plan.thresholded else None,  # whoever is there is shown
    )
    with patch.object(run, "add_noise", lambda values, noise, words: values):
        released = run.release(Job.decode(job.encode()))
    found = Released.decode(json.dumps(released).encode(), job)
    groups = None if found.labels is None else ShownGroups(1, found.labels)
    views = [
        [Measurement(noise, values, groups)]
        for noise, values in zip(noises, found.vectors, strict=True)
    ]
    return finish(
        question,
        tuple(map(merged, views)),
        tuple(map(held, views)),
        Fraction(95),
        groups=groups,
    )
