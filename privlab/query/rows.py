"""The rows that were typed, before tables are looked up: the form both surfaces parse into.

A base is a table, a join, a union, or rows aggregated per privacy unit.  SELECTs and
steps that only name and filter rows are no base of their own: their names stand for
expressions, their conditions are further conditions, so that a subquery, a CTE and a
chain of steps come to one form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from privlab.query.ask import Group, Item, Node, Span
from privlab.query.projection import Projection


@dataclass(frozen=True, slots=True)
class Named:
    """A table by its name, as typed: "visits", "clinic.visits", or a public frame's."""

    name: str
    span: Span


class How(StrEnum):
    """Which rows of a join there are."""

    INNER = "inner"
    LEFT = "left"  # and the rows of the left side that meet none
    SEMI = "semi"  # the rows of the left side that meet one
    ANTI = "anti"  # the rows of the left side that meet none, alone


@dataclass(frozen=True, slots=True)
class Joined:
    """Two sides whose rows meet.

    left_as, right_as: what may stand before the names of a side; "" for a side
    that is a join itself, whose own words stay in force, and in Polars.
    on: a condition over both sides.  pairs: expressions that are equal, each over
    the names of its own side.  merged: names that both sides have and that are one.
    suffix: what a name of the right side gets when the left has it too; None in SQL,
    where such a name stands for nothing without its table.
    """

    left: Rows
    right: Rows
    how: How
    span: Span
    left_as: str = ""
    right_as: str = ""
    on: Node | None = None
    pairs: tuple[tuple[Node, Node], ...] = ()
    merged: frozenset[str] = frozenset()
    suffix: str | None = None


@dataclass(frozen=True, slots=True)
class Grouped:
    """One row for each unit, or for each of its values of further keys."""

    of: Rows
    groups: tuple[Group, ...]
    items: tuple[Item, ...]
    having: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Stacked:
    """The rows of every part, one after the other.  by_name: else by position."""

    parts: tuple[Rows, ...]
    by_name: bool
    span: Span


EVERY_NAME = Projection()
"""The names of a base as they are."""

Base = Named | Joined | Grouped | Stacked


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a base that pass ``where``, under other names perhaps.

    Both are over the names of the base.
    """

    base: Base
    where: Node | None = None
    names: Projection = EVERY_NAME


def tables_of(base: Base) -> Iterator[Named]:
    """Every table that is named, from left to right."""
    match base:
        case Named():
            yield base
        case Joined(left=left, right=right):
            yield from tables_of(left.base)
            yield from tables_of(right.base)
        case Grouped(of=of):
            yield from tables_of(of.base)
        case Stacked(parts=parts):
            for part in parts:
                yield from tables_of(part.base)
