"""What ``relations`` computes, in plain Python, for reading and for tests.

A row is a mapping from column to value, with its unit under `UNIT` where it has
one.  Slow on purpose; never used to answer a question.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from itertools import groupby
from typing import Any

from privlab.engine.reference import UNIT, steps
from privlab.engine.reference_expressions import Row, evaluate, to_float
from privlab.query.expr import Expr
from privlab.query.kinds import kind_of
from privlab.query.plan import Measure, MeasureKind
from privlab.query.relation_kinds import Kinds, kinds_of, meeting_kind
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

Rows = Sequence[Row]
Tables = Mapping[str, Rows]


def rows_of(relation: Relation, wanted: Kinds, tables: Tables) -> list[dict[str, Any]]:
    """The rows of ``relation`` with the columns ``wanted``.

    tables: rows of one unit together, units ascending; the result is so too.
    """
    match relation:
        case Scan(table=table):
            return [{name: row[name] for name in (UNIT, *wanted)} for row in tables[table]]
        case PublicRows(columns=columns, rows=rows):
            return [
                {
                    name: _as(value, kind)
                    for value, (name, kind) in zip(row, columns, strict=True)
                    if name in wanted
                }
                for row in rows
            ]
        case Project(of=of, where=where, columns=columns):
            made = {name: expr for name, expr in columns if name in wanted}
            rows_below = rows_of(of, kinds_of(where, *made.values()), tables)
            return [
                _unit(row)
                | {name: _as(evaluate(expr, row), wanted[name]) for name, expr in made.items()}
                for row in rows_below
                if _passes(where, row)
            ]
        case PerUnit():
            return list(_per_unit(relation, wanted, tables))
        case Join():
            return _join(relation, wanted, tables)
        case Union(parts=parts):
            found = [row for part in parts for row in rows_of(part, wanted, tables)]
            return sorted(found, key=lambda row: row[UNIT])
    raise TypeError("not a relation")


def _unit(row: Row) -> dict[str, Any]:
    return {UNIT: row[UNIT]} if UNIT in row else {}


def _passes(where: Expr | None, row: Row) -> bool:
    return where is None or evaluate(where, row) is True


def _as(value: Any, kind: Kind) -> Any:
    """A whole number that is read as a decimal is one; a constant beyond int64 is null."""
    if value is None or isinstance(value, bool):
        return value
    if kind is Kind.FLOAT:
        return to_float(value)
    if kind is Kind.INT:
        return value if -(1 << 63) <= value < 1 << 63 else None
    return value


def _told_apart(value: Any) -> Any:
    """A value as joins and groups tell it apart: minus zero is zero, a decimal is a float."""
    if isinstance(value, Fraction):
        value = to_float(value)
    return 0.0 if isinstance(value, float) and value == 0 else value


# --- one row per unit --------------------------------------------------------


def _per_unit(relation: PerUnit, wanted: Kinds, tables: Tables) -> Iterator[dict[str, Any]]:
    values = [(name, value) for name, value in relation.columns if name in wanted]
    keys = relation.keys
    reads = kinds_of(relation.where, *(e for _, e in keys), *(v.of for _, v in values))
    rows = [row for row in rows_of(relation.of, reads, tables) if _passes(relation.where, row)]
    for unit, its in groupby(rows, key=lambda row: row[UNIT]):
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in its:
            at = tuple(
                _told_apart(_as(evaluate(expr, row), kind_of(expr) or Kind.BOOL))
                for _, expr in keys
            )
            groups.setdefault(at, []).append(row)
        for at, members in groups.items():
            yield (
                {UNIT: unit}
                | {
                    name: _as(one, wanted[name])
                    for (name, _), one in zip(keys, at, strict=True)
                    if name in wanted
                }
                | {name: _value(value, members, wanted[name]) for name, value in values}
            )


def _value(value: UnitValue, rows: Rows, kind: Kind) -> Any:
    if value.of is None:
        return _as(len(rows), kind)
    of = kind_of(value.of) or Kind.BOOL
    known = [
        _told_apart(one)
        for one in (_as(evaluate(value.of, row), of) for row in rows)
        if one is not None
    ]
    match value.kind:
        case UnitKind.ROWS:
            return _as(len(known), kind)
        case UnitKind.DISTINCT:
            return _as(len(set(known)), kind)
    if not known:
        return None
    match value.kind:
        case UnitKind.MIN:
            return _as(min(known), kind)
        case UnitKind.MAX:
            return _as(max(known), kind)
    measure = Measure(MeasureKind.SUM, value.of, value.low, value.high, value.step)
    total = sum(steps(measure, one) for one in known)
    if value.kind is UnitKind.SUM and kind is Kind.INT:
        return total * value.step.numerator
    amount = to_float(total) * to_float(value.step.numerator) / to_float(value.step.denominator)
    return amount / len(known) if value.kind is UnitKind.MEAN else amount


# --- pairs -------------------------------------------------------------------


def _join(relation: Join, wanted: Kinds, tables: Tables) -> list[dict[str, Any]]:
    back = {new: old for old, new in relation.right_names}
    here = {name: kind for name, kind in wanted.items() if name not in back}
    there = {back[name]: kind for name, kind in wanted.items() if name in back}
    left = rows_of(relation.left, kinds_of(*(a for a, _ in relation.on), more=here), tables)
    right = rows_of(relation.right, kinds_of(*(b for _, b in relation.on), more=there), tables)
    if relation.most is not None:
        left, right = (
            _first(rows, n) for rows, n in zip((left, right), relation.most, strict=True)
        )
    kinds = [meeting_kind(kind_of(one), kind_of(two)) for one, two in relation.on]
    lefts, rights = list(zip(*relation.on, strict=True)) or ((), ())
    found: dict[Any, list[Row]] = {}
    for row in right:
        at = _meets(rights, kinds, row)
        if at is not None:
            found.setdefault((row[UNIT], at) if relation.unit else at, []).append(row)
    pairs: list[dict[str, Any]] = []
    for row in left:
        at = _meets(lefts, kinds, row)
        partners = [] if at is None else found.get((row[UNIT], at) if relation.unit else at, [])
        if not partners and relation.keep_left:
            partners = [dict.fromkeys(there)]
        pairs += [
            _unit(other)
            | _unit(row)
            | {name: row[name] for name in here}
            | {new: other[back[new]] for new in wanted if new in back}
            for other in partners
        ]
    return sorted(pairs, key=lambda row: row[UNIT]) if is_private(relation) else pairs


def _meets(exprs: Sequence[Expr], kinds: Sequence[Kind], row: Row) -> tuple[Any, ...] | None:
    """What a row meets others by; None when it meets none."""
    at = []
    for expr, kind in zip(exprs, kinds, strict=True):
        value = _as(evaluate(expr, row), kind)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return None
        if kind is Kind.DATETIME and not isinstance(value, datetime) and isinstance(value, date):
            value = datetime.combine(value, datetime.min.time())
        at.append(_told_apart(value))
    return tuple(at)


def _first(rows: Rows, most: int) -> list[Any]:
    return [
        row
        for _, its in groupby(rows, key=lambda row: row[UNIT])
        for place, row in enumerate(its)
        if place < most
    ]
