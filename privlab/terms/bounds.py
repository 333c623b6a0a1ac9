"""How much one privacy unit may contribute, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContributionBound:
    """At most this many rows of one privacy unit enter one answer.

    rows: rows of one unit in total (at least 1).
    rows_per_group: rows of one unit in one group of a grouped question.
    groups: groups of a grouped question that one unit may touch.
    Rows beyond a bound are left out by a secret keyed order, never by file order.
    """

    rows: int
    rows_per_group: int
    groups: int

    def __post_init__(self) -> None:
        if not 1 <= self.rows_per_group <= self.rows:
            raise ValueError(f"rows per group must be in 1..{self.rows}, got {self.rows_per_group}")
        if not 1 <= self.groups <= self.rows:
            raise ValueError(f"groups must be in 1..{self.rows}, got {self.groups}")

    def for_cells(self, cells: int) -> ContributionBound:
        """The bound of a question with ``cells`` groups; one cell means ungrouped."""
        if cells == 1:
            return ContributionBound(self.rows, self.rows, 1)
        return ContributionBound(self.rows, self.rows_per_group, min(self.groups, cells))

    @property
    def most_rows(self) -> int:
        """The largest sum of row counts over all groups that one unit can cause."""
        return min(self.rows, self.groups * self.rows_per_group)

    @property
    def squared_rows(self) -> int:
        """The largest sum of squared row counts per group that one unit can cause.

        With T rows in all, at most B in a group and at most G groups, the sum of
        squares is convex, so its maximum fills groups one after the other.
        """
        full = min(self.groups, self.rows // self.rows_per_group)
        rest = self.rows - full * self.rows_per_group if full < self.groups else 0
        return full * self.rows_per_group**2 + rest**2
