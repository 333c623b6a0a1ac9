"""Which rows of each privacy unit are kept: for what is not a sum over rows.

A choice needs one value of each unit in a group, a count of distinct values the
values themselves.  The rows that are marked are those that `bounding.accumulate`
adds up under the same bounds, so a statistic of them and a sum are of one sample.
Which rows of a unit are kept is a function of its own rows, the key and the tags.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels.bounding import (
    BAD_BOUND,
    BAD_CODE,
    BAD_ORDER,
    BAD_SHAPE,
    OK,
    choose_groups,
    rank_groups,
    unit_returns,
)

_jit: Any = nb.njit


def _input(dtype: Any) -> Any:
    """A C-contiguous array that is only read, so that read-only buffers fit too."""
    return nb.types.Array(dtype, 1, "C", readonly=True)


@_jit(
    nb.int64(
        _input(nb.uint64),
        _input(nb.uint64),
        _input(nb.int64),
        _input(nb.uint64),
        nb.int64,
        nb.int64,
        nb.int64,
        _input(nb.uint64),
        nb.boolean[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
    boundscheck=True,
)
def keep(
    unit_hi: NDArray[np.uint64],
    unit_lo: NDArray[np.uint64],
    codes: NDArray[np.int64],
    tags: NDArray[np.uint64],
    rows: int,
    rows_per_group: int,
    groups: int,
    key: NDArray[np.uint64],
    kept: NDArray[np.bool_],
) -> Any:
    """Mark the rows that are kept.  n rows, G groups.

    All but ``kept`` as in `bounding.accumulate`.  kept: [n], overwritten: the first
    ``rows`` rows of a unit that have a group; of their groups the ``groups`` that
    come first in the unit's secret order; in each the first ``rows_per_group`` rows.

    Returns OK, BAD_CODE, BAD_SHAPE, BAD_BOUND or BAD_ORDER, as `bounding.accumulate`.
    """
    size = codes.size
    cells = tags.size
    if unit_hi.size != size or unit_lo.size != size or key.size != 2 or kept.size != size:
        return BAD_SHAPE
    if rows < 1 or rows_per_group < 1 or groups < 1:
        return BAD_BOUND
    for i in range(size):
        kept[i] = False
        if codes[i] < -1 or codes[i] >= cells:
            return BAD_CODE
    if unit_returns(unit_hi, unit_lo):
        return BAD_ORDER

    most = min(rows, size)
    slots = min(cells, most)
    picked = np.empty(most, np.int64)
    found_codes = np.empty(slots, np.int64)
    best = np.empty(slots, np.int64)
    hashes = np.empty(slots, np.uint64)
    stays = np.empty(slots, np.bool_)
    used = np.empty(slots, np.int64)
    seen_at = np.full(cells, -1, np.int64)
    slot_of = np.empty(cells, np.int64)

    start = 0
    while start < size:
        seen = 0
        found = 0
        stop = start
        while stop < size and unit_hi[stop] == unit_hi[start] and unit_lo[stop] == unit_lo[start]:
            code = codes[stop]
            if code >= 0 and seen < most:
                if seen_at[code] != start:
                    seen_at[code] = start
                    slot_of[code] = found
                    found_codes[found] = code
                    used[found] = 0
                    found += 1
                picked[seen] = stop
                seen += 1
            stop += 1
        if found > groups:
            rank_groups(found, found_codes, tags, unit_hi[start], unit_lo[start], key, hashes)
        choose_groups(found, groups, found_codes, tags, hashes, best, stays)
        for t in range(seen):
            i = picked[t]
            slot = slot_of[codes[i]]
            if stays[slot] and used[slot] < rows_per_group:
                used[slot] += 1
                kept[i] = True
        start = stop
    return OK
