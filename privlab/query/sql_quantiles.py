"""Quantiles as SQL has them: MEDIAN, QUANTILE, PERCENTILE_CONT and PERCENTILE_DISC.

An answer is a value on the grid of the column, chosen near the quantile, so the
continuous and the discrete form are one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from sqlglot import exp

from privlab.query.ask import Aggregate, AggregateKind, Apply, Const, Node
from privlab.query.plan import Op

if TYPE_CHECKING:
    from privlab.query.sql_expressions import Expressions

HALF = Fraction(1, 2)

PERCENTILES = (exp.PercentileCont, exp.PercentileDisc)
QUANTILES = (exp.Median, exp.Quantile, exp.ApproxQuantile, exp.WithinGroup, *PERCENTILES)
"""What `sql_quantile` reads."""

NAMES = frozenset({"QUANTILE_CONT", "QUANTILE_DISC"})
"""Functions that the parser has no class for."""


def is_quantile(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return str(node.this).upper() in NAMES
    return isinstance(node, QUANTILES)


def sql_quantile(read: Expressions, node: exp.Expr) -> Aggregate:
    """An aggregate of one value and the q that follows it.

    :raises BadQuery: PL106, a form that says more than that.
    """
    of: exp.Expr
    q: Node
    span = read.at(node)
    match node:
        case exp.Median():
            read.only(node, "this")
            of, q = node.this, Const(HALF, span)
        case exp.WithinGroup(this=exp.PercentileCont() | exp.PercentileDisc() as inner):
            read.only(inner, "this")
            of, q = _ordered(read, node, read.expression(inner.this))
        case exp.Anonymous(expressions=[value, share]):
            of, q = value, read.expression(share)
        case exp.Quantile() | exp.ApproxQuantile():
            read.only(node, "this", "quantile")
            of, q = node.this, read.expression(node.args["quantile"])
        case _:
            raise read.refuse(
                node,
                "this form of a quantile is not in the language",
                "QUANTILE(x, 0.9), or PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY x)",
            )
    return Aggregate(AggregateKind.QUANTILE, read.expression(of), span, q)


def _ordered(read: Expressions, node: exp.Expr, q: Node) -> tuple[exp.Expr, Node]:
    """The value of WITHIN GROUP (ORDER BY value), and q from the low end."""
    order = node.expression
    if not isinstance(order, exp.Order) or len(order.expressions) != 1:
        raise read.refuse(node, "a quantile is of one value", "WITHIN GROUP (ORDER BY x)")
    by = order.expressions[0]
    if not isinstance(by, exp.Ordered):
        return by, q
    span = read.at(node)
    if by.args.get("desc"):
        return by.this, Apply(Op.SUB, (Const(1, span), q), span)
    return by.this, q
