"""The rows of a relation, of one range of whole units, as Polars computes them.

One function per relation.  A private frame has the two halves of the pseudonym and
the columns that are wanted, rows of one unit together, units in ascending order; a
public one has its place in the order instead.  Nothing of one unit's rows enters
another's: joins and groups are by the unit, and order is kept or made explicit.
Sums are of whole numbers, so no order of rows decides a bit of them.
``docs/proofs/bounding.md`` rests on this; the twin is ``reference_relations.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.scan import DTYPES
from privlab.engine.expressions import Typed, divided, fitted, nearest, translate
from privlab.engine.steps import coded
from privlab.query.expr import Expr
from privlab.query.kinds import kind_of
from privlab.query.plan import Measure, MeasureKind, Plan
from privlab.query.relation_kinds import Kinds, kind_of_unit_value, kinds_of, meeting_kind
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
    is_private,
)
from privlab.terms.catalog import Kind

Tables = Mapping[str, pl.LazyFrame]
"""Private tables by name: pseudonym and columns, rows of one unit together, units ascending."""

AT = "privlab_at"
"""A row's place in its side's order."""

LEFT_AT, RIGHT_AT = "privlab_left_at", "privlab_right_at"


def source_rows(plan: Plan, tables: Tables) -> pl.LazyFrame:
    """The rows a plan stands on: pseudonym, and every column that it reads."""
    exprs = [plan.where, *(key.expr for key in plan.keys), *(one.of for one in plan.measures)]
    return rows_of(plan.source, kinds_of(*exprs), tables)


def rows_of(relation: Relation, wanted: Kinds, tables: Tables) -> pl.LazyFrame:
    """The rows of ``relation`` with the columns ``wanted``, in its order.

    :raises TypeError: the relation is not well typed.
    """
    match relation:
        case Scan(table=table):
            return tables[table].select(*UNIT_COLUMNS, *wanted)
        case PublicRows():
            return _public(relation, wanted)
        case Project():
            return _project(relation, wanted, tables)
        case PerUnit():
            return _per_unit(relation, wanted, tables)
        case Join():
            return _join(relation, wanted, tables)
        case Union():
            return _union(relation, wanted, tables)


def _carried(relation: Relation) -> tuple[str, ...]:
    """The columns that say where a row belongs."""
    return UNIT_COLUMNS if is_private(relation) else (AT,)


def _public(relation: PublicRows, wanted: Kinds) -> pl.LazyFrame:
    made = [pl.Series(AT, range(len(relation.rows)), dtype=pl.UInt32)]
    for place, (name, kind) in enumerate(relation.columns):
        if name in wanted:
            values = [fitted(row[place], kind) for row in relation.rows]
            made.append(pl.Series(name, values, dtype=DTYPES[kind]))
    return pl.DataFrame(made).lazy()


def _project(relation: Project, wanted: Kinds, tables: Tables) -> pl.LazyFrame:
    of, columns = relation.of, [one for one in relation.columns if one[0] in wanted]
    frame = rows_of(of, kinds_of(relation.where, *(expr for _, expr in columns)), tables)
    return _passing(frame, relation.where).select(
        *_carried(of), *(_as(translate(expr), wanted[name]).alias(name) for name, expr in columns)
    )


def _passing(frame: pl.LazyFrame, where: Expr | None) -> pl.LazyFrame:
    return frame if where is None else frame.filter(translate(where).expr.cast(pl.Boolean))


def _as(value: Typed, kind: Kind) -> pl.Expr:
    """The value as one of ``kind``, which is its own, or a decimal of a whole number."""
    if value.kind not in (kind, None) and (value.kind, kind) != (Kind.INT, Kind.FLOAT):
        raise TypeError(f"a column of {value.kind} is read as one of {kind}")
    return value.as_kind(kind)


# --- one row per unit --------------------------------------------------------


def _per_unit(relation: PerUnit, wanted: Kinds, tables: Tables) -> pl.LazyFrame:
    values = [one for one in relation.columns if one[0] in wanted]
    reads = kinds_of(
        relation.where, *(expr for _, expr in relation.keys), *(value.of for _, value in values)
    )
    rows = _passing(rows_of(relation.of, reads, tables), relation.where)
    keys = {name: f"privlab_key{n}" for n, (name, _) in enumerate(relation.keys)}
    held = {name: f"privlab_value{n}" for n, (name, _) in enumerate(values)}
    rows = rows.select(
        *UNIT_COLUMNS,
        *(_told_apart(translate(expr)).alias(keys[name]) for name, expr in relation.keys),
        *(_taken(value).alias(held[name]) for name, value in values),
    )
    groups = rows.group_by([*UNIT_COLUMNS, *keys.values()], maintain_order=True)
    found = groups.agg(part for name, value in values for part in _gathered(value, held[name]))
    kinds = {name: kind_of(expr) for name, expr in relation.keys}
    return found.select(
        *UNIT_COLUMNS,
        *(
            _as(Typed(pl.col(place), kinds[name]), wanted[name]).alias(name)
            for name, place in keys.items()
            if name in wanted
        ),
        *(_value(value, held[name], wanted[name]).alias(name) for name, value in values),
    )


def _told_apart(value: Typed) -> pl.Expr:
    """A value as joins and groups tell it apart: minus zero is zero."""
    if value.kind is None:
        return pl.lit(None, pl.Boolean)
    if value.kind is Kind.FLOAT:
        return pl.when(value.expr == 0).then(0.0).otherwise(value.expr)
    return value.expr


def _taken(value: UnitValue) -> pl.Expr:
    """What is taken of each row: whole steps of a sum, else the value itself."""
    if value.of is None:
        return pl.lit(True, pl.Boolean)  # noqa: FBT003
    of = translate(value.of)
    if value.kind in (UnitKind.SUM, UnitKind.MEAN):
        return coded(step_measure(value), of)
    return _told_apart(of)


def step_measure(value: UnitValue) -> Measure:
    """The measure that codes rows as a per-unit sum does."""
    return Measure(MeasureKind.SUM, value.of, value.low, value.high, value.step)


def _gathered(value: UnitValue, name: str) -> list[pl.Expr]:
    """What is needed of all rows of a group: how many have a value, and a total or an end."""
    taken = pl.col(name)
    count = taken.is_not_null().sum().cast(pl.Int64).alias(f"{name}_count")
    match value.kind:
        case UnitKind.ROWS:
            return [count]
        case UnitKind.DISTINCT:
            several = taken.n_unique().cast(pl.Int64) - (taken.null_count() > 0).cast(pl.Int64)
            return [several.alias(f"{name}_count")]
        case UnitKind.MIN:
            return [taken.min()]
        case UnitKind.MAX:
            return [taken.max()]
    return [count, taken.sum()]


def _value(value: UnitValue, name: str, kind: Kind) -> pl.Expr:
    """The number that a group comes to."""
    count = pl.col(f"{name}_count")
    match value.kind:
        case UnitKind.ROWS | UnitKind.DISTINCT:
            return _as(Typed(count, Kind.INT), kind)
        case UnitKind.MIN | UnitKind.MAX:
            return _as(Typed(pl.col(name), kind_of_unit_value(value)), kind)
    total = pl.when(count > 0).then(pl.col(name))
    up, down = value.step.numerator, value.step.denominator
    if value.kind is UnitKind.SUM and kind is Kind.INT:
        if down != 1:
            raise TypeError("a sum of parts is no whole number")
        return total * up
    amount = total.cast(pl.Float64) * nearest(up)
    if down != 1:
        amount = divided(amount, pl.lit(nearest(down)))
    return divided(amount, count.cast(pl.Float64)) if value.kind is UnitKind.MEAN else amount


# --- pairs -------------------------------------------------------------------


def _join(relation: Join, wanted: Kinds, tables: Tables) -> pl.LazyFrame:
    back = {new: old for old, new in relation.right_names}
    here = {name: f"privlab_left{n}" for n, name in enumerate(wanted) if name not in back}
    there = {name: f"privlab_right{n}" for n, name in enumerate(wanted) if name in back}
    pairs = [_meeting(translate(one), translate(two)) for one, two in relation.on]
    on = [f"privlab_on{n}" for n in range(len(pairs))]
    most = relation.most or (None, None)
    left = _side(
        rows_of(
            relation.left,
            kinds_of(*(one for one, _ in relation.on), more={n: wanted[n] for n in here}),
            tables,
        ),
        relation.left,
        [one.alias(name) for name, (one, _) in zip(on, pairs, strict=True)],
        here,
        LEFT_AT,
        most[0],
    )
    right = _side(
        rows_of(
            relation.right,
            kinds_of(*(two for _, two in relation.on), more={back[n]: wanted[n] for n in there}),
            tables,
        ),
        relation.right,
        [two.alias(name) for name, (_, two) in zip(on, pairs, strict=True)],
        {back[name]: place for name, place in there.items()},
        RIGHT_AT,
        most[1],
    )
    found = left.join(
        right,
        on=[*UNIT_COLUMNS, *on] if relation.unit else on,
        how="left" if relation.keep_left else "inner",
        nulls_equal=False,
        maintain_order="left_right",
    )
    if not is_private(relation.left) and is_private(relation.right):
        found = found.sort([*UNIT_COLUMNS, LEFT_AT, RIGHT_AT])
    if not is_private(relation):
        found = found.with_row_index(AT)
    return found.select(
        *_carried(relation), *(pl.col(old).alias(new) for new, old in {**here, **there}.items())
    )


def _side(
    frame: pl.LazyFrame,
    relation: Relation,
    on: Sequence[pl.Expr],
    names: Mapping[str, str],
    at: str,
    most: int | None,
) -> pl.LazyFrame:
    """One side: its place, what it meets by, and its columns, under names of its own."""
    units: Sequence[str] = UNIT_COLUMNS if is_private(relation) else ()
    if units:
        frame = frame.with_row_index(at)
        if most is not None:
            frame = _first_rows(frame, at, most)
    else:
        frame = frame.rename({AT: at})
    return frame.select(*units, at, *on, *(pl.col(old).alias(new) for old, new in names.items()))


def _first_rows(frame: pl.LazyFrame, at: str, most: int) -> pl.LazyFrame:
    """Of each unit at most so many rows, the first ones; rows of one unit are together."""
    new = [pl.col(half).ne_missing(pl.col(half).shift()) for half in UNIT_COLUMNS]
    first = pl.when(pl.any_horizontal(new)).then(pl.col(at)).forward_fill()
    frame = frame.with_columns(first.alias("privlab_first"))
    return frame.filter(pl.col(at) - pl.col("privlab_first") < most)


def _meeting(one: Typed, two: Typed) -> tuple[pl.Expr, pl.Expr]:
    """Two values in the kind in which they are compared."""
    kind = meeting_kind(one.kind, two.kind)
    return _compared(one, kind), _compared(two, kind)


def _compared(value: Typed, kind: Kind) -> pl.Expr:
    if value.kind is Kind.DATE and kind is Kind.DATETIME:
        return value.expr.cast(DTYPES[kind])
    return _told_apart(Typed(value.as_kind(kind), kind))


# --- one after the other -----------------------------------------------------


def _union(relation: Union, wanted: Kinds, tables: Tables) -> pl.LazyFrame:
    columns = (*UNIT_COLUMNS, *wanted)
    parts = [rows_of(part, wanted, tables).select(columns) for part in relation.parts]
    return pl.concat(parts).sort(UNIT_COLUMNS, maintain_order=True)
