"""Whoever decrypts a table, the sums over it are the same, to the unit."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from privlab.connector.reader import Reader
from privlab.engine.handle import Engine
from privlab.engine.job import Job
from privlab.engine.reference import bounded_sums
from privlab.query.plan import Call, Key, Literal, Measure, MeasureKind, Op, Ref
from privlab.terms.catalog import Kind

WARD, AGE, STAY = Ref("ward", Kind.TEXT), Ref("age", Kind.INT), Ref("stay", Kind.FLOAT)
URGENT, DAY, AT = Ref("urgent", Kind.BOOL), Ref("day", Kind.DATE), Ref("at", Kind.DATETIME)
WARDS = Key(WARD, Kind.TEXT, ("north", "south", "west", None))
COUNT, UNITS = Measure(MeasureKind.ROWS), Measure(MeasureKind.UNITS)
TOTAL = Measure(MeasureKind.SUM, STAY, Fraction(-2), Fraction(60), Fraction(1, 4))

PLANS: dict[str, dict[str, Any]] = {
    "counts and a sum": {"measures": (COUNT, UNITS, TOTAL), "keys": (WARDS,)},
    "a condition on a truth value": {"measures": (COUNT,), "where": URGENT},
    "calendars": {
        "measures": (COUNT, UNITS),
        "keys": (Key(Call(Op.MONTH, (AT,)), Kind.INT, tuple(range(1, 13))),),
        "where": Call(Op.GE, (Call(Op.MONTH, (DAY,)), Literal(6))),
    },
    "nobody": {"measures": (COUNT, TOTAL), "where": Call(Op.GT, (AGE, Literal(1000)))},
}


def job_of(place: Any, name: str, reader: Reader) -> Job:
    asked = dict(PLANS[name])
    job: Job = place.job(place.plan(*asked.pop("measures"), **asked))
    return replace(job, tables=tuple(replace(one, reader=reader) for one in job.tables))


@pytest.mark.parametrize("reader", Reader)
@pytest.mark.parametrize("name", PLANS)
def test_the_sums_are_the_references(engine: Engine, place: Any, name: str, reader: Reader) -> None:
    job = job_of(place, name, reader)
    found = engine.run(job)
    assert [list(v) for v in found.vectors] == bounded_sums(job.plan, place.rows, job.bounding_key)


def test_a_job_says_who_reads(place: Any) -> None:
    """And the child, which gets it encoded, does as it says."""
    for reader in Reader:
        job = job_of(place, "nobody", reader)
        assert [one.reader for one in Job.decode(job.encode()).tables] == [reader]


def test_a_job_with_an_unknown_reader_is_none(place: Any) -> None:
    raw = job_of(place, "nobody", Reader.ARROW).encode()
    with pytest.raises(ValueError, match="not a job"):
        Job.decode(raw.replace(b'"arrow"', b'"barrow"'))
