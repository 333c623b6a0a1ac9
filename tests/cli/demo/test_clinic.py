"""The clinic is made up, repeatable, and shaped like a clinic."""

import hashlib
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from privlab.cli.demo import clinic

HEADS = 3_000


@pytest.fixture(scope="module")
def patients() -> pl.DataFrame:
    return clinic.make_patients(HEADS)


@pytest.fixture(scope="module")
def visits(patients: pl.DataFrame) -> pl.DataFrame:
    return clinic.make_visits(patients)


def test_the_same_seed_makes_the_same_clinic(patients: pl.DataFrame, visits: pl.DataFrame) -> None:
    """The digest stands here so that an edit of the tables is a decision."""
    text = patients.write_csv() + visits.write_csv()
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "6844ba1315e18e29"


def test_every_value_is_inside_what_the_contract_states(visits: pl.DataFrame) -> None:
    assert visits["visited_on"].min() >= date(2022, 1, 1)
    assert visits["visited_on"].max() <= date(2024, 12, 31)
    assert 0 <= visits["stay_days"].min() <= visits["stay_days"].max() <= 60
    assert (visits["stay_days"] * 4 % 1).drop_nulls().sum() == 0
    assert 0 <= visits["age"].min() <= visits["age"].max() <= 100
    assert set(visits["ward"]) == set(clinic.WARDS)
    assert set(visits["reason"]) == set(clinic.REASONS)


def test_visits_belong_to_patients_and_everybody_came_once(
    patients: pl.DataFrame, visits: pl.DataFrame
) -> None:
    assert set(visits["patient_id"]) == set(patients["patient_id"])
    assert patients["patient_id"].n_unique() == HEADS


def test_a_few_patients_have_very_many_visits(visits: pl.DataFrame) -> None:
    """Otherwise the contribution bound would bind nobody."""
    count = visits.group_by("patient_id").len()["len"]
    assert 6.5 < count.mean() < 8.5
    assert count.median() <= 6
    assert count.max() >= 35


def test_winter_is_busier_than_summer_and_weekends_are_quiet(visits: pl.DataFrame) -> None:
    month = visits["visited_on"].dt.month()
    assert month.is_in([1, 2, 12]).sum() > 1.3 * month.is_in([6, 7, 8]).sum()
    weekend = (visits["visited_on"].dt.weekday() >= 6).mean()
    assert weekend < 2 / 7 - 0.05


def test_children_and_mothers_are_where_they_should_be(
    patients: pl.DataFrame, visits: pl.DataFrame
) -> None:
    joined = visits.join(patients, on="patient_id")
    assert joined.filter(pl.col("ward") == "Pediatrics")["age"].max() < 16
    mothers = joined.filter(pl.col("ward") == "Maternity")
    assert set(mothers["sex"]) == {"female"}


def test_every_note_says_that_it_is_synthetic(visits: pl.DataFrame) -> None:
    assert visits["notes"].str.starts_with("SYNTHETIC").all()


def test_build_writes_once(tmp_path: Path) -> None:
    files = clinic.build(tmp_path, patients=50)
    before = files.visits.stat().st_mtime_ns
    assert clinic.build(tmp_path, patients=50) == files
    assert files.visits.stat().st_mtime_ns == before
    assert pl.read_parquet(files.patients).height == 50
    assert sorted(p.name for p in tmp_path.iterdir()) == ["patients.parquet", "visits.parquet"]
