"""Turn an operation on aggregates into one on released numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from privlab.query.ask import Apply, Const, Source
from privlab.query.kinds import COMPARISONS
from privlab.query.passes.align_kinds import read_as
from privlab.query.plan import Literal, Op
from privlab.query.post.shapes import NULL, call
from privlab.query.post.tree import LiteralOut, Out, OutOp
from privlab.terms.catalog import Kind

SAME: dict[Op, OutOp] = {
    Op.ADD: OutOp.ADD,
    Op.MUL: OutOp.MUL,
    Op.DIVIDE: OutOp.DIVIDE,
    Op.MOD: OutOp.MOD,
    Op.REMAINDER: OutOp.REMAINDER,
    Op.NEG: OutOp.NEG,
    Op.ABS: OutOp.ABS,
    Op.SIGN: OutOp.SIGN,
    Op.SQRT: OutOp.SQRT,
    Op.LN: OutOp.LN,
    Op.EXP: OutOp.EXP,
    Op.LEAST: OutOp.LEAST,
    Op.GREATEST: OutOp.GREATEST,
    Op.MIN_OF: OutOp.MIN_OF,
    Op.MAX_OF: OutOp.MAX_OF,
}
LOGIC: dict[Op, OutOp] = {Op.AND: OutOp.AND, Op.OR: OutOp.OR, Op.NOT: OutOp.NOT}
ROUNDINGS = {Op.ROUND: OutOp.ROUND, Op.ROUND_EVEN: OutOp.ROUND_EVEN}
MAX_DIGITS = 12
NUMBERS = frozenset({Kind.INT, Kind.FLOAT, None})


def lower_output(
    node: Apply, args: Sequence[Out], kind_of_out: Callable[[Out], Kind | None], source: Source
) -> Out:
    """``node`` of outputs ``args``, in the form that its equals share.

    :raises BadQuery: PL106 it is not in the language of outputs; PL111 its
        arguments are of kinds that do not fit.
    """
    if node.op in COMPARISONS:
        args = _read(args, kind_of_out, node, source)
    kinds = [kind_of_out(arg) for arg in args]

    def insist(fits: bool, what: str) -> None:
        if not fits:
            days = any(kind is not None and kind.is_time for kind in kinds)
            hint = "of the days between two dates in each row there are averages and medians"
            raise source.refuse("PL111", what, node.span, hint if days else "")

    if node.op in SAME or node.op is Op.SUB or node.op in ROUNDINGS or node.op is Op.CLIP:
        insist(all(kind in NUMBERS for kind in kinds), "arithmetic takes numbers")
    if node.op in SAME:
        return call(SAME[node.op], *args)
    if node.op in LOGIC:
        insist(all(kind in (Kind.BOOL, None) for kind in kinds), "this takes conditions")
        return call(LOGIC[node.op], *args)
    if node.op in COMPARISONS:
        insist(_comparable(kinds), "these are not of one kind")
        return call(OutOp(node.op.value), *args)
    match node.op, list(args):
        case Op.SUB, [a, b]:
            return call(OutOp.ADD, a, call(OutOp.NEG, b))
        case Op.FLOOR_DIV | Op.TRUNC_DIV as op, [a, b]:
            insist(all(kind in NUMBERS for kind in kinds), "arithmetic takes numbers")
            turn = OutOp.FLOOR if op is Op.FLOOR_DIV else OutOp.TRUNC
            return call(turn, call(OutOp.DIVIDE, a, b))
        case (Op.ROUND | Op.ROUND_EVEN) as op, [a, digits]:
            whole = isinstance(digits, LiteralOut) and isinstance(digits.value, Fraction)
            insist(whole and _digits(digits), f"digits are a constant up to {MAX_DIGITS}")
            return call(ROUNDINGS[op], a, digits)
        case Op.CLIP, [a, low, high]:
            found = a if low == NULL else call(OutOp.GREATEST, a, low)
            return found if high == NULL else call(OutOp.LEAST, found, high)
        case Op.IS_NULL, [a]:
            return call(OutOp.IS_NULL, a)
        case Op.IS_IN, [a, *rest]:
            insist(_comparable(kinds), "these are not of one kind")
            return call(OutOp.OR, *(call(OutOp.EQ, a, one) for one in rest))
        case (Op.CASE | Op.COALESCE) as op, listed:
            values = [*kinds[1::2], kinds[-1]] if op is Op.CASE else kinds
            insist(_comparable(values), "the values of a choice are of one kind")
            return call(OutOp(op.value), *listed)
        case Op.CAST, [a, LiteralOut(), LiteralOut()]:
            return _cast(node, a, source)
    raise source.refuse(
        "PL106",
        f"{node.op.value} of aggregates is not in the language",
        node.span,
        "compute it on the answer's frame: that is free",
    )


def _read(
    args: Sequence[Out], kind_of_out: Callable[[Out], Kind | None], node: Apply, source: Source
) -> list[Out]:
    """What is compared with a date or a time, itself read as one where it is a constant."""
    times = [kind for kind in map(kind_of_out, args) if kind is not None and kind.is_time]
    wanted = Kind.DATETIME if Kind.DATETIME in times else next(iter(times), None)
    firm = [kind_of_out(arg) for arg in args if not isinstance(arg, LiteralOut)]
    if wanted is None or wanted not in firm:
        return list(args)
    found: list[Out] = []
    for arg in args:
        read = (
            read_as(Literal(arg.value), wanted, node, source)
            if isinstance(arg, LiteralOut)
            else None
        )
        found.append(LiteralOut(read.value) if isinstance(read, Literal) else arg)
    return found


def _comparable(kinds: Sequence[Kind | None]) -> bool:
    families = {Kind.FLOAT if kind in NUMBERS else kind for kind in kinds if kind is not None}
    return len(families) <= 1


def _digits(out: Out) -> bool:
    value = out.value if isinstance(out, LiteralOut) else None
    return isinstance(value, Fraction) and value.denominator == 1 and abs(value) <= MAX_DIGITS


def _cast(node: Apply, value: Out, source: Source) -> Out:
    """A number as a decimal is itself; as a whole number it is rounded or cut."""
    to, how = (one.value if isinstance(one, Const) else None for one in node.args[1:])
    if to == Kind.FLOAT.value:
        return value
    if to == Kind.INT.value and how == "truncate":
        return call(OutOp.TRUNC, value)
    if to == Kind.INT.value:
        return call(OutOp.ROUND, value, LiteralOut(Fraction(0)))
    raise source.refuse("PL106", "an aggregate is a number", node.span, "leave the cast out")
