"""The type of an expression, and small questions about its shape."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction

from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind, Scalar

BOOLEAN = frozenset(
    {Op.AND, Op.OR, Op.NOT, Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.IS_NULL, Op.IS_IN}
)
COMPARISONS = frozenset({Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE})
PARTS = frozenset({Op.YEAR, Op.MONTH, Op.DAY})
GRAINS = frozenset({Op.WEEK, Op.TO_MONTH, Op.TO_DATE})
STRICT = frozenset(
    COMPARISONS
    | PARTS
    | GRAINS
    | {Op.NOT, Op.IS_IN, Op.ADD, Op.SUB, Op.MUL, Op.NEG, Op.ABS, Op.CLIP}
)
"""Operations that give null exactly when one of their arguments is null."""


def kind_of_value(value: Scalar) -> Kind:
    """The type of a constant."""
    match value:
        case bool():
            return Kind.BOOL
        case int():
            return Kind.INT
        case Fraction():
            return Kind.FLOAT
        case str():
            return Kind.TEXT
        case datetime():
            return Kind.DATETIME
        case date():
            return Kind.DATE
    raise TypeError(f"{type(value).__name__} is no scalar")


def kind_of(expr: Expr) -> Kind | None:
    """The type of an expression; None for a bare NULL."""
    match expr:
        case Ref(kind=kind):
            return kind
        case Literal(value=value):
            return None if value is None else kind_of_value(value)
        case Call(op=op, args=args):
            if op in BOOLEAN:
                return Kind.BOOL
            if op in PARTS:
                return Kind.INT
            if op in GRAINS:
                return Kind.DATE
            kinds = {kind_of(arg) for arg in args} - {None}
            return Kind.FLOAT if Kind.FLOAT in kinds else Kind.INT


def columns_of(expr: Expr) -> frozenset[str]:
    """Every column an expression reads."""
    return frozenset(part.column for part in parts_of(expr) if isinstance(part, Ref))


def parts_of(expr: Expr) -> Iterator[Expr]:
    """The expression and everything inside it, outermost first."""
    yield expr
    if isinstance(expr, Call):
        for arg in expr.args:
            yield from parts_of(arg)


def flattened(op: Op, expr: Expr) -> list[Expr]:
    """The terms of a left-nested chain of ``op``, in order; one term if it is none."""
    if isinstance(expr, Call) and expr.op is op:
        return [term for arg in expr.args for term in flattened(op, arg)]
    return [expr]


def conjuncts(where: Expr | None) -> list[Expr]:
    """The conditions that all hold for a row that passes ``where``."""
    return [] if where is None else flattened(Op.AND, where)


def substituted(expr: Expr, old: Expr, new: Expr) -> Expr:
    """``expr`` with every ``old`` inside it replaced."""
    if expr == old:
        return new
    if isinstance(expr, Call):
        return Call(expr.op, tuple(substituted(arg, old, new) for arg in expr.args))
    return expr


def depth(expr: Expr) -> int:
    """How deep the operations of an expression are nested."""
    return 1 + max(map(depth, expr.args), default=0) if isinstance(expr, Call) else 0
