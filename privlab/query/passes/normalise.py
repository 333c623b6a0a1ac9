"""One form for expressions that mean the same."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from fractions import Fraction

from privlab.query.canonical import canonical_text, encode_expr
from privlab.query.evaluate import evaluate
from privlab.query.kinds import COMPARISONS, GRAINS, PARTS, flattened, kind_of
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


def normalise(expr: Expr) -> Expr:
    """``expr`` in the form all its equals share, with the same value on every row.

    Before                      After
    ------                      -----
    65 <= age                   age >= 65
    age > 64                    age >= 65           (age is a whole number)
    b = 2 AND a = 1             a = 1 AND b = 2
    NOT (x < 3)                 x >= 3
    a = 1 OR a = 2              a IN (1, 2)
    x - 1                       -1 + x
    clip(clip(x, 0, _), _, 9)   clip(x, 0, 9)
    """
    if not isinstance(expr, Call):
        return expr
    op = expr.op
    chained = op in (Op.AND, Op.OR, Op.ADD, Op.MUL)
    args = tuple(normalise(arg) for arg in (flattened(op, expr) if chained else expr.args))
    if op in (Op.AND, Op.OR):
        return _logic(op, args)
    if op is Op.NOT:
        return _negation(args[0])
    if op in COMPARISONS:
        return _comparison(op, args[0], args[1])
    if op is Op.IS_IN:
        return _membership(args[0], args[1:])
    if op in (Op.ADD, Op.SUB, Op.MUL, Op.NEG):
        return _arithmetic(op, args)
    if op is Op.CLIP:
        return _clip(args)
    if op in GRAINS | PARTS:
        return _grain(op, args[0])
    call = Call(op, args)
    if all(isinstance(arg, Literal) for arg in args):
        return Literal(evaluate(call, {}))
    if op is Op.ABS and isinstance(args[0], Call) and args[0].op is Op.ABS:
        return args[0]
    return call


def _sort_key(expr: Expr) -> str:
    return canonical_text(encode_expr(expr))


def _chain(op: Op, terms: list[Expr]) -> Expr:
    """Terms sorted and left-nested: ``((a op b) op c)``."""
    ordered = sorted(terms, key=_sort_key)
    chain = ordered[0]
    for term in ordered[1:]:
        chain = Call(op, (chain, term))
    return chain


def _logic(op: Op, args: tuple[Expr, ...]) -> Expr:
    absorbing = Literal(op is Op.OR)
    neutral = Literal(op is Op.AND)
    terms = [term for arg in args for term in flattened(op, arg)]
    if op is Op.OR:
        terms = _merged_memberships(terms)
    distinct = list({_sort_key(term): term for term in terms}.values())
    if absorbing in distinct:
        return absorbing
    kept = [term for term in distinct if term != neutral]
    return _chain(op, kept) if kept else neutral


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
                key = _sort_key(value)
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
    ordered = sorted({_sort_key(one): one for one in listed}.items())
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
    if op in (Op.GT, Op.GE) or (op in (Op.EQ, Op.NE) and _sort_key(right) < _sort_key(left)):
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


def _number(value: Fraction) -> Literal:
    return Literal(int(value) if value.denominator == 1 else value)


def _value(expr: Expr) -> Fraction | None:
    match expr:
        case Literal(value=int() | Fraction() as value) if not isinstance(value, bool):
            return Fraction(value)
    return None


def _arithmetic(op: Op, args: tuple[Expr, ...]) -> Expr:
    if op is Op.NEG:
        return _product([Literal(-1), args[0]])
    if op is Op.SUB:
        return _sum([args[0], _product([Literal(-1), args[1]])])
    return _product(list(args)) if op is Op.MUL else _sum(list(args))


def _sum(args: list[Expr]) -> Expr:
    terms = [term for arg in args for term in flattened(Op.ADD, arg)]
    constant = sum((v for term in terms if (v := _value(term)) is not None), Fraction(0))
    kept = [term for term in terms if _value(term) is None]
    if constant or not kept:
        kept.append(_number(constant))
    return _chain(Op.ADD, kept)


def _product(args: list[Expr]) -> Expr:
    """Factors with one constant; a minus alone is NEG."""
    factors: list[Expr] = []
    constant = Fraction(1)
    for factor in (factor for arg in args for factor in flattened(Op.MUL, arg)):
        while isinstance(factor, Call) and factor.op is Op.NEG:
            constant, factor = -constant, factor.args[0]
        inner = flattened(Op.MUL, factor)
        for one in inner:
            value = _value(one)
            if value is None:
                factors.append(one)
            else:
                constant *= value
    if not factors:
        return _number(constant)
    if constant == -1:
        return Call(Op.NEG, (_chain(Op.MUL, factors),))
    return _chain(Op.MUL, factors if constant == 1 else [*factors, _number(constant)])


def _clip(args: tuple[Expr, ...]) -> Expr:
    value, low, high = args
    match value:
        case Literal():
            return Literal(evaluate(Call(Op.CLIP, args), {}))
        case Call(op=Op.CLIP, args=(inner, inner_low, inner_high)):
            outer = (low, high)
            bottom = low if _value(inner_low) is None else _clipped(inner_low, outer)
            top = high if _value(inner_high) is None else _clipped(inner_high, outer)
            return Call(Op.CLIP, (inner, bottom, top))
    return Call(Op.CLIP, args)


def _clipped(bound: Expr, outer: tuple[Expr, Expr]) -> Expr:
    return Literal(evaluate(Call(Op.CLIP, (bound, *outer)), {}))


def _grain(op: Op, arg: Expr) -> Expr:
    """A grain or a part of a calendar day is that of the value itself."""
    while isinstance(arg, Call) and arg.op is Op.TO_DATE:
        arg = arg.args[0]
    if op is Op.TO_DATE and kind_of(arg) is Kind.DATE:
        return arg
    return Call(op, (arg,))
