"""Whether an expression can be null, from public facts alone.

A sum that leaves int64, a decimal that is no number any more and a date outside
the calendar are null too; that no column of ours comes near is taken for granted
here, as the count under an average takes it.
"""

from __future__ import annotations

from privlab.query.evaluate import evaluate
from privlab.query.kinds import SHIFTS, columns_of, conjuncts, is_strict
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Scalar, Table


def can_be_null(expr: Expr, table: Table, where: Expr | None) -> bool:
    """Whether a row that passes ``where`` can have a null there."""
    match expr:
        case Literal(value=value):
            return value is None
        case Ref(column=name):
            column = table.column(name)
            if column is not None and not column.nullable:
                return False
            return not any(rules_out_null(one, expr) for one in conjuncts(where))
        case Call(op=Op.IS_NULL):
            return False
        case Call(op=Op.CASE, args=args):
            return any(
                can_be_null(value, table, seen) for value, seen in branches(args, table, where)
            )
        case Call(op=Op.COALESCE | Op.MAX_OF | Op.MIN_OF, args=args):
            return all(can_be_null(arg, table, where) for arg in args)
        case Call(op=Op.CLIP | Op.SLICE, args=args):
            return can_be_null(args[0], table, where)
        case Call(op=op, args=args) if is_strict(expr) or op in SHIFTS or op in (Op.AND, Op.OR):
            if _known(expr) in conjuncts(where):
                return False
            return any(can_be_null(arg, table, where) for arg in args)
    return _known(expr) not in conjuncts(where)


def _known(value: Expr) -> Expr:
    return Call(Op.NOT, (Call(Op.IS_NULL, (value,)),))


def rules_out_null(condition: Expr, column: Ref) -> bool:
    """Whether a row passes ``condition`` only when ``column`` is not null."""
    if columns_of(condition) != {column.column}:
        return False
    nothing: dict[str, Scalar | None] = {column.column: None}
    return evaluate(condition, nothing) is not True


def branches(
    args: tuple[Expr, ...], table: Table, where: Expr | None
) -> list[tuple[Expr, Expr | None]]:
    """The values of a CASE, each with what is known of a row that gets it."""
    found = []
    for condition, value in zip(args[:-1:2], args[1::2], strict=True):
        found.append((value, _both(where, condition)))
        if not can_be_null(condition, table, where):
            where = _both(where, _negated(condition))
    return [*found, (args[-1], where)]


def _both(where: Expr | None, condition: Expr) -> Expr:
    return condition if where is None else Call(Op.AND, (where, condition))


def _negated(condition: Expr) -> Expr:
    match condition:
        case Call(op=Op.NOT, args=(inner,)):
            return inner
    return Call(Op.NOT, (condition,))
