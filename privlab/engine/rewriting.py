"""Parts of a new version from parts of earlier ones, bucket by bucket, in a restricted child.

Decrypted rows are in memory alone, those of one bucket at a time; what is written is
encrypted under the new version's keys.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from privlab.connector.arrange import ordered
from privlab.connector.bucket import UNITS_SCHEMA, open_bucket
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.write import draft_part, finish_parts
from privlab.engine.rewrite import FULL, TOO_MANY, Rewrite, Rewritten

_HI, _LO = UNIT_COLUMNS


def rewrite(job: Rewrite) -> Rewritten:
    """Write all parts; or say why not, and then what was written is of no use.

    :raises IntegrityError: a part is not the one signed.
    """
    try:
        return _rewritten(job)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return Rewritten((), FULL)


def _rewritten(job: Rewrite) -> Rewritten:
    table = job.table()
    folder = Path(job.folder)
    gone = _units(job.drop)
    drafts = []
    total = 0
    for at, bucket in enumerate(sorted(job.keys)):
        rows = pl.concat(
            open_bucket(
                Path(one.folder),
                table.dataset,
                table.name,
                one.parts[at].facts,
                one.parts[at].keys,
                one.reader,
            )
            .with_ids()
            .collect(engine="in-memory")
            for one in job.sources
        )
        if job.drop:
            rows = rows.join(gone, on=UNIT_COLUMNS, how="anti")
        total += rows.height
        if total > table.row_cap:
            return Rewritten((), TOO_MANY)
        kept, units = ordered(rows, table, job.order_key)
        del rows
        drafts.append(draft_part(kept, units, bucket, table, job.keys[bucket], folder))
    return Rewritten(finish_parts(drafts, job.version, job.least))


def _units(pseudonyms: Sequence[bytes]) -> pl.DataFrame:
    """The halves of each."""
    words = np.frombuffer(b"".join(pseudonyms), dtype=">u8").astype(np.uint64).reshape(-1, 2)
    halves = {name: UNITS_SCHEMA[name] for name in UNIT_COLUMNS}
    return pl.DataFrame({_HI: words[:, 0], _LO: words[:, 1]}, schema=halves)
