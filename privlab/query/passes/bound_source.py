"""How many rows of one privacy unit a relation has, and how many rows in all.

Both follow from contracts and public rows alone.  What is stated of a table is
enforced there, not promised: of a unit with more rows, some are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from privlab.query.expr import Expr, Ref, columns_read
from privlab.query.passes.public_table import values_of
from privlab.query.relations import (
    Join,
    PerUnit,
    Project,
    PublicRows,
    Relation,
    Scan,
    Union,
    is_private,
    scans,
)
from privlab.query.said import Said
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Column, Table

ONE = ContributionBound(1, 1, 1)

MAX_FAN_OUT = 1_000
"""With how many public rows one private row may meet."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """bound: of one unit.  row_cap: of all of them."""

    bound: ContributionBound
    row_cap: int


@dataclass
class Facts:
    """What bounds follow from.

    tables: the private ones, by name.  cells: of the keys of rows per unit, how many
    public values they have together, for the tables that are grouped by them; None where
    they are not known of some of these rows.  measured: columns whose measured bounds
    decide what the rows of a unit come to.  said: what their asker calls such columns.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    cells: dict[tuple[tuple[Scan, ...], tuple[Expr, ...]], int | None] = field(default_factory=dict)
    measured: dict[Column, None] = field(default_factory=dict)
    said: Said = field(default_factory=Said)

    def counted(self, of: Relation, keys: tuple[Expr, ...], cells: int | None) -> None:
        """Remember the cells of keys; of several counts the largest, and None if one is not known."""
        at = (scans(of), keys)
        before = self.cells.get(at, 0)
        self.cells[at] = None if cells is None or before is None else max(cells, before)


def bound_source(
    relation: Relation, facts: Facts, keys: frozenset[str], whole: frozenset[str] | None = None
) -> Bounds:
    """Bounds of a private relation whose rows are grouped by what is made of ``keys``.

    whole: those of them that are keys as they are, so that other values are other groups;
    None: all.

    What                      Rows of one unit
    ----                      ----------------
    a table                   as its contract says
    with public rows          as before; those beyond are left out
    with rows of the unit     the product of both sides
    per unit                  one; with keys at most one for each of their values
    UNION ALL                 the sum of the parts
    """
    whole = keys if whole is None else whole
    match relation:
        case Scan(table=name):
            table = facts.tables[name]
            return Bounds(table.bound, table.row_cap)
        case Project(of=of, columns=columns):
            made = [expr for name, expr in columns if name in keys]
            as_is = bare(expr for name, expr in columns if name in whole)
            return bound_source(of, facts, columns_read(*made), as_is)
        case PerUnit():
            return _per_unit(relation, facts, keys, whole)
        case Join():
            return _join(relation, facts, keys, whole)
        case Union(parts=parts):
            found = [bound_source(part, facts, keys, whole) for part in parts]
            bounds = [one.bound for one in found]
            rows = sum(one.rows for one in bounds)
            bound = ContributionBound(
                rows,
                sum(one.rows_per_group for one in bounds),
                min(rows, sum(one.groups for one in bounds)),
            )
            return Bounds(bound, sum(one.row_cap for one in found))
        case PublicRows():
            raise TypeError("public rows are of no unit")


def bare(exprs: Iterable[Expr]) -> frozenset[str]:
    """The columns that are one of ``exprs`` as they are."""
    return frozenset(expr.column for expr in exprs if isinstance(expr, Ref))


def _per_unit(
    relation: PerUnit, facts: Facts, keys: frozenset[str], whole: frozenset[str]
) -> Bounds:
    names = [name for name, _ in relation.keys]
    exprs = tuple(expr for _, expr in relation.keys)
    inner = bound_source(relation.of, facts, columns_read(*exprs), bare(exprs))
    if not names:
        return Bounds(ONE, inner.row_cap)
    cells = facts.cells.get((scans(relation.of), exprs))
    rows = inner.bound.rows if cells is None else min(inner.bound.rows, cells)
    if whole >= set(names):  # grouped by those keys, each of these rows is in another group
        return Bounds(ContributionBound(rows, 1, min(rows, inner.bound.groups)), inner.row_cap)
    groups = min(rows, inner.bound.groups) if keys == set(names) else rows
    return Bounds(ContributionBound(rows, rows, groups), inner.row_cap)


def _join(relation: Join, facts: Facts, keys: frozenset[str], whole: frozenset[str]) -> Bounds:
    back = {new: old for old, new in relation.right_names}
    of_left, of_right = _sides(keys, back)
    whole_left, whole_right = _sides(whole, back)
    if not relation.unit:
        private_left = is_private(relation.left)
        inner = (
            bound_source(relation.left, facts, of_left, whole_left)
            if private_left
            else bound_source(relation.right, facts, of_right, whole_right)
        )
        return Bounds(inner.bound, inner.row_cap * fan_out(relation))
    left = bound_source(relation.left, facts, of_left, whole_left)
    right = bound_source(relation.right, facts, of_right, whole_right)
    one, two = left.bound, right.bound
    if two.rows == 1 or _met_once(relation):
        return Bounds(one, left.row_cap)
    more = left.row_cap if relation.keep_left else 0
    row_cap = min(left.row_cap * two.rows, one.rows * right.row_cap + more)
    if one.rows == 1:
        return Bounds(two, row_cap)
    rows = one.rows * two.rows
    theirs = two.groups + relation.keep_left  # rows that meet none are a group too
    if of_left and of_right:
        each, groups = one.rows_per_group * two.rows_per_group, one.groups * theirs
    elif of_right:
        each, groups = one.rows * two.rows_per_group, theirs
    else:
        each, groups = one.rows_per_group * two.rows, one.groups
    return Bounds(ContributionBound(rows, min(rows, each), min(rows, groups)), row_cap)


def _sides(names: frozenset[str], back: Mapping[str, str]) -> tuple[frozenset[str], frozenset[str]]:
    """Names of a join's columns as those of its left side, and of its right one."""
    return names - set(back), frozenset(back[one] for one in names if one in back)


def _met_once(relation: Join) -> bool:
    """Whether a row of the left side meets one row at most: it names all keys of the other."""
    right = relation.right
    named = {two.column for _, two in relation.on if isinstance(two, Ref)}
    while isinstance(right, Project):
        made = dict(right.columns)
        inner = [made[name] for name in named if name in made]
        named = {expr.column for expr in inner if isinstance(expr, Ref)}
        right = right.of
    return isinstance(right, PerUnit) and named >= {name for name, _ in right.keys}


def fan_out(relation: Join) -> int:
    """With how many public rows one private row can meet; at least one."""
    public_right = isinstance(relation.right, PublicRows)
    rows = relation.right if public_right else relation.left
    if not isinstance(rows, PublicRows):
        raise TypeError("neither side is public")
    exprs = tuple(pair[1 if public_right else 0] for pair in relation.on)
    return _most_equal(rows, exprs)


def _most_equal(rows: PublicRows, exprs: tuple[Expr, ...]) -> int:
    """How many rows have the same values, none of them null; at least one.

    It is asked at every step of a relation, of large frames.
    """
    known = rows.worked_out.most_equal
    if exprs not in known:
        counts = Counter(row for row in values_of(rows, exprs) if None not in row)
        known[exprs] = max(counts.values(), default=1)
    return known[exprs]


def widest(relation: Relation) -> int:
    """The largest fan-out of any join inside."""
    match relation:
        case Project(of=of) | PerUnit(of=of):
            return widest(of)
        case Join(left=left, right=right):
            own = 1 if relation.unit else fan_out(relation)
            return max(own, widest(left), widest(right))
        case Union(parts=parts):
            return max(map(widest, parts))
    return 1
