"""A practice job names rows to invent, and nothing that could be opened."""

from __future__ import annotations

import pytest

from privlab.engine.job import Job
from privlab.engine.practice import Practice
from privlab.query.plan import Measure, MeasureKind, Plan
from privlab.query.relations import Scan
from privlab.terms.bounds import ContributionBound
from tests.engine.conftest import CONTRACT, QUIET, SHARP

COUNT = Measure(MeasureKind.ROWS)


def plan(*measures: Measure, table: str = "visits") -> Plan:
    return Plan(
        dataset="clinic",
        source=Scan(table, 3),
        unit="patient",
        bound=ContributionBound(4, 4, 4),
        row_cap=300_000,
        where=None,
        keys=(),
        measures=measures,
    )


def test_a_practice_job_is_read_back_and_is_told_apart() -> None:
    job = Practice(plan(COUNT), (QUIET,), (CONTRACT,))
    raw = job.encode()

    assert Practice.decode(raw) == job
    assert Practice.is_encoded(raw)
    assert not Practice.is_encoded(b'{"version": 1, "plan": {}}')
    with pytest.raises(ValueError, match="not a job"):
        Job.decode(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"practice": 2, "plan": 0}', b'{"practice": 2, "keys": {}}', b"\xff"]
)
def test_what_is_no_practice_job_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="not a practice job"):
        Practice.decode(raw)


def test_a_practice_job_needs_its_noise_and_its_own_contract() -> None:
    with pytest.raises(ValueError, match="one noise per measure"):
        Practice(plan(COUNT), (), (CONTRACT,))
    with pytest.raises(ValueError, match="chosen"):
        Practice(plan(COUNT), (SHARP,), (CONTRACT,))
    with pytest.raises(ValueError, match="different tables"):
        Practice(plan(COUNT, table="stays"), (QUIET,), (CONTRACT,)).tables()


def test_a_practice_job_has_no_key_no_part_and_no_folder() -> None:
    assert set(Practice.__dataclass_fields__) == {"plan", "noises", "contracts", "threshold"}
