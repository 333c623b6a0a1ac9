"""Refuse a relation that could have more rows than can be counted, before anything is priced."""

from __future__ import annotations

from privlab.query.ask import Ask
from privlab.query.passes.bound_source import MAX_FAN_OUT, fan_out, widest
from privlab.query.passes.resolve_source import Resolved
from privlab.query.relation_size import check_relation, most_rows, rows_allowed
from privlab.query.relations import Join, PerUnit, Project, Relation, Scan, Union, is_private

MAX_UNIT_ROWS = 10_000
"""Most rows of one unit that a join may come to, so that memory is bounded by public facts."""


def limit_relation(relation: Relation, resolved: Resolved, ask: Ask) -> None:
    """What contracts and public rows let it come to fits, whatever the tables hold.

    :raises BadQuery: PL113, a row meets more than 1,000 public ones, a unit has more
        than 10,000 rows in a join, or a step more rows than are allowed; PL106, a sum of a unit's rows might not fit 64 bits.
    """
    if isinstance(relation, Scan):
        return
    if (most := widest(relation)) > MAX_FAN_OUT:
        raise ask.source.refuse(
            "PL113",
            f"one row would meet up to {most:,} public rows, and at most {MAX_FAN_OUT:,} may",
            ask.base.span,
            "keep one public row for each value of its key, or join on more columns",
        )
    caps = {name: table.row_cap for name, table in resolved.facts.tables.items()}
    rows = max((_rows(join, resolved) for join in _joins(relation)), default=1)
    if rows > MAX_UNIT_ROWS:
        raise ask.source.refuse(
            "PL113",
            f"one {resolved.table.unit_word} could have up to {rows:,} rows here, and at most "
            f"{MAX_UNIT_ROWS:,} may be joined",
            ask.base.span,
            "make one row per unit of some tables first, with GROUP BY of the unit",
        )
    if (total := most_rows(relation, caps)) > (allowed := rows_allowed(caps)):
        raise ask.source.refuse(
            "PL113",
            f"up to {total:,} rows would meet here, and at most {allowed:,} may",
            ask.base.span,
            "make one row per unit of some tables first, and keep one public row for each "
            "value of its key",
        )
    try:
        check_relation(relation, caps)
    except ValueError as trouble:
        raise ask.source.refuse(
            "PL106",
            f"what these tables come to cannot be computed exactly: {trouble}",
            ask.base.span,
            "join fewer tables, make one row per unit of some, or clip what is summed",
        ) from None


def _rows(relation: Relation, resolved: Resolved) -> int:
    """Rows of one unit, before those beyond its bound are left out."""
    match relation:
        case Scan(table=name):
            return resolved.facts.tables[name].bound.rows
        case Project(of=of):
            return _rows(of, resolved)
        case PerUnit(of=of, keys=keys):
            return _rows(of, resolved) if keys else 1
        case Union(parts=parts):
            return sum(_rows(part, resolved) for part in parts)
        case Join(most=(of_left, of_right)):
            return of_left * of_right
        case Join(left=left, right=right):
            return _rows(left if is_private(left) else right, resolved) * fan_out(relation)
    raise TypeError("public rows are of no unit")


def _joins(relation: Relation) -> list[Join]:
    """The private joins inside, in no order that matters."""
    match relation:
        case Project(of=of) | PerUnit(of=of):
            return _joins(of)
        case Join(left=left, right=right):
            own = [relation] if is_private(relation) else []
            return [*own, *_joins(left), *_joins(right)]
        case Union(parts=parts):
            return [join for part in parts for join in _joins(part)]
    return []
