"""Would a slip in the bounding be seen?  The kernel with one thing wrong, and what notices.

A mutant is the source of `privlab.kernels.bounding` with one text replaced, which must
stand in it exactly once.  It runs as plain Python, and what it keeps is compared with
the rows that the plain twin's order keeps, on tables made for the slips.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest

from privlab.kernels import bounding
from tests.kernels.twin_bounding import Unit, siphash

SOURCE = Path(bounding.__file__ or "").read_text()
KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)

Table = list[tuple[Unit, int]]
Kept = list[tuple[int, int, bool]]
"""Place, group, and whether the first of its unit there."""

MUTANTS = [
    # Ties
    ("equal groups ordered by the larger tag", "or tags[i] < tags[best]", "or tags[i] > tags[best]"),
    ("equal groups in the order of their rows", "codes[i] < codes[best]", "False"),
    ("equal groups ordered by the larger number", "codes[i] < codes[best]", "codes[i] > codes[best]"),
    ("what is equal at the end stays as well", "1 if hashes[i] < last else 0", "1 if hashes[i] <= last else 0"),
    ("16 bits taken as all", "small = ones(stays & firsts[u]) == groups", "small = True"),
    # Counts
    ("one group too many let through", "if distinct[u] > groups and small:", "if distinct[u] > groups + 1 and small:"),
    ("one row too many in all", "if taken == most:", "if taken == most + 1:"),
    ("one row too few in all", "most = taken + rows", "most = taken + rows - 1"),
    ("one row too many in a group of a small unit", "bit & np.uint64(nth[row] < rows_per_group)", "bit & np.uint64(nth[row] <= rows_per_group)"),
    ("one row too few in a group of a small unit", "bit & np.uint64(nth[row] < rows_per_group)", "bit & np.uint64(nth[row] + 1 < rows_per_group)"),
    ("one row too many in a group of a large unit", "np.int64(nth[i] < rows_per_group)", "np.int64(nth[i] <= rows_per_group)"),
    # Order
    ("groups ranked by their number", "tops[i] = np.uint16(hashes[i] >> _TOP)", "tops[i] = np.uint16(row_codes[i])"),
    ("groups ranked by their tag", "tops[i] = np.uint16(hashes[i] >> _TOP)", "tops[i] = np.uint16(row_tags[i] >> _TOP)"),
    ("groups in the order of their rows", "tops[i] = np.uint16(hashes[i] >> _TOP)", "tops[i] = np.uint16(i)"),
    ("the unit's upper half forgotten", "begun(key[0], key[1], unit_hi[opened + u], unit_lo[opened + u])", "begun(key[0], key[1], np.uint64(0), unit_lo[opened + u])"),
    ("the unit's lower half forgotten", "begun(key[0], key[1], unit_hi[opened + u], unit_lo[opened + u])", "begun(key[0], key[1], unit_hi[opened + u], np.uint64(0))"),
    ("half the key forgotten", "begun(key[0], key[1], unit_hi", "begun(key[0], key[0], unit_hi"),
    ("the first unit of a block stands for all", "unit_hi[opened + u], unit_lo[opened + u])", "unit_hi[opened], unit_lo[opened])"),
    ("the number hashed for the tag", "row_tags[i] = tags[row_codes[i]]", "row_tags[i] = np.uint64(row_codes[i])"),
    # One unit and the next
    ("rows of the next unit met", "same & (bit - _BIT)", "same & ~bit"),
    ("a group that meets another in the table joins it", "while table_unit[at] == unit and row_codes[table_head[at]] != code:", "while False:"),
    ("every row the first of its group", "fresh[count] = nth[row] == 0", "fresh[count] = True"),
    ("the last group taken as in none", "taken += np.int64(code < cells)", "taken += np.int64(code + np.uint64(1) < cells)"),
    ("rows in no group taken", "taken += np.int64(code < cells)", "taken += 1"),
    ("units in two places let in", "unit_lo[u] <= unit_lo[u - 1]", "unit_lo[u] < unit_lo[u - 1]"),
]  # fmt: skip


def mask(found: Any) -> np.uint64:
    """Bit i says whether entry i is true."""
    return np.uint64(sum(1 << i for i in np.flatnonzero(found).tolist()))


LANES_PLAIN = {
    "same_of_32": lambda array, at, own: mask(array[at : at + 32] == own),
    "same_of_64": lambda array, at, own: mask(array[at : at + 64] == own),
    "below_of_32": lambda array, at, own: mask(array[at : at + 32] < own),
    "below_of_64": lambda array, at, own: mask(array[at : at + 64] < own),
    "ones": lambda word: np.int64(int(word).bit_count()),
}
"""`privlab.kernels.lanes` in plain Python."""


def edition(old: str, new: str) -> ModuleType:
    """The kernel as plain Python, with one text replaced."""
    assert SOURCE.count(old) == 1, f"{old!r} is there {SOURCE.count(old)} times"
    made = ModuleType("privlab.kernels.bounding")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", 1)
        exec(compile(SOURCE.replace(old, new), "bounding", "exec"), vars(made))  # noqa: S102
    vars(made).update(LANES_PLAIN)
    return made


def kept(
    keep: Callable[..., Any], table: Table, tags: list[int], bounds: tuple[int, int, int]
) -> Kept | int:
    """What a kernel keeps, or its status."""
    runs = [(unit, len(list(own))) for unit, own in groupby(table, key=lambda row: row[0])]
    rows, codes = np.zeros(len(table), np.int32), np.zeros(len(table), np.int32)
    fresh = np.zeros(len(table), np.bool_)
    with np.errstate(over="ignore"):  # plain Python warns of wrapping, which is what is meant
        count = int(
            keep(
                np.array([unit[0] for unit, _ in runs], np.uint64),
                np.array([unit[1] for unit, _ in runs], np.uint64),
                np.array([many for _, many in runs], np.int64),
                np.array([code for _, code in table], np.int64),
                0,
                np.array(tags, np.uint64),
                *bounds,
                np.array(KEY, np.uint64),
                rows,
                codes,
                fresh,
            )
        )
    if count < 0:
        return count
    return list(
        zip(rows[:count].tolist(), codes[:count].tolist(), fresh[:count].tolist(), strict=True)
    )


def plain(table: Table, tags: list[int], bounds: tuple[int, int, int]) -> Kept:
    """By the definition: first rows, groups in the order of (hash, tag, number), first rows again."""
    most, per_group, groups = bounds
    found: Kept = []
    for unit, own in groupby(enumerate(table), key=lambda row: row[1][0]):
        taken = [(place, code) for place, (_, code) in own if code >= 0][:most]

        def order(code: int, unit: Unit = unit) -> tuple[int, int, int]:
            message = b"".join(word.to_bytes(8, "little") for word in (*unit, tags[code]))
            return siphash(KEY, message), tags[code], code

        stay = sorted({code for _, code in taken}, key=order)[:groups]
        used = dict.fromkeys(stay, 0)
        for place, code in taken:
            if code in used and used[code] < per_group:
                found.append((place, code, used[code] == 0))
                used[code] += 1
    return found


def tables() -> list[tuple[Table, list[int], tuple[int, int, int]]]:
    """Few groups and many, tags that differ and that do not, units of both halves."""
    draw = np.random.default_rng(11)
    word = 1 << 63
    made: list[tuple[Table, list[int], tuple[int, int, int]]] = []
    for cells, size, alike, bounds in [
        (6, 9, False, (9, 9, 2)), (6, 9, False, (5, 2, 3)), (6, 14, True, (14, 1, 2)),
        (300, 40, False, (40, 40, 7)), (90, 90, False, (90, 90, 30)), (90, 120, True, (99, 2, 12)),
        (8, 8, True, (8, 8, 3)), (2, 20, False, (20, 3, 2)),
    ]:  # fmt: skip
        tags = draw.integers(0, 2 if alike else word, cells).tolist()
        units = [(hi, lo) for hi in (1, 2, 1 << 63) for lo in (3, 4)]
        codes = [draw.integers(-1, cells, size).tolist() for _ in units]
        made.append(
            ([(u, code) for u, own in zip(units, codes, strict=True) for code in own], tags, bounds)
        )
    shared = [((0, unit), code) for unit in range(40) for code in range(40)]
    return [*made, (shared, draw.integers(0, word, 40).tolist(), (40, 1, 20))]


def settled(module: ModuleType) -> bool:
    """Groups of equal hashes: by tag, then by number.  None of these is found by trying."""
    hashes = np.array([9, 5, 5, 5, 1, 5], np.uint64)
    tags = np.array([1, 8, 7, 7, 9, 9], np.uint64)
    codes = np.array([0, 1, 5, 3, 2, 4], np.int32)
    ordered = sorted(range(6), key=lambda at: (hashes[at], tags[at], codes[at]))
    for groups in range(1, 6):
        stays = np.zeros(6, np.int32)
        module._settle(groups, hashes, tags, codes, stays)
        if set(np.flatnonzero(stays)) != set(ordered[:groups]):
            return False
    return True


def objection(module: ModuleType) -> str | None:
    """The first check that fails on this edition, or None."""
    twice: Table = [((1, 1), 0), ((1, 2), 0), ((1, 1), 0)]
    same: Table = [((1, 1), 0)]
    if kept(module.keep, twice, [5], (1, 1, 1)) != bounding.BAD_ORDER:
        return "a unit after a larger one"
    ones, keys = np.ones(2, np.uint64), np.array(KEY, np.uint64)
    places = (np.zeros(2, np.int32), np.zeros(2, np.int32), np.zeros(2, np.bool_))
    size, codes = np.ones(2, np.int64), np.zeros(2, np.int64)
    if (
        module.keep(ones, ones, size, codes, 0, ones[:1], 1, 1, 1, keys, *places)
        != bounding.BAD_ORDER
    ):
        return "a unit in two places"
    if kept(module.keep, same, [5], (1, 1, 1)) != [(0, 0, True)]:
        return "one row"
    if not settled(module):
        return "equal hashes"
    for at, (table, tags, bounds) in enumerate(tables()):
        try:
            found = kept(module.keep, table, tags, bounds)
        except IndexError:
            return f"table {at}: out of an array"
        if found != plain(table, tags, bounds):
            return f"table {at}"
    return None


def test_nothing_is_found_in_the_kernel_as_it_is() -> None:
    """Compiled, and as the plain Python that mutants are made of."""
    assert objection(bounding) is None
    assert objection(edition("from typing import Any\n", "from typing import Any\n")) is None


@pytest.mark.parametrize(
    ("old", "new"), [one[1:] for one in MUTANTS], ids=[one[0] for one in MUTANTS]
)
def test_every_mutant_of_the_bounding_is_caught(old: str, new: str) -> None:
    """By at least one check."""
    assert objection(edition(old, new)) is not None


def test_a_mutant_whose_line_is_gone_is_not_counted() -> None:
    with pytest.raises(AssertionError, match="is there 0 times"):
        edition("no such line", "")
