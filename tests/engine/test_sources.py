"""The rows behind FROM, from encrypted parts of one table and of several."""

from __future__ import annotations

from typing import Any

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.engine import sources
from privlab.engine.stored import batches
from privlab.query.plan import Measure, MeasureKind


def test_a_scan_is_read_as_it_is_stored(place: Any) -> None:
    job = place.job(place.plan(Measure(MeasureKind.ROWS)))

    rows = [
        row
        for batch in batches(job.tables)
        for row in sources.opened(job, batch).select(UNIT_COLUMNS).collect().iter_rows()
    ]

    assert rows == [row[""] for row in place.rows]
