"""Whether a relation can be computed: its rows and sums are bounded by public facts.

Row caps of tables, public rows and the bounds of values say how many rows every step
can have, and how large every sum can get, whatever is in the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from privlab.query.expr import columns_read
from privlab.query.passes.bound_source import fan_out
from privlab.query.plan import Plan
from privlab.query.relation_kinds import kind_of_unit_value
from privlab.query.relations import (
    Join,
    PerUnit,
    Project,
    PublicRows,
    Relation,
    Scan,
    Union,
    UnitKind,
    UnitValue,
)
from privlab.terms.catalog import Kind

MAX_REACH = 1 << 62
"""What number of rows times the largest of them stays below, so that an exact sum fits int64."""

RESERVED = "privlab_"
"""How names of the engine's own columns begin."""

RowCaps = Mapping[str, int]
"""Per table, how many rows it has at most."""


MAX_ROWS = 1 << 26
"""How many rows any step of a relation may have at least: some gigabytes, held at once."""

TIMES = 16
"""How many times the rows of its largest table any step may have.

Who declares a large table runs a machine that holds it, not one that holds it a thousand times.
"""


def most_rows(relation: Relation, caps: RowCaps) -> int:
    """How many rows any step of ``relation`` has at most: what its memory follows from."""
    return max(rows_at_most(one, caps) for one in _nodes(relation))


def rows_allowed(caps: RowCaps) -> int:
    """How many rows a step may have, in a relation of tables with these caps."""
    return max(MAX_ROWS, TIMES * max(caps.values()))


def rows_at_most(relation: Relation, caps: RowCaps) -> int:
    """How many rows ``relation`` has at most, whatever its tables hold."""
    match relation:
        case Scan(table=table):
            return caps[table]
        case PublicRows(rows=rows):
            return len(rows)
        case Project(of=of) | PerUnit(of=of):
            return rows_at_most(of, caps)
        case Union(parts=parts):
            return sum(rows_at_most(part, caps) for part in parts)
    left, right = rows_at_most(relation.left, caps), rows_at_most(relation.right, caps)
    pairs = left * right
    if relation.most is not None:
        pairs = min(left * relation.most[1], right * relation.most[0])
    elif isinstance(relation.left, PublicRows) is not isinstance(relation.right, PublicRows):
        pairs = min(
            pairs, (right if isinstance(relation.left, PublicRows) else left) * fan_out(relation)
        )
    return pairs + (left if relation.keep_left else 0)


def check_plan(plan: Plan, caps: RowCaps) -> None:
    """Refuse a plan whose source would fail, whatever its tables hold.

    :raises ValueError: as `check_relation`; or it reads a column that its source has not.
    """
    check_relation(plan.source, caps)
    exprs = [plan.where, *(key.expr for key in plan.keys), *(one.of for one in plan.measures)]
    _check_names(plan.source, columns_read(*exprs))


def _check_names(relation: Relation, names: frozenset[str]) -> None:
    """Whether it has these columns, and what it is made of has those that it reads."""
    if isinstance(relation, Join):
        back = {new: old for old, new in relation.right_names}
        on = relation.on
        _check_names(relation.left, (names - set(back)) | columns_read(*(a for a, _ in on)))
        right = frozenset(back[name] for name in names if name in back)
        _check_names(relation.right, right | columns_read(*(b for _, b in on)))
    elif isinstance(relation, Union):
        for part in relation.parts:
            _check_names(part, names)
    elif not isinstance(relation, Scan):
        if not names <= set(_names(relation)):
            raise ValueError("a relation has not all the columns that are read of it")
        if isinstance(relation, Project):
            used = [expr for name, expr in relation.columns if name in names]
            _check_names(relation.of, columns_read(relation.where, *used))
        elif isinstance(relation, PerUnit):
            values = [value.of for name, value in relation.columns if name in names]
            keys = [expr for _, expr in relation.keys]
            _check_names(relation.of, columns_read(relation.where, *keys, *values))


def check_relation(relation: Relation, caps: RowCaps) -> None:
    """Refuse what does not fit int64, or would hide the engine's own columns.

    :raises ValueError: it does.
    """
    for one in _nodes(relation):
        if any(name.startswith(RESERVED) for name in _names(one)):
            raise ValueError(f"no column of a relation begins with {RESERVED}")
        if isinstance(one, PerUnit):
            rows = rows_at_most(one.of, caps)
            if any(rows * _largest(value) >= MAX_REACH for _, value in one.columns):
                raise ValueError("the bounds of a sum per unit do not keep it inside int64")


def _largest(value: UnitValue) -> int:
    """The largest absolute value that one row adds to a number of its unit."""
    if value.kind not in (UnitKind.SUM, UnitKind.MEAN):
        return 1
    end = max(abs(value.low), abs(value.high))
    steps = int(end / value.step)
    return max(steps, int(end)) if kind_of_unit_value(value) is Kind.INT else steps


def _names(relation: Relation) -> list[str]:
    match relation:
        case PublicRows(columns=columns) | Project(columns=columns):
            return [name for name, _ in columns]
        case PerUnit(keys=keys, columns=values):
            return [name for name, _ in keys] + [name for name, _ in values]
        case Join(right_names=names):
            return [name for _, name in names]
    return []


def _nodes(relation: Relation) -> Iterator[Relation]:
    yield relation
    match relation:
        case Project(of=of) | PerUnit(of=of):
            yield from _nodes(of)
        case Join(left=left, right=right):
            yield from _nodes(left)
            yield from _nodes(right)
        case Union(parts=parts):
            for part in parts:
                yield from _nodes(part)
