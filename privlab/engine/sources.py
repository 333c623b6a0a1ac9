"""The rows behind FROM, of one range of units: parts decrypted, and relations made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from privlab.connector.decrypt import open_part
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.parts import PartFacts, aad_prefix, read_part
from privlab.engine.job import Job
from privlab.engine.relations import Tables, source_rows
from privlab.engine.stored import Batch, Stored
from privlab.query.plan import Plan
from privlab.query.relations import Scan


def opened(job: Job, batch: Batch) -> pl.LazyFrame:
    """The rows of the job's source, of the units of ``batch``.

    :raises IntegrityError: a part is not the one signed.
    """
    frames = {
        table.table: scanned(job.plan.dataset, table, parts)
        for table, parts in zip(job.tables, batch, strict=True)
    }
    return standing(job.plan, frames)


def scanned(dataset: str, table: Stored, parts: Sequence[PartFacts]) -> pl.LazyFrame:
    """The rows of these parts, decrypted as they are read."""
    frames = []
    for facts in parts:
        data = read_part(facts, Path(table.folder) / facts.name)
        aad = aad_prefix(dataset, table.table, table.version, facts.bucket)
        frames.append(open_part(facts, data, aad, table.keys, table.reader))
    return frames[0] if len(frames) == 1 else pl.concat(frames)


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
