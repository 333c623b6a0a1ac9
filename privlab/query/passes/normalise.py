"""One form for expressions that mean the same."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from fractions import Fraction

from privlab.query import texts
from privlab.query.evaluate import evaluate
from privlab.query.kinds import (
    COMPARISONS,
    DAY_PARTS,
    DIVISIONS,
    EXTREMES,
    GRAINS,
    ROUNDINGS,
    SHIFTS,
    flattened,
    kind_of,
)
from privlab.query.passes.normalise_arithmetic import added, chain, normalise_arithmetic, sort_key
from privlab.query.passes.normalise_choice import normalise_choice
from privlab.query.plan import Call, Expr, Literal, Op
from privlab.terms.catalog import Kind

FLIPPED = {
    Op.EQ: Op.EQ,
    Op.NE: Op.NE,
    Op.LT: Op.GT,
    Op.LE: Op.GE,
    Op.GT: Op.LT,
    Op.GE: Op.LE,
}
NEGATED = {
    Op.EQ: Op.NE,
    Op.NE: Op.EQ,
    Op.LT: Op.GE,
    Op.LE: Op.GT,
    Op.GT: Op.LE,
    Op.GE: Op.LT,
}
ONE_DAY = timedelta(days=1)
NUMERIC = DIVISIONS | ROUNDINGS | {Op.ADD, Op.SUB, Op.MUL, Op.NEG, Op.CLIP, Op.ABS, Op.SIGN}
NUMERIC |= {Op.SQRT, Op.LN, Op.EXP}
CHOICES = EXTREMES | {Op.CASE, Op.COALESCE}


def normalise(expr: Expr) -> Expr:
    """``expr`` in the form all its equals share, with the same value on every row.

    Before                      After
    ------                      -----
    65 <= age                   age >= 65
    age > 64                    age >= 65           (age is a whole number)
    b = 2 AND a = 1             a = 1 AND b = 2
    NOT (x < 3)                 x >= 3
    a = 1 OR a = 2              a IN (1, 2)
    x LIKE 'a'                  x = 'a'
    year(to_date(t))            year(t)
    d + 1 day + 2 days          d + 3 days
    """
    if not isinstance(expr, Call):
        return expr
    op = expr.op
    if op in (Op.ADD, Op.SUB):
        return normalise_arithmetic(Op.ADD, tuple(map(normalise, added(expr))))
    chained = op in (Op.AND, Op.OR, Op.MUL, Op.CONCAT)
    args = tuple(normalise(arg) for arg in (flattened(op, expr) if chained else expr.args))
    if op in (Op.AND, Op.OR):
        return _logic(op, args)
    if op is Op.NOT:
        return _negation(args[0])
    if op in COMPARISONS:
        return _comparison(op, args[0], args[1])
    if op is Op.IS_IN:
        return _membership(args[0], args[1:])
    if op in NUMERIC:
        return normalise_arithmetic(op, args)
    if op in CHOICES:
        return normalise_choice(op, args)
    call = Call(op, args)
    if all(isinstance(arg, Literal) for arg in args):
        return Literal(evaluate(call, {}))
    if op in GRAINS | DAY_PARTS | {Op.DAYS}:
        return _of_days(op, args)
    if op in SHIFTS:
        return _shifted(op, args)
    return _text(op, args)


def _logic(op: Op, args: tuple[Expr, ...]) -> Expr:
    absorbing = Literal(op is Op.OR)
    neutral = Literal(op is Op.AND)
    terms = [term for arg in args for term in flattened(op, arg)]
    if op is Op.OR:
        terms = _merged_memberships(terms)
    distinct = list({sort_key(term): term for term in terms}.values())
    if absorbing in distinct:
        return absorbing
    kept = [term for term in distinct if term != neutral]
    return chain(op, kept) if kept else neutral


def _merged_memberships(terms: list[Expr]) -> list[Expr]:
    """a = 1 OR a IN (2, 3) is a IN (1, 2, 3)."""
    lists: dict[str, tuple[Expr, list[Expr]]] = {}
    sole: dict[str, Expr] = {}
    rest: list[Expr] = []
    for term in terms:
        match term:
            case Call(op=Op.EQ | Op.IS_IN, args=(value, *others)) if all(
                isinstance(one, Literal) for one in others
            ):
                key = sort_key(value)
                if key in lists:
                    sole.pop(key, None)
                else:
                    sole[key] = term  # in its form already
                lists.setdefault(key, (value, []))[1].extend(others)
            case _:
                rest.append(term)
    return rest + [
        sole[key] if key in sole else _membership(value, tuple(others))
        for key, (value, others) in lists.items()
    ]


def _membership(value: Expr, listed: tuple[Expr, ...]) -> Expr:
    ordered = sorted({sort_key(one): one for one in listed}.items())
    distinct = tuple(one for _, one in ordered)
    if len(distinct) == 1:
        return _comparison(Op.EQ, value, distinct[0])
    call = Call(Op.IS_IN, (value, *distinct))
    return Literal(evaluate(call, {})) if isinstance(value, Literal) else call


def _negation(arg: Expr) -> Expr:
    match arg:
        case Literal():
            return Literal(evaluate(Call(Op.NOT, (arg,)), {}))
        case Call(op=Op.NOT, args=(inner,)):
            return inner
        case Call(op=Op.AND | Op.OR as op, args=args):
            other = Op.OR if op is Op.AND else Op.AND
            return _logic(other, tuple(_negation(one) for one in args))
        case Call(op=op, args=(left, right)) if op in NEGATED:
            return _comparison(NEGATED[op], left, right)
    return Call(Op.NOT, (arg,))


def _comparison(op: Op, left: Expr, right: Expr) -> Expr:
    if isinstance(left, Literal) and isinstance(right, Literal):
        return Literal(evaluate(Call(op, (left, right)), {}))
    if isinstance(left, Literal):
        op, left, right = FLIPPED[op], right, left
    if isinstance(right, Literal):
        if isinstance(right.value, bool):
            return left if right.value is (op is Op.EQ) else _negation(left)
        op, right = _closed(op, left, right)
        return Call(op, (left, right))
    if op in (Op.GT, Op.GE) or (op in (Op.EQ, Op.NE) and sort_key(right) < sort_key(left)):
        op, left, right = FLIPPED[op], right, left
    return Call(op, (left, right))


def _closed(op: Op, left: Expr, right: Literal) -> tuple[Op, Literal]:
    """On whole numbers and days, ``<`` and ``>`` become ``<=`` and ``>=``."""
    value, kind = right.value, kind_of(left)
    if kind is Kind.INT and isinstance(value, (int, Fraction)):
        match op:
            case Op.GE | Op.GT:
                least = math.ceil(value) if op is Op.GE else math.floor(value) + 1
                return Op.GE, Literal(least)
            case Op.LE | Op.LT:
                most = math.floor(value) if op is Op.LE else math.ceil(value) - 1
                return Op.LE, Literal(most)
    if kind is Kind.DATE and isinstance(value, date) and not isinstance(value, datetime):
        if op is Op.GT and value < date.max:
            return Op.GE, Literal(value + ONE_DAY)
        if op is Op.LT and value > date.min:
            return Op.LE, Literal(value - ONE_DAY)
    return op, right


def _of_days(op: Op, args: tuple[Expr, ...]) -> Expr:
    """A grain or a part of a calendar day is that of the value itself."""
    values = []
    for arg in args:
        while isinstance(arg, Call) and arg.op is Op.TO_DATE:
            arg = arg.args[0]
        values.append(arg)
    if op is Op.TO_DATE and kind_of(values[0]) is Kind.DATE:
        return values[0]
    return Call(op, tuple(values))


def _shifted(op: Op, args: tuple[Expr, ...]) -> Expr:
    """Days after days are days; no shift is none."""
    value, by = args
    if by == Literal(0):
        return value
    match value, by:
        case Call(op=inner, args=(start, Literal(value=int() as first))), Literal(
            value=int() as then
        ) if op is inner is Op.ADD_DAYS and (first > 0) is (then > 0):
            return _shifted(op, (start, Literal(first + then)))
    return Call(op, args)


def _text(op: Op, args: tuple[Expr, ...]) -> Expr:
    """Texts: patterns without wildcards, case twice, constants side by side."""
    match op, args:
        case Op.LIKE, (value, Literal(value=str() as form)):
            parts = texts.tokens(form)
            if not any(wild for wild, _ in parts):
                return _comparison(Op.EQ, value, Literal("".join(char for _, char in parts)))
        case ((Op.LOWER | Op.UPPER), (Call(op=inner, args=(value,)),)) if inner is op:
            return Call(op, (value,))
        case Op.CONCAT, _:
            return _concatenated([part for arg in args for part in flattened(op, arg)])
    return Call(op, args)


def _concatenated(parts: list[Expr]) -> Expr:
    """Constants side by side are one; empty ones are none."""
    kept: list[Expr] = []
    for part in parts:
        match part, kept[-1:]:
            case Literal(value=""), _:
                continue
            case Literal(value=str() as text), [Literal(value=str() as before)]:
                kept[-1] = Literal(before + text)
            case _:
                kept.append(part)
    if not kept:
        return Literal("")
    return kept[0] if len(kept) == 1 else Call(Op.CONCAT, tuple(kept))
