"""Which rows of each privacy unit count.  One pass, no state from one unit to the next.

What is kept of a unit is a function of that unit's own rows, the key and the tags,
never of another unit's rows, and it obeys the bounds:

  at most ``rows`` rows in all, at most ``rows_per_group`` of them in a group,
  in at most ``groups`` groups

so a sum over kept rows moves by at most `privlab.query.plan.Measure.squared_sensitivity`
when a unit goes (``docs/proofs/bounding.md``).  The plain Python twin is
``tests/kernels/twin_bounding.py``.  What is added up of kept rows is `adding`.

Units come in blocks that fit the nearest cache, in four steps: gather the rows that have
a group, tell the groups of each unit apart, hash, mark the rows of those that stay.
Rows of a small unit are compared all with all, a register at a time (`lanes`); of a
large one, groups are looked up and sorted.  Nothing that one unit left behind is looked
at for another: slots of the table are stamped with their unit.
Indices are not checked as they are used: they are bounded by what is checked first.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels.lanes import below_of_32, below_of_64, ones, same_of_32, same_of_64
from privlab.kernels.siphash import begun, finish_all

BAD_SHAPE = -1
BAD_BOUND = -2
BAD_ORDER = -3

BLOCK = 4096
"""Rows of a block, unless one unit has more."""

LANES = 64
"""Rows of a unit that are compared all with all; of more, groups are looked up and sorted."""

HALF = 32
"""Up to so many are compared in half the registers."""

MOST = (1 << 31) - 1
"""Rows and groups of one call are fewer."""

_SLOTS = 256
_ODD = np.uint64(0x9E3779B97F4A7C15)
_UPPER = np.uint64(32)
_TOP = np.uint64(48)
_BIT = np.uint64(1)
_NOTHING = np.uint64(0)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)

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
    while slots < 2 * distinct:
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
def _meet(
    unit: int,
    begin: int,
    end: int,
    row_codes: Shorts,
    nth: Shorts,
    head: Shorts,
    used: Shorts,
    table_unit: Shorts,
    table_head: Shorts,
) -> Any:
    """Of a unit with any number of rows: fill ``nth`` and ``head``, the first row of each row's group.

    Returns how many groups there are.  Slots of the table are stamped with their unit.
    """
    mask = np.int64(table_unit.size - 1)
    found = 0
    for i in range(begin, end):
        code = row_codes[i]
        at = np.int64(np.uint64(code) * _ODD >> _UPPER) & mask
        while table_unit[at] == unit and row_codes[table_head[at]] != code:
            at = (at + 1) & mask
        if table_unit[at] != unit:
            table_unit[at] = unit
            table_head[at] = i
            used[i] = 0
            found += 1
        first = table_head[at]
        head[i] = first
        nth[i] = used[first]
        used[first] += 1
    return found


@_compile
def _mark_exactly(
    groups: int,
    rows_per_group: int,
    begin: int,
    end: int,
    places: Shorts,
    row_codes: Shorts,
    nth: Shorts,
    head: Shorts,
    hashes: Words,
    row_tags: Words,
    count: Any,
    kept: Shorts,
    kept_codes: Shorts,
    fresh: Flags,
) -> Any:
    """Mark the rows of a unit by whole hashes and their ties; any number.  Returns the new count."""
    many = end - begin
    if many <= LANES:  # `_meet` did not see it
        for i in range(begin, end):
            j = begin
            while row_codes[j] != row_codes[i]:
                j += 1
            head[i] = j
    first_rows = np.empty(many, np.int64)
    found: Any = 0
    for i in range(begin, end):
        first_rows[found] = i
        found += np.int64(nth[i] == 0)
    first_rows = first_rows[:found]
    stays = np.empty(found, np.int32)
    _settle(groups, hashes[first_rows], row_tags[first_rows], row_codes[first_rows], stays)
    stay_of = np.empty(many, np.int32)
    for g in range(found):
        stay_of[first_rows[g] - begin] = stays[g]
    for i in range(begin, end):
        kept[count] = places[i]
        kept_codes[count] = row_codes[i]
        fresh[count] = nth[i] == 0
        count += np.int64(stay_of[head[i] - begin]) & np.int64(nth[i] < rows_per_group)
    return count


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
    places = np.empty(room, np.int32)  # per row of a block that has a group
    row_codes = np.empty(room, np.int32)
    nth = np.empty(room, np.int32)
    head = np.empty(room, np.int32)
    used = np.empty(room, np.int32)
    row_tags = np.empty(room, np.uint64)
    hashes = np.empty(room, np.uint64)
    tops = np.empty(room, np.uint16)
    v0, v1 = np.empty(room, np.uint64), np.empty(room, np.uint64)
    v2, v3 = np.empty(room, np.uint64), np.empty(room, np.uint64)
    ends = np.empty(min(units, room) + 1, np.int64)  # per unit of a block
    firsts = np.empty(min(units, room) + 1, np.uint64)
    distinct = np.empty(min(units, room) + 1, np.int64)
    slots = _slots(min(largest, tags.size))
    table_unit = np.full(slots, -1, np.int32)
    table_head = np.empty(slots, np.int32)

    count = np.int64(0)
    start = 0
    unit = 0
    while unit < units:
        # 1. Gather: rows that have a group.  Written always, counted when it has one.
        opened = unit
        taken: Any = 0
        while unit < units and (unit == opened or taken + unit_rows[unit] <= room - LANES):
            most = taken + rows
            stop = start + unit_rows[unit]
            for i in range(start, stop):
                code = np.uint64(codes[i]) - base
                places[taken] = i
                row_codes[taken] = np.int32(code)
                taken += np.int64(code < cells)
                if taken == most:
                    break
            ends[unit - opened] = taken
            start = stop
            unit += 1

        # 2. Meet: which row of its group each row is, and how many groups there are.
        choice = False
        begin = np.int64(0)
        for u in range(unit - opened):
            end = ends[u]
            many = end - begin
            if many <= LANES:
                new = _NOTHING
                for i in range(many):
                    bit = _BIT << np.uint64(i)
                    own = row_codes[begin + i]
                    if many <= HALF:
                        same = same_of_32(row_codes, begin, own)
                    else:
                        same = same_of_64(row_codes, begin, own)
                    before = ones(same & (bit - _BIT))
                    nth[begin + i] = before
                    new |= np.uint64(before == 0) << np.uint64(i)
                firsts[u] = new
                distinct[u] = ones(new)
            else:
                distinct[u] = _meet(
                    opened + u, begin, end, row_codes, nth, head, used, table_unit, table_head
                )
            choice = choice or distinct[u] > groups
            begin = end

        # 3. Hash.
        if choice:
            begin = np.int64(0)
            for u in range(unit - opened):
                a, b, c, d = begun(key[0], key[1], unit_hi[opened + u], unit_lo[opened + u])
                for i in range(begin, ends[u]):
                    v0[i] = a
                    v1[i] = b
                    v2[i] = c
                    v3[i] = d
                begin = ends[u]
            for i in range(taken):
                row_tags[i] = tags[row_codes[i]]
            finish_all(taken, v0, v1, v2, v3, row_tags, hashes)
            for i in range(taken):
                tops[i] = np.uint16(hashes[i] >> _TOP)

        # 4. Settle which groups stay, and mark rows.
        begin = np.int64(0)
        for u in range(unit - opened):
            end = ends[u]
            many = end - begin
            stays = _ALL
            small = many <= LANES
            if distinct[u] > groups and small:
                stays = _NOTHING
                for i in range(many):
                    own_top = tops[begin + i]
                    if many <= HALF:
                        below = below_of_32(tops, begin, own_top)
                    else:
                        below = below_of_64(tops, begin, own_top)
                    under = ones(below & firsts[u]) < groups
                    stays |= np.uint64(under) << np.uint64(i)
                small = ones(stays & firsts[u]) == groups  # or equal ones straddle the end
            if distinct[u] <= groups or small:
                for i in range(many):
                    row = begin + i
                    kept[count] = places[row]
                    kept_codes[count] = row_codes[row]
                    fresh[count] = nth[row] == 0
                    bit = stays >> np.uint64(min(i, LANES - 1)) & _BIT
                    count += np.int64(bit & np.uint64(nth[row] < rows_per_group))
            else:
                count = _mark_exactly(
                    groups,
                    rows_per_group,
                    begin,
                    end,
                    places,
                    row_codes,
                    nth,
                    head,
                    hashes,
                    row_tags,
                    count,
                    kept,
                    kept_codes,
                    fresh,
                )
            begin = end
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
