"""The Polars expression of a plan's expression: which family an operation belongs to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from privlab.connector.scan import DTYPES
from privlab.engine.expressions import arithmetic, logic, text, times
from privlab.engine.expressions.typed import Typed, known, literal
from privlab.query.kinds import flattened, parts_of
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind

FAMILIES: dict[Op, Callable[[Op, Sequence[Typed]], Typed]] = {
    **dict.fromkeys(logic.OPERATIONS, logic.apply),
    **dict.fromkeys(arithmetic.OPERATIONS, arithmetic.apply),
    **dict.fromkeys(text.OPERATIONS, text.apply),
    **dict.fromkeys(times.OPERATIONS, times.apply),
}
"""The function that translates each operation, given its translated arguments."""


def translate(expr: Expr) -> Typed:
    """The Polars expression of a plan's expression.

    :raises TypeError: an operation on kinds it is not defined for.
    """
    match expr:
        case Ref(column=name, kind=kind):
            value = pl.col(name)
            return Typed(known(value) if kind is Kind.FLOAT else value, kind)
        case Literal(value=value):
            return literal(value)
        case Call(op=Op.AND | Op.OR as op):
            return _settled(expr, FAMILIES[op](op, [translate(one) for one in flattened(op, expr)]))
        case Call(op=op, args=args):
            return _settled(expr, FAMILIES[op](op, [translate(arg) for arg in args]))
    raise TypeError("not an expression")


def _settled(expr: Call, made: Typed) -> Typed:
    """What names no column is worked out here, once, and stands as one value."""
    if made.kind is None or any(isinstance(part, Ref) for part in parts_of(expr)):
        return made
    (value,) = pl.select(made.expr.alias("value"))["value"].to_list()
    return Typed(pl.lit(value, DTYPES[made.kind]), made.kind)
