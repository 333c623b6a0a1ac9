"""The rows behind FROM, of one range of units: parts decrypted, and relations made of them.

A part comes as a `Bucket`: rows that are read lazily, and arrays of its units.  Where
ids are needed in every row, as where rows of several tables meet, they are repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from privlab.connector.bucket import Bucket, open_bucket
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.engine.job import Job
from privlab.engine.relations import Tables, source_rows
from privlab.engine.stored import Batch, Stored, StoredPart
from privlab.query.plan import Plan
from privlab.query.relations import Scan


def opened(job: Job, batch: Batch) -> pl.LazyFrame:
    """The rows of the job's source, of the units of ``batch``, an id in each.

    :raises IntegrityError: a part is not the one signed.
    """
    frames = {
        table.table: scanned(job.plan.dataset, table, parts)
        for table, parts in zip(job.tables, batch, strict=True)
    }
    return standing(job.plan, frames)


def rows_of(job: Job, batch: Batch) -> pl.LazyFrame | Bucket:
    """As `opened`, but for a table alone: its bucket, so that no row needs an id.

    :raises IntegrityError: a part is not the one signed.
    """
    if isinstance(job.plan.source, Scan) and len(batch[0]) == 1:
        return bucket(job.plan.dataset, job.tables[0], batch[0][0])
    return opened(job, batch)


def scanned(dataset: str, table: Stored, parts: Sequence[StoredPart]) -> pl.LazyFrame:
    """The rows of these parts, decrypted as they are read, an id in each.

    :raises IntegrityError: a part is not the one signed.
    """
    frames = [bucket(dataset, table, part).with_ids() for part in parts]
    return frames[0] if len(frames) == 1 else pl.concat(frames)


def bucket(dataset: str, table: Stored, part: StoredPart) -> Bucket:
    """A part's rows, and its units.

    :raises IntegrityError: the part is not the one signed.
    """
    return open_bucket(
        Path(table.folder), dataset, table.table, part.facts, part.keys, table.reader
    )


def standing(plan: Plan, tables: Tables) -> pl.LazyFrame:
    """The rows that ``plan`` stands on.  Those of a relation are worked out once, here.

    tables: the private ones that the plan reads, with all the columns it reads.
    """
    if isinstance(plan.source, Scan):
        return tables[plan.source.table]
    held = {
        name: tables[name]
        .select(*UNIT_COLUMNS, *sorted(columns))
        .collect(engine="in-memory")
        .lazy()
        for name, columns in plan.reads.items()
    }
    return source_rows(plan, held).collect(engine="in-memory").lazy()
