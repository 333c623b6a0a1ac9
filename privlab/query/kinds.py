"""The type of an expression, and small questions about its shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from fractions import Fraction

from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind, Scalar

COMPARISONS = frozenset({Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE})
BOOLEAN = frozenset(COMPARISONS | {Op.AND, Op.OR, Op.NOT, Op.IS_NULL, Op.IS_IN, Op.LIKE})
DAY_PARTS = frozenset(
    {Op.YEAR, Op.QUARTER, Op.MONTH, Op.WEEK_NUMBER, Op.WEEKDAY, Op.DAY, Op.ORDINAL_DAY}
)
CLOCK_PARTS = frozenset({Op.HOUR, Op.MINUTE, Op.SECOND})
PARTS = frozenset(DAY_PARTS | CLOCK_PARTS)
GRAINS = frozenset({Op.TO_YEAR, Op.TO_QUARTER, Op.TO_MONTH, Op.WEEK, Op.TO_DATE})
SHIFTS = frozenset({Op.ADD_DAYS, Op.ADD_MONTHS})
EXTREMES = frozenset({Op.GREATEST, Op.LEAST, Op.MAX_OF, Op.MIN_OF})
DIVISIONS = frozenset({Op.DIVIDE, Op.FLOOR_DIV, Op.TRUNC_DIV, Op.MOD, Op.REMAINDER})
ROUNDINGS = frozenset({Op.ROUND, Op.ROUND_EVEN})
STRIPS = frozenset({Op.STRIP, Op.STRIP_START, Op.STRIP_END})
TEXTS = frozenset(STRIPS | {Op.LOWER, Op.UPPER, Op.SLICE, Op.CONCAT, Op.REPLACE, Op.TO_TEXT})
"""Operations that give a text."""

STRICT = frozenset(
    (COMPARISONS | PARTS | GRAINS | ROUNDINGS | TEXTS)
    | {Op.NOT, Op.IS_IN, Op.ADD, Op.SUB, Op.MUL, Op.NEG, Op.ABS, Op.CLIP, Op.SIGN, Op.MAGNITUDE}
    | {Op.GREATEST, Op.LEAST, Op.LENGTH, Op.LIKE, Op.TO_HOUR, Op.DAYS, Op.ELAPSED}
)
"""Operations that give null exactly when one of their arguments is null."""

_FIXED: dict[Op, Kind] = {
    **dict.fromkeys(BOOLEAN, Kind.BOOL),
    **dict.fromkeys(PARTS, Kind.INT),
    **dict.fromkeys(GRAINS, Kind.DATE),
    **dict.fromkeys(TEXTS, Kind.TEXT),
    **dict.fromkeys((Op.DIVIDE, Op.SQRT, Op.LN, Op.EXP, Op.PARSE_FLOAT), Kind.FLOAT),
    **dict.fromkeys((Op.FLOOR_DIV, Op.TRUNC_DIV, Op.PARSE_INT, Op.SIGN), Kind.INT),
    **dict.fromkeys((Op.LENGTH, Op.DAYS, Op.ELAPSED, Op.MAGNITUDE), Kind.INT),
    Op.PARSE_DATE: Kind.DATE,
    Op.TO_HOUR: Kind.DATETIME,
}


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
            if (fixed := _FIXED.get(op)) is not None:
                return fixed
            if op in SHIFTS:
                return kind_of(args[0])
            if op in ROUNDINGS:
                return rounded_kind(kind_of(args[0]), args[1])
            return common_kind(map(kind_of, outcomes(op, args)))


def outcomes(op: Op, args: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """What a call can give one of: the values of a CASE, else its arguments."""
    return (*args[1::2], args[-1]) if op is Op.CASE else args


def common_kind(kinds: Iterable[Kind | None]) -> Kind | None:
    """The type of a value that is one of several; None when all are NULL.

    A number is a decimal as soon as one of them is.
    """
    found = {kind for kind in kinds if kind is not None}
    if Kind.FLOAT in found:
        return Kind.FLOAT
    return next((kind for kind in Kind if kind in found), None)


def rounded_kind(kind: Kind | None, digits: Expr) -> Kind:
    """A number rounded to no digits is a whole one."""
    fine = isinstance(digits, Literal) and isinstance(digits.value, int) and digits.value > 0
    return Kind.FLOAT if fine and kind is not Kind.INT else Kind.INT


def is_strict(call: Call) -> bool:
    """Whether a call is null exactly when an argument is, overflow left aside."""
    if call.op in DIVISIONS:
        divisor = call.args[1]
        return isinstance(divisor, Literal) and divisor.value not in (None, 0)
    return call.op in STRICT


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
