"""Sums of conditions are counts: of the rows where they hold."""

from __future__ import annotations

from privlab.query.ask import Aggregate, AggregateKind, Apply, Const, Name, Node
from privlab.query.kinds import kind_of
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Call, Expr, Literal, Op
from privlab.terms.catalog import Kind

ZERO, ONE, NULL = Literal(0), Literal(1), Literal(None)


def count_conditions(
    kind: AggregateKind, of: Expr | None, *, of_one: bool = False
) -> tuple[AggregateKind, Expr | None]:
    """What is aggregated, in the form that its equals share.

    of_one: of the rows of one unit, where the sum of nothing is null and no zero.

    Before                          After
    ------                          -----
    SUM(a > 3)                      COUNT(CASE WHEN a > 3 THEN 1 END)
    SUM(CASE WHEN c THEN 1 ELSE 0)  COUNT(CASE WHEN c THEN 1 END)
    SUM(CASE WHEN c THEN 1 END)     COUNT(CASE WHEN c THEN 1 END), over people
    AVG(a > 3)                      AVG(CASE WHEN a > 3 THEN 1 WHEN a <= 3 THEN 0 END)
    """
    match kind, of:
        case AggregateKind.SUM, Call(op=Op.CASE, args=(condition, value, last)) if (
            value == ONE and (last == ZERO or (last == NULL and not of_one))
        ):
            return AggregateKind.ROWS, Call(Op.CASE, (condition, ONE, NULL))
        case AggregateKind.SUM, _ if of is not None and kind_of(of) is Kind.BOOL:
            return AggregateKind.ROWS, normalise(Call(Op.CASE, (of, ONE, NULL)))
        case AggregateKind.MEAN, _ if of is not None and kind_of(of) is Kind.BOOL:
            both = (of, ONE, Call(Op.NOT, (of,)), ZERO, NULL)
            return kind, normalise(Call(Op.CASE, both))
    return kind, of


def units_where(aggregate: Aggregate, unit: str) -> Node | None:
    """COUNT(DISTINCT CASE WHEN c THEN unit END): a value for the rows where ``c`` holds."""
    match aggregate.of:
        case Apply(op=Op.CASE, args=(condition, Name(name=name), Const(value=None)), span=span) if (
            name == unit
        ):
            return Apply(Op.CASE, (condition, Const(1, span), Const(None, span)), span)
    return None


def counts_units(aggregate: Aggregate, unit: str) -> bool:
    """Whether a distinct count is of the privacy unit, and of no other value."""
    plain = isinstance(aggregate.of, Name) and aggregate.of.name == unit
    return plain or units_where(aggregate, unit) is not None


def distinct_of(aggregate: Aggregate, unit: str) -> Node | None:
    """What a distinct count needs of a row, which is never the unit itself.

    Before                                     After
    ------                                     -----
    COUNT(DISTINCT unit)                       nothing
    COUNT(DISTINCT CASE WHEN c THEN unit END)  CASE WHEN c THEN 1 END
    COUNT(DISTINCT x)                          x
    """
    return units_where(aggregate, unit) if counts_units(aggregate, unit) else aggregate.of
