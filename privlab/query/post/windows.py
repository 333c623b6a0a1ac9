"""Windows over the rows of an answer: partitions, and the order inside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from privlab.query.post.functions import Value
from privlab.query.post.tree import Order, Out, Over, WindowOut

Column = Mapping[int, Value]
"""The value of an output for each cell that is seen."""


@dataclass(frozen=True, slots=True)
class Frames:
    """For each cell: its partition in order, and its place there, from 0.

    ends: how many rows of the partition its window sees: of a running one those
    up to this row and its equals.
    """

    whole: dict[int, tuple[int, ...]]
    ends: dict[int, int]
    place: dict[int, int]
    peers: dict[int, int]  # how many distinct rows come before it in order
    first: dict[int, int]  # how many rows come strictly before it in order

    def seen(self, cell: int) -> tuple[int, ...]:
        """The cells that the window of ``cell`` sees."""
        return self.whole[cell][: self.ends[cell]]


def sorted_by(
    cells: Sequence[int], order: Sequence[Order], column: Callable[[Out], Column]
) -> list[int]:
    """Stable; the first sort weighs most; what is unknown comes last either way."""
    found = list(cells)
    for one in reversed(order):
        values = column(one.by)

        def rank(cell: int, values: Column = values) -> Any:
            """Comparable within one column."""
            return values[cell]

        known = [cell for cell in found if values[cell] is not None]
        known.sort(key=rank, reverse=one.descending)
        found = known + [cell for cell in found if values[cell] is None]
    return found


def frames(
    out: WindowOut,
    cells: Sequence[int],
    partition: Callable[[int], tuple[int, ...]],
    column: Callable[[Out], Column],
) -> Frames:
    """The frames of a window.  cells: of the rows it sees, in their public order."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for cell in cells:
        groups.setdefault(partition(cell), []).append(cell)
    result = Frames({}, {}, {}, {}, {})
    orders = [column(one.by) for one in out.order]
    for group in groups.values():
        listed = sorted_by(group, out.order, column)
        whole = tuple(listed)
        keys = [tuple(values[cell] for values in orders) for cell in listed]
        distinct = -1
        for at, cell in enumerate(listed):
            starts = at == 0 or keys[at] != keys[at - 1]
            distinct += starts
            result.first[cell] = at if starts else result.first[listed[at - 1]]
            result.place[cell] = at
            result.peers[cell] = distinct
            result.whole[cell] = whole
        ends = len(listed)
        for at in range(len(listed) - 1, -1, -1):
            if at + 1 < len(listed) and keys[at] != keys[at + 1]:
                ends = at + 1
            result.ends[listed[at]] = ends if out.running else len(listed)
    return result


def ranked(out: WindowOut, found: Frames, cell: int) -> int:
    """A rank, from 1."""
    match out.kind:
        case Over.RANK:
            return found.first[cell] + 1
        case Over.DENSE_RANK:
            return found.peers[cell] + 1
        case _:
            return found.place[cell] + 1


def shifted(out: WindowOut, found: Frames, cell: int) -> int | None:
    """The cell that is `offset` rows before; None beyond an end."""
    at = found.place[cell] - out.offset
    whole = found.whole[cell]
    return whole[at] if 0 <= at < len(whole) else None
