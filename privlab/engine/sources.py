"""The rows behind FROM, of one range of units: parts decrypted, and relations made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from privlab.connector.parts import PartFacts, aad_prefix, read_part
from privlab.connector.scan import open_part
from privlab.engine.job import Job
from privlab.engine.stored import Batch, Stored


def opened(job: Job, batch: Batch) -> pl.LazyFrame:
    """The rows of the job's source, of the units of ``batch``.

    :raises IntegrityError: a part is not the one signed.
    """
    (table,), (parts,) = job.tables, batch
    return scanned(job.plan.dataset, table, parts)


def scanned(dataset: str, table: Stored, parts: Sequence[PartFacts]) -> pl.LazyFrame:
    """The rows of these parts, decrypted as they are read."""
    frames = []
    for facts in parts:
        data = read_part(facts, Path(table.folder) / facts.name)
        aad = aad_prefix(dataset, table.table, table.version, facts.bucket)
        frames.append(open_part(facts, data, aad, table.keys))
    return frames[0] if len(frames) == 1 else pl.concat(frames)
