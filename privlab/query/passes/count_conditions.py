"""Sums of conditions are counts: of the rows where they hold."""

from __future__ import annotations

from privlab.query.ask import AggregateKind, Apply, Const, Name, Node
from privlab.query.kinds import kind_of
from privlab.query.passes.normalise import normalise
from privlab.query.plan import Call, Expr, Literal, Op
from privlab.terms.catalog import Kind

ZERO, ONE, NULL = Literal(0), Literal(1), Literal(None)


def count_conditions(kind: AggregateKind, of: Expr | None) -> tuple[AggregateKind, Expr | None]:
    """What is aggregated, in the form that its equals share.

    Before                          After
    ------                          -----
    SUM(a > 3)                      COUNT(CASE WHEN a > 3 THEN 1 END)
    SUM(CASE WHEN c THEN 1 ELSE 0)  COUNT(CASE WHEN c THEN 1 END)
    AVG(a > 3)                      AVG(CASE WHEN a > 3 THEN 1 WHEN a <= 3 THEN 0 END)
    """
    match kind, of:
        case AggregateKind.SUM, Call(op=Op.CASE, args=(condition, value, last)) if (
            value == ONE and last == ZERO
        ):
            return AggregateKind.ROWS, Call(Op.CASE, (condition, ONE, NULL))
        case AggregateKind.SUM, _ if of is not None and kind_of(of) is Kind.BOOL:
            return AggregateKind.ROWS, normalise(Call(Op.CASE, (of, ONE, NULL)))
        case AggregateKind.MEAN, _ if of is not None and kind_of(of) is Kind.BOOL:
            both = (of, ONE, Call(Op.NOT, (of,)), ZERO, NULL)
            return kind, normalise(Call(Op.CASE, both))
    return kind, of


def counts_units(node: Node | None, unit: str) -> bool:
    """Whether COUNT(DISTINCT node) is of the privacy unit: of all, or CASE WHEN c THEN unit END."""
    match node:
        case Name(name=name):
            return name == unit
        case Apply(op=Op.CASE, args=(_, Name(name=name), Const(value=None))):
            return name == unit
    return False


def distinct_of(node: Node, unit: str) -> Node | None:
    """What COUNT(DISTINCT node) needs of a row, which is never the unit itself.

    Before                     After
    ------                     -----
    unit                       nothing
    CASE WHEN c THEN unit END  CASE WHEN c THEN 1 END
    x                          x
    """
    match node:
        case Apply(op=Op.CASE, args=(condition, Name(), _), span=span) if counts_units(node, unit):
            return Apply(Op.CASE, (condition, Const(1, span), Const(None, span)), span)
    return None if counts_units(node, unit) else node
