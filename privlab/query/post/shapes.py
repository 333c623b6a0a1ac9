"""The kind of an output, and one form for outputs that mean the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from privlab.query.epoch import dated
from privlab.query.kinds import kind_of_value
from privlab.query.plan import Key, Measure
from privlab.query.post import functions
from privlab.query.post.encoding import encode_out
from privlab.query.post.functions import CONDITIONS
from privlab.query.post.tree import (
    CallOut,
    KeyOut,
    LiteralOut,
    MeasureOut,
    Order,
    Out,
    OutOp,
    WindowOut,
)
from privlab.terms.catalog import Kind, Scalar

CHAINS = frozenset({OutOp.ADD, OutOp.MUL, OutOp.AND, OutOp.OR})
SORTED = CHAINS | {OutOp.LEAST, OutOp.GREATEST, OutOp.MIN_OF, OutOp.MAX_OF, OutOp.EQ, OutOp.NE}
FLIPPED = {OutOp.GT: OutOp.LT, OutOp.GE: OutOp.LE}
NEGATED = {
    OutOp.EQ: OutOp.NE,
    OutOp.NE: OutOp.EQ,
    OutOp.LT: OutOp.GE,
    OutOp.LE: OutOp.GT,
    OutOp.GT: OutOp.LE,
    OutOp.GE: OutOp.LT,
}
ONE = LiteralOut(Fraction(1))
ZERO = LiteralOut(Fraction(0))
NULL = LiteralOut(None)
TRUE = LiteralOut(value=True)


def kind_of_out(out: Out, keys: Sequence[Key], measures: Sequence[Measure] = ()) -> Kind | None:
    """FLOAT for every number that is made; None for a bare null.

    measures: of which some may be of dates or times; none of them where it is empty.
    """
    match out:
        case MeasureOut(index=index) if index < len(measures):
            return dated(measures[index]) or Kind.FLOAT
        case KeyOut(index=index):
            return keys[index].kind
        case LiteralOut(value=value):
            return None if value is None else kind_of_value(value)
        case CallOut(op=op, args=args):
            if op in CONDITIONS:
                return Kind.BOOL
            if op is OutOp.CASE:
                args = (*args[1::2], args[-1])
            elif op is not OutOp.COALESCE:
                return Kind.FLOAT
            kinds = [kind_of_out(arg, keys, measures) for arg in args]
            return next((kind for kind in kinds if kind is not None), None)
    return Kind.FLOAT


def call(op: OutOp, *args: Out) -> Out:
    """An operation in the form that its equals share.

    Before              After
    ------              -----
    b + a               a + b
    (a + b) + c         a + b + c
    a / 2               1/2 * a
    (100 * a) / b       100 * (a / b)
    a / NULLIF(b, 0)    a / b
    a * a               a ^ 2
    5 < a               NOT: a > 5 is 5 < a
    NOT (a < 5)         5 <= a
    """
    if op in FLIPPED:
        return call(FLIPPED[op], *reversed(args))
    listed = list(args)
    if op in CHAINS:
        listed = [part for arg in args for part in _flat(op, arg)]
        if op in (OutOp.ADD, OutOp.MUL):
            return _arithmetic(op, listed)
        listed = _without(op, listed)
        if len(listed) == 1:
            return listed[0]
    if op in SORTED:
        listed.sort(key=_text)
    match op, listed:
        case OutOp.NEG, [inner]:
            return call(OutOp.MUL, LiteralOut(Fraction(-1)), inner)
        case OutOp.NOT, [CallOut(op=inner_op, args=inner_args)] if inner_op in NEGATED:
            return call(NEGATED[inner_op], *inner_args)
        case OutOp.NOT, [CallOut(op=OutOp.NOT, args=(inner,))]:
            return inner
        case OutOp.DIVIDE, [top, bottom]:
            return _quotient(top, bottom)
    if all(isinstance(one, LiteralOut) for one in listed):
        folded = functions.value(op, [one.value for one in listed if isinstance(one, LiteralOut)])
        return _literal(folded)
    return CallOut(op, tuple(listed))


def normal(out: Out) -> Out:
    """``out`` built anew, after its measures were renumbered."""
    match out:
        case CallOut(op=op, args=args):
            return call(op, *map(normal, args))
        case WindowOut(of=of, order=order):
            return replace(
                out,
                of=None if of is None else normal(of),
                order=tuple(Order(normal(one.by), one.descending) for one in order),
            )
    return out


def _literal(value: Scalar | None) -> LiteralOut:
    number = functions.number(value)
    return LiteralOut(value if number is None else number)


def _flat(op: OutOp, out: Out) -> list[Out]:
    return list(out.args) if isinstance(out, CallOut) and out.op is op else [out]


def _without(op: OutOp, listed: list[Out]) -> list[Out]:
    """AND and OR without what says nothing, each condition once."""
    plain = LiteralOut(op is OutOp.AND)
    kept = [one for one in dict.fromkeys(listed) if one != plain]
    return kept or [plain]


def _arithmetic(op: OutOp, listed: list[Out]) -> Out:
    """A sum or a product: constants first and in one, equal factors as a power."""
    if any(one == NULL for one in listed):
        return NULL
    constants = [
        one.value
        for one in listed
        if isinstance(one, LiteralOut) and isinstance(one.value, Fraction)
    ]
    rest: list[Out] = [one for one in listed if not isinstance(one, LiteralOut)]
    rest.sort(key=_text)
    constant = functions.number(functions.value(op, constants)) if constants else None
    if constants and constant is None:
        return NULL
    if op is OutOp.MUL:
        rest = [
            one if times == 1 else CallOut(OutOp.POWER, (one, LiteralOut(Fraction(times))))
            for one, times in ((one, rest.count(one)) for one in dict.fromkeys(rest))
        ]
    neutral = Fraction(0 if op is OutOp.ADD else 1)
    if constant is not None and (constant != neutral or not rest):
        rest = [LiteralOut(constant), *rest]
    if len(rest) == 2 and op is OutOp.MUL and isinstance(rest[0], LiteralOut):
        match rest[1]:
            case CallOut(op=OutOp.ADD, args=terms):  # a factor goes to every term
                return call(OutOp.ADD, *(call(OutOp.MUL, rest[0], term) for term in terms))
    return rest[0] if len(rest) == 1 else CallOut(op, tuple(rest))


def _quotient(top: Out, bottom: Out) -> Out:
    match bottom:
        case LiteralOut(value=Fraction() as divisor):
            return call(OutOp.MUL, LiteralOut(1 / divisor), top) if divisor else NULL
        case CallOut(op=OutOp.CASE, args=(test, empty, value)) if empty == NULL and test == call(
            OutOp.EQ, value, ZERO
        ):
            bottom = value  # NULLIF(value, 0): nothing is divided by zero anyway
    by, left = _factored(top)
    per, right = _factored(bottom)
    if by is None or per is None or not per:
        return CallOut(OutOp.DIVIDE, (top, bottom))
    if isinstance(left, LiteralOut) and by:
        left, by = LiteralOut(by), Fraction(1)
    return call(OutOp.MUL, LiteralOut(by / per), CallOut(OutOp.DIVIDE, (left, right)))


def _factored(out: Out) -> tuple[Fraction | None, Out]:
    """A constant factor, and what it multiplies."""
    match out:
        case CallOut(op=OutOp.MUL, args=(LiteralOut(value=Fraction() as by), *rest)):
            return by, rest[0] if len(rest) == 1 else CallOut(OutOp.MUL, tuple(rest))
        case LiteralOut(value=value):
            return (value, ONE) if isinstance(value, Fraction) else (None, out)
    return Fraction(1), out


def _text(out: Out) -> str:
    return json.dumps(encode_out(out), sort_keys=True)
