"""Of which kinds the columns of a relation are, as those who read them say."""

from __future__ import annotations

from collections.abc import Mapping

from privlab.query.expr import Call, Expr, Ref
from privlab.query.kinds import kind_of
from privlab.query.relations import UnitKind, UnitValue
from privlab.terms.catalog import Kind

Kinds = Mapping[str, Kind]
"""Column to kind."""


def kinds_of(*exprs: Expr | None, more: Kinds | None = None) -> dict[str, Kind]:
    """Every column that any of these reads, and the columns of ``more``, in one order.

    :raises TypeError: one column is read as two kinds.
    """
    found = dict(more or {})
    seen: set[int] = set()
    waiting = list(exprs)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        match one:
            case Ref(column=name, kind=kind):
                if found.setdefault(name, kind) is not kind:
                    raise TypeError(f"{name} is read as {found[name]} and as {kind}")
            case Call(args=args):
                waiting += args
            case _:
                pass
    return dict(sorted(found.items()))


def kind_of_unit_value(value: UnitValue) -> Kind | None:
    """Of a number of a unit's rows; a sum may be read as a decimal too.  None: always null."""
    match value.kind:
        case UnitKind.ROWS | UnitKind.DISTINCT:
            return Kind.INT
        case UnitKind.MEAN:
            return Kind.FLOAT
        case UnitKind.SUM:
            of = None if value.of is None else kind_of(value.of)
            whole = value.step.denominator == 1 and of is not Kind.FLOAT
            return Kind.INT if whole else Kind.FLOAT
    return None if value.of is None else kind_of(value.of)


def meeting_kind(one: Kind | None, two: Kind | None) -> Kind:
    """The kind in which values of two kinds are compared.

    :raises TypeError: they are not comparable.
    """
    kinds = {one, two} - {None}
    if kinds == {Kind.INT, Kind.FLOAT}:
        return Kind.FLOAT
    if kinds == {Kind.DATE, Kind.DATETIME}:
        return Kind.DATETIME
    if len(kinds) > 1:
        raise TypeError(f"{one} and {two} are never equal")
    return next((kind for kind in kinds if kind is not None), Kind.BOOL)
