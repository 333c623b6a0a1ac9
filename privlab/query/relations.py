"""What stands behind FROM: a table, or rows made of tables unit by unit.

A relation is a tree whose leaves are tables.  Its rows each belong to one privacy
unit, or, where every leaf is public, to none.  What makes every relation safe to
measure is one property: **the rows of a unit are a function of that unit's own
rows and of public ones**.  So a plan over a relation is bounded as a plan over a
table is.  That is why private rows meet private rows of their own unit alone.

Rows of one unit stand together, in an order that only they and public rows decide:
the secret order of the table, that of the left side before that of the right one,
the first rows of a group before later ones.  Names are exact and distinct within
one relation.  Expressions are over the names of the relation they stand on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from privlab.query.expr import Expr, columns_read
from privlab.terms.catalog import Kind, Scalar


@dataclass(frozen=True, slots=True)
class Scan:
    """The rows of one table version."""

    table: str
    version: int


@dataclass(slots=True)
class WorkedOut:
    """What was worked out of public rows, so that it is worked out once.

    digest: their SHA-256, in hex.  most_equal: how many rows have the same values, by expressions.
    """

    digest: str | None = None
    most_equal: dict[tuple[Expr, ...], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublicRows:
    """A table the analyst brought, in the order she has it; it is part of what is asked.

    columns: name and kind, at least one; values of a kind, or None for null.
    worked_out: follows from the others, and goes when the rows do.
    """

    columns: tuple[tuple[str, Kind], ...]
    rows: tuple[tuple[Scalar | None, ...], ...]
    worked_out: WorkedOut = field(default_factory=WorkedOut, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Project:
    """The rows that pass ``where``, with these columns and no others."""

    of: Relation
    where: Expr | None
    columns: tuple[tuple[str, Expr], ...]


class UnitKind(StrEnum):
    """What the rows of one unit come to."""

    ROWS = "rows"  # how many there are, or how many where `of` is not null
    DISTINCT = "distinct"  # how many values of `of` there are
    SUM = "sum"  # null when no row has a value, as those below
    MEAN = "mean"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class UnitValue:
    """One number of a unit's rows.

    For SUM and MEAN a row adds ``floor(clamp(of, low, high) / step + 0.5)``, a whole
    number, so that the order of rows decides nothing; the sum is ``step`` times
    theirs, and the mean a decimal.  Multiples of ``step``; for the others they are 0.
    """

    kind: UnitKind
    of: Expr | None = None
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)
    step: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class PerUnit:
    """One row for each unit that has a row which passes, or for each of its values of the keys.

    Keys that are null are one group, as in SQL.
    """

    of: Relation
    where: Expr | None
    keys: tuple[tuple[str, Expr], ...]
    columns: tuple[tuple[str, UnitValue], ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Pairs of rows in which every expression of ``on`` is equal; null equals nothing.

    unit: the rows must be of the same unit as well.  It is True exactly where both
    sides are private.  most: of each side, at most so many rows of one unit take
    part, the first ones; None where one side is public.
    keep_left: a row of the left side that meets none stays, with nulls.
    right_names: pairs of a column of the right side and its name in the result; what is
    not in them is left away.  Columns of the left side keep their names.
    """

    left: Relation
    right: Relation
    on: tuple[tuple[Expr, Expr], ...]
    unit: bool
    keep_left: bool
    right_names: tuple[tuple[str, str], ...]
    most: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Union:
    """The rows of every part, one part after the other; all have the same columns."""

    parts: tuple[Relation, ...]


Relation = Scan | PublicRows | Project | PerUnit | Join | Union


def scans(relation: Relation) -> tuple[Scan, ...]:
    """Every private table version that is read, from left to right, each once."""
    match relation:
        case Scan():
            return (relation,)
        case PublicRows():
            return ()
        case Project(of=of) | PerUnit(of=of):
            return scans(of)
        case Join(left=left, right=right):
            return tuple(dict.fromkeys((*scans(left), *scans(right))))
        case Union(parts=parts):
            return tuple(dict.fromkeys(scan for part in parts for scan in scans(part)))


def unbounded_values(relation: Relation) -> frozenset[str]:
    """Columns that count or add up rows of one unit, of which she may have ever more."""
    match relation:
        case PerUnit(of=of, keys=keys, columns=columns):
            counts = (UnitKind.ROWS, UnitKind.DISTINCT, UnitKind.SUM)
            before = unbounded_values(of)
            found = [name for name, value in columns if value.kind in counts]
            found += [name for name, expr in keys if columns_read(expr) & before]
            return frozenset(found)
        case Project(of=of, columns=made):
            before = unbounded_values(of)
            return frozenset(name for name, expr in made if columns_read(expr) & before)
        case Join(left=left, right=right, right_names=names):
            theirs = unbounded_values(right)
            named = {name for column, name in names if column in theirs}
            return unbounded_values(left) | named
        case Union(parts=parts):
            return frozenset[str]().union(*map(unbounded_values, parts))
        case _:
            return frozenset()


def is_private(relation: Relation) -> bool:
    """Whether its rows belong to privacy units."""
    return bool(scans(relation))


def reads(relation: Relation, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Per private table, the columns of it that ``names`` and the relation itself need."""
    wanted = frozenset(names)
    match relation:
        case Scan(table=table):
            return {table: wanted}
        case PublicRows():
            return {}
        case Project(of=of, where=where, columns=columns):
            used = [expr for name, expr in columns if name in wanted]
            return reads(of, columns_read(where, *used))
        case PerUnit(of=of, where=where, keys=keys, columns=columns):
            used = [expr for _, expr in keys]
            values = [value.of for name, value in columns if name in wanted]
            return reads(of, columns_read(where, *used, *values))
        case Join(left=left, right=right, on=on):
            back = {new: old for old, new in relation.right_names}
            of_left = (wanted - set(back)) | columns_read(*(pair[0] for pair in on))
            of_right = {back[name] for name in wanted if name in back}
            return _both(
                reads(left, of_left),
                reads(right, of_right | columns_read(*(pair[1] for pair in on))),
            )
        case Union(parts=parts):
            found: dict[str, frozenset[str]] = {}
            for part in parts:
                found = _both(found, reads(part, wanted))
            return found


def _both(
    one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    nothing: frozenset[str] = frozenset()
    return {table: one.get(table, nothing) | other.get(table, nothing) for table in (*one, *other)}
