"""A clinic that does not exist: 200,000 patients and some 1.5 million visits.

SYNTHETIC.  Drawn from a fixed seed and the hand-written tables below, from no
person's data.  It has what makes real data hard: a few patients with very many
visits, wards that depend on age and sex, winters, quiet weekends, skewed stays
and costs, and missing values.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from privlab.cli.demo.words import Flags, Ints, Words, below, weighted, weighted_by, words

SEED = "privlab clinic 1"
PATIENTS = 200_000
FIRST_DAY = date(2022, 1, 1)
DAYS = 1096  # 2022-01-01 .. 2024-12-31

SEXES = ("female", "male")
DISTRICTS = ("Bridge", "Castle", "Garden", "Harbor", "Hill", "Mill", "Old Town", "Station")
INSURANCES = ("public", "private", "none")
WARDS = (
    "Cardiology", "Emergency", "General", "Maternity",
    "Neurology", "Oncology", "Orthopedics", "Pediatrics",
)  # fmt: skip
REASONS = (
    "check-up", "chest pain", "follow-up", "headache", "infection",
    "injury", "other", "pregnancy", "procedure", "screening",
)  # fmt: skip

# Patients per ten years of birth, 1930s to the early 2020s.
_DECADES = (4, 9, 13, 15, 16, 15, 12, 10, 8, 2)
# How many visits a patient makes: occasional, regular, frequent; by age group.
_HABIT = np.array([[52, 44, 4], [60, 37, 3], [30, 52, 18]], dtype=np.int64)
_FEWEST = np.array([1, 6, 15], dtype=np.int64)
_SPREAD = np.array([5, 7, 26], dtype=np.int64)
# Wards by group: child, woman under 45, other adult, 65 and over.  Columns as in WARDS.
_WARD = np.array(
    [
        [1, 22, 4, 0, 3, 2, 8, 60],
        [3, 16, 24, 30, 6, 6, 15, 0],
        [12, 18, 28, 0, 9, 11, 22, 0],
        [26, 17, 20, 0, 11, 14, 12, 0],
    ],
    dtype=np.int64,
)
# Reasons by ward.  Columns as in REASONS.
_REASON = np.array(
    [
        [14, 26, 30, 1, 2, 0, 7, 0, 12, 8],
        [1, 14, 2, 9, 19, 41, 14, 0, 0, 0],
        [28, 4, 20, 7, 18, 3, 10, 0, 4, 6],
        [14, 0, 12, 1, 2, 0, 4, 52, 9, 6],
        [8, 1, 28, 38, 3, 5, 9, 0, 4, 4],
        [6, 1, 42, 1, 3, 0, 6, 0, 22, 19],
        [6, 0, 34, 0, 2, 38, 6, 0, 14, 0],
        [26, 1, 16, 4, 32, 13, 6, 0, 2, 0],
    ],
    dtype=np.int64,
)
# Visits in a hundred that are emergencies, and that stay overnight; mean stay, in quarter days.
_EMERGENCY = np.array([22, 96, 7, 14, 16, 4, 19, 18], dtype=np.int64)
_OVERNIGHT = np.array([34, 30, 16, 58, 28, 36, 38, 14], dtype=np.int64)
_STAY = np.array([18, 8, 12, 13, 17, 28, 22, 9], dtype=np.int64)
_BASE_COST = np.array([180, 240, 70, 150, 190, 320, 160, 90], dtype=np.int64)
_DAY_COST = np.array([640, 710, 430, 520, 660, 880, 590, 480], dtype=np.int64)
# Visits by month (winters are busy) and by weekday from Monday (weekends are quiet).
_MONTHS = (124, 118, 112, 100, 96, 88, 80, 78, 94, 102, 112, 126)
_WEEKDAYS = (118, 116, 112, 110, 106, 62, 56)
_NOTES = (
    "seen and advised", "blood taken", "imaging ordered", "referred on", "observed overnight",
    "medication changed", "discharged well", "to return in two weeks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Files:
    """Where the two tables are."""

    patients: Path
    visits: Path


def build(folder: Path, patients: int = PATIENTS) -> Files:
    """Write ``patients.parquet`` and ``visits.parquet``; quick when both are there."""
    files = Files(folder / "patients.parquet", folder / "visits.parquet")
    if files.patients.is_file() and files.visits.is_file():
        return files
    folder.mkdir(parents=True, exist_ok=True)
    people = make_patients(patients)
    visits = make_visits(people)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for frame, path in ((people, files.patients), (visits, files.visits)):
            fresh = Path(scratch) / path.name
            frame.write_parquet(fresh)
            fresh.replace(path)
    return files


def make_patients(count: int) -> pl.DataFrame:
    """One row per patient, in the order of their numbers."""

    def draw(topic: str) -> Words:
        return words(SEED, f"patient/{topic}", count)

    decade = weighted(_DECADES, draw("decade"))
    birth_year = np.minimum(1930 + 10 * decade + below(10, draw("year")), 2021)
    insurance = weighted((78, 17, 5), draw("insurance"))
    return pl.DataFrame(
        {
            "patient_id": 10_000_000 + 7 * np.arange(count, dtype=np.int64),
            "sex": _named(SEXES, weighted((51, 49), draw("sex"))),
            "birth_year": birth_year,
            "district": _named(
                DISTRICTS, weighted((9, 6, 14, 17, 11, 13, 8, 22), draw("district"))
            ),
            "insurance": _named(INSURANCES, insurance),
        }
    ).with_columns(_gaps("insurance", _chance(draw("unknown"), 1)))


def make_visits(patients: pl.DataFrame) -> pl.DataFrame:
    """The visits of these patients, in order of day."""
    birth_year = patients["birth_year"].to_numpy()
    generation = np.digitize(2023 - birth_year, (18, 60)).astype(np.int64)
    heads = patients.height
    habit = weighted_by(_HABIT, generation, words(SEED, "patient/habit", heads))
    visits = _FEWEST[habit] + below(_SPREAD[habit], words(SEED, "patient/visits", heads))
    who = np.repeat(np.arange(heads, dtype=np.int64), visits)

    def draw(topic: str) -> Words:
        return words(SEED, f"visit/{topic}", who.size)

    calendar = pl.date_range(FIRST_DAY, pl.lit(FIRST_DAY).dt.offset_by(f"{DAYS - 1}d"), eager=True)
    day = weighted(_busy(calendar), draw("day"))
    month = calendar.dt.month().to_numpy().astype(np.int64)[day]
    age = calendar.dt.year().to_numpy().astype(np.int64)[day] - birth_year[who]
    female = (patients["sex"] == "female").to_numpy()[who]
    group = np.select([age < 16, female & (age < 45), age < 65], [0, 1, 2], 3).astype(np.int64)
    ward = weighted_by(_WARD, group, draw("ward"))
    reason = weighted_by(_REASON, ward, draw("reason"))
    flu = ((month <= 2) | (month == 12)) & (ward != 3) & _chance(draw("flu"), 12)
    reason = np.where(flu, REASONS.index("infection"), reason)
    emergency = below(100, draw("emergency")) < _EMERGENCY[ward]
    stay = _stay(ward, age, emergency, draw("overnight"), draw("long"), draw("longer"))
    cents = _cost(ward, stay, draw("cost"), draw("rare"))
    note = below(len(_NOTES), draw("note"))
    frame = pl.DataFrame(
        {
            "patient_id": patients["patient_id"].to_numpy()[who],
            "visited_on": calendar.gather(day),
            "ward": _named(WARDS, ward),
            "reason": _named(REASONS, reason),
            "age": age,
            "stay_days": stay / 4,
            "cost": cents / 100,
            "emergency": emergency,
            "notes": _named(tuple(f"SYNTHETIC NOTE: {text}" for text in _NOTES), note),
        }
    )
    gaps = (
        _gaps("stay_days", _chance(draw("no stay"), 1)),
        _gaps("cost", _chance(draw("no cost"), 2)),
    )
    return frame.with_columns(*gaps).sort("visited_on", maintain_order=True)


def _busy(calendar: pl.Series) -> Ints:
    """How many visits each day draws: month times weekday, growing two in a hundred a year."""
    months = np.asarray(_MONTHS, dtype=np.int64)[calendar.dt.month().to_numpy() - 1]
    weekdays = np.asarray(_WEEKDAYS, dtype=np.int64)[calendar.dt.weekday().to_numpy() - 1]
    growth = 100 + 2 * (calendar.dt.year().to_numpy().astype(np.int64) - FIRST_DAY.year)
    return np.asarray(months * weekdays * growth, dtype=np.int64)


def _stay(ward: Ints, age: Ints, emergency: Flags, *draws: Words) -> Ints:
    """Quarter days, 0 to 240: most visits end the same day, a few last weeks."""
    overnight, one, two = draws
    odds = _OVERNIGHT[ward] + np.where(age >= 65, 12, 0) + np.where(emergency, 8, 0)
    mean = _STAY[ward] * np.where(age >= 65, 13, 10)
    # the product of two uniform numbers has mean 1/4 and a long tail
    length = 1 + (mean * 4 * (below(1000, one) + 1) * (below(1000, two) + 1)) // 10_000_000
    return np.where(below(100, overnight) < odds, np.minimum(length, 240), 0)


def _cost(ward: Ints, stay: Ints, spread: Words, rare: Words) -> Ints:
    """Cents: a base, the days, a spread of 50 to 200 in a hundred, and rare large bills."""
    plain = _BASE_COST[ward] * 100 + _DAY_COST[ward] * 25 * stay
    scaled = plain * (50 + below(151, spread)) // 100
    return np.where(below(1000, rare) < 8, scaled * 5, scaled)


def _named(names: tuple[str, ...], index: Ints) -> pl.Series:
    return pl.Series(names).gather(index)


def _chance(source: Words, in_a_hundred: int) -> Flags:
    return below(100, source) < in_a_hundred


def _gaps(column: str, missing: Flags) -> pl.Expr:
    """The column with nulls where ``missing``."""
    return pl.when(pl.Series(missing)).then(None).otherwise(pl.col(column)).alias(column)
