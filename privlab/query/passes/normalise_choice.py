"""One form for choices that mean the same: CASE, COALESCE, the largest and the smallest.

Arguments are in their form already.
"""

from __future__ import annotations

from fractions import Fraction

from privlab.query.evaluate import evaluate
from privlab.query.passes.normalise_arithmetic import normalise_arithmetic, sort_key
from privlab.query.plan import Call, Expr, Literal, Op

NULL = Literal(None)


def normalise_choice(op: Op, args: tuple[Expr, ...]) -> Expr:
    """A choice in its form.

    Before                              After
    ------                              -----
    case(a, 1, case(b, 2, 3))           case(a, 1, b, 2, 3)
    case(x is null, 0, x)               coalesce(x, 0)
    coalesce(coalesce(x, y), 0, z)      coalesce(x, y, 0)
    greatest(x, 3, 5)                   clip(x, 5, _)
    """
    if op is Op.CASE:
        return _case(args)
    if op is Op.COALESCE:
        return _coalesce(args)
    return _extreme(op, args)


def _case(args: tuple[Expr, ...]) -> Expr:
    pairs: list[tuple[Expr, Expr]] = []
    last = args[-1]
    waiting = list(zip(args[:-1:2], args[1::2], strict=True))
    while waiting:
        condition, value = waiting.pop(0)
        if isinstance(condition, Literal):
            if condition.value is not True:
                continue
            last = value
            break
        if all(condition != one for one, _ in pairs):
            pairs.append((condition, value))
        if not waiting and isinstance(last, Call) and last.op is Op.CASE:
            waiting = list(zip(last.args[:-1:2], last.args[1::2], strict=True))
            last = last.args[-1]
    while pairs and pairs[-1][1] == last:
        pairs.pop()
    if not pairs:
        return last
    match pairs, last:
        case [(Call(op=Op.IS_NULL, args=(value,)), other)], _ if value == last:
            return _coalesce((value, other))
        case [(Call(op=Op.NOT, args=(Call(op=Op.IS_NULL, args=(value,)),)), one)], _ if (
            value == one
        ):
            return _coalesce((value, last))
        case [(condition, Literal(value=True))], Literal(value=False):
            return _coalesce((condition, Literal(value=False)))
    return Call(Op.CASE, (*(one for pair in pairs for one in pair), last))


def _coalesce(args: tuple[Expr, ...]) -> Expr:
    kept: list[Expr] = []
    for arg in args:
        inner = arg.args if isinstance(arg, Call) and arg.op is Op.COALESCE else (arg,)
        for one in inner:
            if one != NULL and one not in kept:
                kept.append(one)
            if isinstance(one, Literal) and one.value is not None:
                return _first(kept)
            if isinstance(one, Call) and one.op is Op.IS_NULL:
                return _first(kept)
    return _first(kept)


def _first(kept: list[Expr]) -> Expr:
    if not kept:
        return NULL
    return kept[0] if len(kept) == 1 else Call(Op.COALESCE, tuple(kept))


def _extreme(op: Op, args: tuple[Expr, ...]) -> Expr:
    """Arguments sorted, each once, with one constant; against a number it is a clip."""
    distinct: dict[str, Expr] = {}
    for arg in args:
        for one in arg.args if isinstance(arg, Call) and arg.op is op else (arg,):
            distinct.setdefault(sort_key(one), one)
    literals = [one for one in distinct.values() if isinstance(one, Literal)]
    values = [one for _, one in sorted(distinct.items()) if not isinstance(one, Literal)]
    strict = op in (Op.GREATEST, Op.LEAST)
    if NULL in literals:
        if strict:
            return NULL
        literals = [one for one in literals if one != NULL]
    constant: list[Expr] = []
    if literals:
        merged = Literal(evaluate(Call(op, tuple(literals)), {}))
        constant = [merged]
        number = isinstance(merged.value, (int, Fraction)) and not isinstance(merged.value, bool)
        if strict and number and values:
            inner = values[0] if len(values) == 1 else Call(op, tuple(values))
            ends = (merged, NULL) if op is Op.GREATEST else (NULL, merged)
            return normalise_arithmetic(Op.CLIP, (inner, *ends))
    kept = [*values, *constant]
    return kept[0] if len(kept) == 1 else Call(op, tuple(kept))
