"""Which rows of each privacy unit count.  One pass, no state from one unit to the next.

What is kept of a unit is a function of that unit's own rows, the key and the tags,
never of another unit's rows, and it obeys the bounds:

  at most ``rows`` rows in all, at most ``rows_per_group`` of them in a group,
  in at most ``groups`` groups

so a sum over kept rows moves by at most `privlab.query.plan.Measure.squared_sensitivity`
when a unit goes (``docs/proofs/bounding.md``).  The plain Python twin is
``tests/kernels/twin_bounding.py``.  What is added up of kept rows is `adding`.

Units come in blocks that fit the nearest cache, in four steps: meet the groups of each
unit, hash all of them, settle which ones stay, mark rows.  Nothing that one unit
left behind is looked at for another: slots of the table are stamped with their unit.
Indices are not checked as they are used: they are bounded by what is checked first.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels.siphash import begun, finish_all

BAD_SHAPE = -1
BAD_BOUND = -2
BAD_ORDER = -3

BLOCK = 4096
"""Rows of a block, unless one unit has more."""

LANES = 64
"""Groups of a unit that are ranked all against all; more are sorted."""

MOST = (1 << 31) - 1
"""Rows and groups of one call are fewer."""

_SLOTS = 256
_ODD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_TOP = np.uint64(48)
_LAST = np.uint16(0xFFFF)

_jit: Any = nb.njit
_compile = _jit(nogil=True, error_model="numpy")

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]
Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]


@_compile
def _slots(distinct: int) -> Any:
    """Slots of the table for so many different groups: a power of two, half of them free."""
    slots = _SLOTS
    while slots < 2 * distinct or (distinct <= LANES and slots < 4 * distinct):
        slots *= 2
    return slots


@_compile
def _settle(
    groups: int, hashes: Words, tags: Words, codes: Shorts, stays: NDArray[np.int32]
) -> Any:
    """Mark the ``groups`` of a unit's groups that come first by (hash, tag, code); any number."""
    last = np.sort(hashes)[groups - 1]
    left = groups
    for i in range(hashes.size):
        stays[i] = 1 if hashes[i] < last else 0
        left -= stays[i]
    while left > 0:
        best = -1
        for i in range(hashes.size):
            if (
                hashes[i] == last
                and stays[i] == 0
                and (
                    best < 0
                    or tags[i] < tags[best]
                    or (tags[i] == tags[best] and codes[i] < codes[best])
                )
            ):
                best = i
        stays[best] = 1
        left -= 1


@_compile
def _rank(groups: int, tops: NDArray[np.uint16], lanes: NDArray[np.uint16], stays: Shorts) -> Any:
    """As `_settle` by the top 16 bits alone; whether these were enough.

    A group stays when fewer than ``groups`` others are below it.  Where equal ones
    straddle the end, more would stay, so the count tells.
    """
    for i in range(LANES):
        lanes[i] = _LAST
    for i in range(tops.size):
        lanes[i] = tops[i]
    kept = 0
    for i in range(tops.size):
        own = tops[i]
        below = np.int16(0)
        for j in range(LANES):
            below += np.int16(lanes[j] < own)
        stays[i] = np.int32(below < groups)
        kept += stays[i]
    return kept == groups


def _input(dtype: Any) -> Any:
    """A C-contiguous array that is only read, so that read-only buffers fit too."""
    return nb.types.Array(dtype, 1, "C", readonly=True)


@_compile
def _refusal(
    unit_hi: Words,
    unit_lo: Words,
    unit_rows: Ints,
    size: int,
    cells: int,
) -> Any:
    """Why not, or 0: units ascend strictly, so none has rows in two places."""
    if unit_lo.size != unit_hi.size or unit_rows.size != unit_hi.size:
        return BAD_SHAPE
    if size > MOST or cells > MOST or unit_hi.size > MOST:
        return BAD_SHAPE
    left = size
    for u in range(unit_rows.size):
        if unit_rows[u] < 1 or unit_rows[u] > left:
            return BAD_SHAPE
        left -= unit_rows[u]
        if u > 0 and (
            unit_hi[u] < unit_hi[u - 1]
            or (unit_hi[u] == unit_hi[u - 1] and unit_lo[u] <= unit_lo[u - 1])
        ):
            return BAD_ORDER
    return BAD_SHAPE if left else 0


@_jit(
    nb.int64(
        _input(nb.uint64),
        _input(nb.uint64),
        _input(nb.int64),
        _input(nb.int64),
        nb.int64,
        _input(nb.uint64),
        nb.int64,
        nb.int64,
        nb.int64,
        _input(nb.uint64),
        nb.int32[::1],
        nb.int32[::1],
        nb.boolean[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def keep(
    unit_hi: Words,
    unit_lo: Words,
    unit_rows: Ints,
    codes: Ints,
    first: int,
    tags: Words,
    rows: int,
    rows_per_group: int,
    groups: int,
    key: Words,
    kept: Shorts,
    kept_codes: Shorts,
    fresh: Flags,
) -> Any:
    """List the rows that are kept, in their order.  n rows, m units, G groups.

    unit_hi, unit_lo: [m] the 128-bit pseudonyms, strictly ascending.  unit_rows: [m] how
    many rows each has, at least one; they stand one after the other, in the table's
    secret order, and are n together.  codes: [n] ``first`` and the row's group in
    0..G-1; anything else is in no group.  tags: [G] a content hash of each group's key.
    key: [2] the table version's secret bounding key.

    kept, kept_codes, fresh: [n], overwritten: places of kept rows, their groups, and
    whether it is the unit's first one there.

    Per unit: the first ``rows`` rows that have a group; of their groups the
    ``groups`` with the smallest SipHash-2-4(key; unit, tag), ties by tag, then by
    number; in a kept group the first ``rows_per_group`` rows.

    Returns how many rows are kept, or BAD_SHAPE (lengths disagree, or are beyond
    MOST), BAD_BOUND (a bound below 1), BAD_ORDER (units do not ascend).
    Memory beside the arguments: at most some 100 bytes per row of the largest unit.
    """
    size = codes.size
    if key.size != 2 or kept.size < size or kept_codes.size < size or fresh.size < size:
        return BAD_SHAPE
    if rows < 1 or rows_per_group < 1 or groups < 1:
        return BAD_BOUND
    refusal = _refusal(unit_hi, unit_lo, unit_rows, size, tags.size)
    if refusal != 0:
        return refusal
    rows, groups = min(rows, MOST), min(groups, MOST)
    rows_per_group = min(rows_per_group, MOST)
    cells = np.uint64(tags.size)
    base = np.uint64(first)
    units = unit_rows.size

    largest = 1
    for u in range(units):
        largest = max(largest, unit_rows[u])
    room = max(min(BLOCK, size), largest) + LANES
    places = np.empty(room, np.int32)  # per row of a block
    slot_of = np.empty(room, np.int32)
    nth = np.empty(room, np.int32)
    group_codes = np.empty(room, np.int32)  # per group of a unit of a block
    used = np.empty(room, np.int32)
    group_tags = np.empty(room, np.uint64)
    hashes = np.empty(room, np.uint64)
    tops = np.empty(room, np.uint16)
    stays = np.empty(room, np.int32)
    v0, v1 = np.empty(room, np.uint64), np.empty(room, np.uint64)
    v2, v3 = np.empty(room, np.uint64), np.empty(room, np.uint64)
    ends = np.empty(min(units, room) + 1, np.int64)  # per unit of a block
    lanes = np.empty(LANES, np.uint16)
    slots = _slots(min(largest, tags.size))
    table_unit = np.full(slots, -1, np.int32)
    table_code = np.empty(slots, np.int32)
    table_group = np.empty(slots, np.int32)

    count = np.int64(0)
    start = 0
    unit = 0
    while unit < units:
        # 1. Meet: groups of each unit in the order of its rows.
        opened = unit
        taken = 0
        found = 0
        open_choice = False
        while unit < units and (unit == opened or taken + unit_rows[unit] <= room - LANES):
            begin = found
            most = taken + rows
            mask = np.int64(_slots(min(unit_rows[unit], tags.size)) - 1)
            for i in range(start, start + unit_rows[unit]):
                code = np.uint64(codes[i]) - base
                if code >= cells:
                    continue
                if taken == most:
                    break
                at = np.int64(code * _ODD >> _HALF) & mask
                while table_unit[at] == unit and table_code[at] != np.int32(code):
                    at = (at + 1) & mask
                if table_unit[at] != unit:
                    table_unit[at] = unit
                    table_code[at] = np.int32(code)
                    table_group[at] = found
                    group_codes[found] = np.int32(code)
                    used[found] = 0
                    found += 1
                group = table_group[at]
                places[taken] = i
                slot_of[taken] = group
                nth[taken] = used[group]
                used[group] += 1
                taken += 1
            ends[unit - opened] = found
            open_choice = open_choice or found - begin > groups
            start += unit_rows[unit]
            unit += 1

        # 2. Hash, and 3. settle which groups stay.
        if open_choice:
            begin = 0
            for u in range(unit - opened):
                a, b, c, d = begun(key[0], key[1], unit_hi[opened + u], unit_lo[opened + u])
                for i in range(begin, ends[u]):
                    v0[i] = a
                    v1[i] = b
                    v2[i] = c
                    v3[i] = d
                begin = ends[u]
            for i in range(found):
                group_tags[i] = tags[group_codes[i]]
            finish_all(found, v0, v1, v2, v3, group_tags, hashes)
            for i in range(found):
                tops[i] = np.uint16(hashes[i] >> _TOP)
            begin = 0
            for u in range(unit - opened):
                end = ends[u]
                many = end - begin
                if many <= groups:
                    stays[begin:end] = 1
                elif many > LANES or not _rank(groups, tops[begin:end], lanes, stays[begin:end]):
                    _settle(
                        groups,
                        hashes[begin:end],
                        group_tags[begin:end],
                        group_codes[begin:end],
                        stays[begin:end],
                    )
                begin = end
        else:
            for i in range(found):
                stays[i] = 1

        # 4. Mark.  Written always, counted when kept: which it is cannot be foreseen.
        for i in range(taken):
            group = slot_of[i]
            kept[count] = places[i]
            kept_codes[count] = group_codes[group]
            fresh[count] = nth[i] == 0
            under = np.int64(nth[i]) - rows_per_group >> np.int64(63)  # all ones, or zero
            count += np.int64(stays[group]) & under
    return count


@_jit(
    nb.int64(_input(nb.uint64), _input(nb.uint64), nb.int64[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def find_runs(row_hi: Words, row_lo: Words, starts: Ints) -> Any:
    """Where each run of one pseudonym begins.  row_hi, row_lo: [n] one per row.

    starts: [n], its first entries are overwritten.  Returns how many runs there are,
    or BAD_SHAPE.  Whether a unit has two of them shows in `keep`.
    """
    if row_lo.size != row_hi.size or starts.size < row_hi.size:
        return BAD_SHAPE
    count = 0
    for i in range(row_hi.size):
        starts[count] = i
        if i == 0 or row_hi[i] != row_hi[i - 1] or row_lo[i] != row_lo[i - 1]:
            count += 1
    return count
