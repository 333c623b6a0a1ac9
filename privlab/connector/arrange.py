"""A bucket's rows in the one order that their content and a secret give them.

So a version is the same whoever wrote it: an owner's process from a source, or the
engine from an earlier version.  ``docs/spec/table.md``, Rows.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from privlab.connector.bucket import UNITS_SCHEMA
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.rowtags import row_tags
from privlab.kernels.buckets import settle
from privlab.terms.catalog import Table

_HI, _LO = UNIT_COLUMNS


def ordered(
    frame: pl.DataFrame, table: Table, order_key: bytes
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows and units as the two files of a part have them.

    frame: pseudonyms and values of a bucket's rows, in any order.  The rows go by
    (pseudonym, tag), and their order does not depend on that of ``frame``.
    """
    high, low = frame[_HI].to_numpy(), frame[_LO].to_numpy()
    order = np.argsort(high)
    settle(order, high, low, row_tags(frame, table, order_key))
    high, low = high[order], low[order]
    first = np.ones(high.size, dtype=np.bool_)
    first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    starts = np.flatnonzero(first)
    counts = np.diff(starts, append=high.size).astype(np.uint32)
    units = pl.DataFrame([high[starts], low[starts], counts], schema=UNITS_SCHEMA)
    names = [c.name for c in table.columns if c.name != table.unit]
    rows = frame.select(names)[order] if names else pl.DataFrame(height=frame.height)
    return rows, units
