"""Rows to sums: bound what each privacy unit adds, clamp, add up.  One pass.

A unit's part of the result is a function of that unit's own rows, the key and
the tags, never of another unit's rows.  So adding or removing one unit changes
the result by exactly that unit's part, and the part obeys the bounds:

  at most ``rows`` rows in all, at most ``rows_per_group`` of them in a group,
  in at most ``groups`` groups, each row moving measure j by at most radius[j];
  for a measure that counts units, one in each of at most ``groups`` of all the
  groups the unit is in: it pays for groups, so it needs no bound on rows

whose squared length is at most `privlab.query.plan.Measure.squared_sensitivity`
(``docs/proofs/bounding.md``).  The plain Python twin is
``tests/kernels/twin_bounding.py``.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels.siphash import siphash

OK = 0
BAD_CODE = 1
BAD_SHAPE = 2
BAD_BOUND = 3
BAD_ORDER = 4

_ODD = np.uint64(0x9E3779B97F4A7C15)

_jit: Any = nb.njit
_compile = _jit(nogil=True, error_model="numpy", boundscheck=True)


@_compile
def _after(
    hash_a: np.uint64,
    tag_a: np.uint64,
    code_a: int,
    hash_b: np.uint64,
    tag_b: np.uint64,
    code_b: int,
) -> Any:
    """Whether group a comes after group b in the secret order."""
    if hash_a != hash_b:
        return hash_a > hash_b
    if tag_a != tag_b:
        return tag_a > tag_b
    return code_a > code_b


@_compile
def unit_returns(unit_hi: NDArray[np.uint64], unit_lo: NDArray[np.uint64]) -> Any:
    """Whether some unit's rows are in two places, which would double its part."""
    size = unit_hi.size
    runs = 0
    ascending = True
    for i in range(size):
        if i == 0:
            runs = 1
        elif unit_hi[i] != unit_hi[i - 1] or unit_lo[i] != unit_lo[i - 1]:
            runs += 1
            ascending = ascending and (
                unit_hi[i - 1] < unit_hi[i]
                or (unit_hi[i - 1] == unit_hi[i] and unit_lo[i - 1] < unit_lo[i])
            )
    if ascending:
        return False
    slots = 16
    while slots < 2 * runs:
        slots *= 2
    first = np.full(slots, -1, np.int64)
    mask = np.uint64(slots - 1)
    for i in range(size):
        if i > 0 and unit_hi[i] == unit_hi[i - 1] and unit_lo[i] == unit_lo[i - 1]:
            continue
        slot = np.int64((unit_hi[i] ^ (unit_lo[i] * _ODD)) & mask)
        while first[slot] >= 0:
            seen = first[slot]
            if unit_hi[seen] == unit_hi[i] and unit_lo[seen] == unit_lo[i]:
                return True
            slot = (slot + 1) & np.int64(slots - 1)
        first[slot] = i
    return False


@_compile
def rank_groups(
    found: int,
    codes: NDArray[np.int64],
    tags: NDArray[np.uint64],
    hi: np.uint64,
    lo: np.uint64,
    key: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
) -> None:
    """What puts a unit's groups in their secret order."""
    for slot in range(found):
        hashes[slot] = siphash(key[0], key[1], hi, lo, tags[codes[slot]])


@_compile
def choose_groups(
    found: int,
    groups: int,
    codes: NDArray[np.int64],
    tags: NDArray[np.uint64],
    hashes: NDArray[np.uint64],
    best: NDArray[np.int64],
    kept: NDArray[np.bool_],
) -> None:
    """Mark in ``kept`` the ``groups`` of the ``found`` codes that come first.

    hashes: as `rank_groups` left them; not looked at where all codes are kept.
    """
    if found <= groups:
        kept[:found] = True
        return
    kept[:found] = False
    held = 0
    for slot in range(found):
        code = codes[slot]
        at = held
        while at > 0 and _after(
            hashes[best[at - 1]],
            tags[codes[best[at - 1]]],
            codes[best[at - 1]],
            hashes[slot],
            tags[code],
            code,
        ):
            at -= 1
        if at == groups:
            continue
        held = min(held + 1, groups)
        for place in range(held - 1, at, -1):
            best[place] = best[place - 1]
        best[at] = slot
    for place in range(held):
        kept[best[place]] = True


def _input(dtype: Any, layout: str = "1d") -> Any:
    """A C-contiguous array that is only read, so that read-only buffers fit too."""
    return nb.types.Array(dtype, 2 if layout == "2d" else 1, "C", readonly=True)


@_jit(
    nb.int64(
        _input(nb.uint64),
        _input(nb.uint64),
        _input(nb.int64),
        _input(nb.uint64),
        _input(nb.int64, "2d"),
        _input(nb.boolean, "2d"),
        _input(nb.boolean),
        _input(nb.int64),
        nb.int64,
        nb.int64,
        nb.int64,
        _input(nb.uint64),
        nb.int64[:, ::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
    boundscheck=True,
)
def accumulate(
    unit_hi: NDArray[np.uint64],
    unit_lo: NDArray[np.uint64],
    codes: NDArray[np.int64],
    tags: NDArray[np.uint64],
    values: NDArray[np.int64],
    valid: NDArray[np.bool_],
    per_unit: NDArray[np.bool_],
    radius: NDArray[np.int64],
    rows: int,
    rows_per_group: int,
    groups: int,
    key: NDArray[np.uint64],
    out: NDArray[np.int64],
) -> Any:
    """Add every unit's bounded part to ``out``.  n rows, G groups, k measures.

    unit_hi, unit_lo: [n] the 128-bit pseudonym; rows of one unit are contiguous
    and in the table's secret order.  codes: [n] the row's group in 0..G-1, or -1
    for none.  tags: [G] a content hash of each group's key.  values, valid:
    [k, n] what the row adds to a measure, and whether it does.  per_unit: [k]
    whether the measure counts units.  radius: [k] the clamp.  key: [2] the
    table version's secret bounding key.  out: [k, G].

    Per unit: the first ``rows`` rows that have a group; of their groups the
    ``groups`` with the smallest SipHash-2-4(key; unit, tag), ties by tag; in a
    kept group the first ``rows_per_group`` rows.  A row adds its value clamped
    to [-radius, radius] where valid.  A measure per unit adds one in each of
    the ``groups`` groups that come first in the same order among those of all
    the unit's rows, whatever its values.

    Returns OK, or with ``out`` of no use: BAD_CODE (a code outside -1..G-1),
    BAD_SHAPE (lengths disagree), BAD_BOUND (a bound below 1 or a negative
    radius), BAD_ORDER (rows of one unit are in two places).
    """
    size = codes.size
    measures = radius.size
    cells = tags.size
    if unit_hi.size != size or unit_lo.size != size or key.size != 2 or per_unit.size != measures:
        return BAD_SHAPE
    if values.shape != (measures, size) or valid.shape != (measures, size):
        return BAD_SHAPE
    if out.shape != (measures, cells):
        return BAD_SHAPE
    if rows < 1 or rows_per_group < 1 or groups < 1:
        return BAD_BOUND
    counts_units = False
    takes_rows = False
    for j in range(measures):
        if radius[j] < 0:
            return BAD_BOUND
        counts_units = counts_units or per_unit[j]
        takes_rows = takes_rows or not per_unit[j]
    for i in range(size):
        if codes[i] < -1 or codes[i] >= cells:
            return BAD_CODE
    if unit_returns(unit_hi, unit_lo):
        return BAD_ORDER

    most = min(rows, size)
    enough = size if counts_units else most
    slots = min(cells, enough)
    picked = np.empty(most, np.int64)
    found_codes = np.empty(slots, np.int64)
    best = np.empty(slots, np.int64)
    hashes = np.empty(slots, np.uint64)
    kept = np.empty(slots, np.bool_)
    used = np.empty(slots, np.int64)
    seen_at = np.full(cells, -1, np.int64)
    slot_of = np.empty(cells, np.int64)

    start = 0
    while start < size:
        hi = unit_hi[start]
        lo = unit_lo[start]
        seen = 0  # rows that have a group
        found = 0  # their groups
        near = 0  # the groups of the first ``rows`` of them, which are found first
        stop = start
        while stop < size and unit_hi[stop] == hi and unit_lo[stop] == lo:
            code = codes[stop]
            if code >= 0 and seen < enough:
                if seen_at[code] != start:
                    seen_at[code] = start
                    slot_of[code] = found
                    found_codes[found] = code
                    used[found] = 0
                    found += 1
                if seen < rows:
                    picked[seen] = stop
                    near = found
                seen += 1
            stop += 1
        if found > groups:
            rank_groups(found, found_codes, tags, hi, lo, key, hashes)
        if takes_rows:
            choose_groups(near, groups, found_codes, tags, hashes, best, kept)
            for t in range(min(seen, rows)):
                i = picked[t]
                code = codes[i]
                slot = slot_of[code]
                if not kept[slot] or used[slot] == rows_per_group:
                    continue
                used[slot] += 1
                for j in range(measures):
                    if valid[j, i] and not per_unit[j]:
                        out[j, code] += min(max(values[j, i], -radius[j]), radius[j])
        if counts_units:
            if found > near or not takes_rows:
                choose_groups(found, groups, found_codes, tags, hashes, best, kept)
            for slot in range(found):
                if kept[slot]:
                    for j in range(measures):
                        if per_unit[j]:
                            out[j, found_codes[slot]] += 1
        start = stop
    return OK
