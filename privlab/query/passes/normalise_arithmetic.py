"""One form for sums, products, quotients and clips that mean the same.

Arguments are in their form already.
"""

from __future__ import annotations

from fractions import Fraction

from privlab.query.encoding import canonical_text, encode_expr
from privlab.query.evaluate import evaluate
from privlab.query.kinds import ROUNDINGS, flattened, kind_of
from privlab.query.plan import Call, Expr, Literal, Op
from privlab.terms.catalog import Kind

ONE = Literal(1)


def sort_key(expr: Expr) -> str:
    """An order of expressions that no analyst chose."""
    return canonical_text(encode_expr(expr))


def chain(op: Op, terms: list[Expr]) -> Expr:
    """Terms sorted and left-nested: ``((a op b) op c)``."""
    ordered = sorted(terms, key=sort_key)
    found = ordered[0]
    for term in ordered[1:]:
        found = Call(op, (found, term))
    return found


def added(expr: Expr) -> list[Expr]:
    """The terms of a chain of sums and differences: ``a - b + c`` is a, -b and c."""
    match expr:
        case Call(op=Op.ADD, args=args):
            return [term for arg in args for term in added(arg)]
        case Call(op=Op.SUB, args=(left, right)):
            return [*added(left), Call(Op.NEG, (right,))]
    return [expr]


def normalise_arithmetic(op: Op, args: tuple[Expr, ...]) -> Expr:
    """A sum, product, quotient, rounding or clip in its form.

    Before                      After
    ------                      -----
    x + -1                      -1 + x
    floor(x / 10)               x // 10
    x // 1                      x                   (x is a whole number)
    clip(clip(x, 0, _), _, 9)   clip(x, 0, 9)
    """
    if op is Op.CLIP:
        return _clip(args)
    if op is Op.NEG:
        return _product([Literal(-1), args[0]])
    if op is Op.SUB:
        return _sum([args[0], _product([Literal(-1), args[1]])])
    if op is Op.MUL:
        return _product(list(args))
    if op is Op.ADD:
        return _sum(list(args))
    call = Call(op, args)
    if all(isinstance(arg, Literal) for arg in args):
        return Literal(evaluate(call, {}))
    if op in (Op.FLOOR_DIV, Op.TRUNC_DIV):
        return _whole_quotient(op, args[0], args[1])
    if op in ROUNDINGS:
        value, digits = args
        fine = isinstance(digits, Literal) and isinstance(digits.value, int) and digits.value >= 0
        return value if fine and kind_of(value) is Kind.INT else call
    if op is Op.DIVIDE and args[1] == ONE and kind_of(args[0]) is Kind.FLOAT:
        return args[0]
    if op is Op.ABS and isinstance(args[0], Call) and args[0].op is Op.ABS:
        return args[0]
    return call


def _whole_quotient(op: Op, top: Expr, bottom: Expr) -> Expr:
    """Whole parts of quotients: by one, of quotients, and of products that come out even."""
    if bottom == ONE:
        if kind_of(top) is Kind.INT:
            return top
        negative = isinstance(top, Call) and top.op is Op.NEG
        inner = top.args[0] if isinstance(top, Call) and negative else top
        if isinstance(inner, Call) and inner.op is Op.DIVIDE:
            above, below = inner.args
            if negative:
                above = _product([Literal(-1), above])
            return _whole_quotient(op, above, below)
        return Call(op, (top, bottom))
    by = value_of(bottom)
    if by is not None and by.denominator == 1 and by and isinstance(top, Call) and top.op is Op.MUL:
        factors = flattened(Op.MUL, top)
        constant = next((value for one in factors if (value := value_of(one)) is not None), None)
        if constant is not None and kind_of(top) is Kind.INT and (constant / by).denominator == 1:
            kept = [one for one in factors if value_of(one) is None]
            return _product([*kept, _number(constant / by)])
    return Call(op, (top, bottom))


def _number(value: Fraction) -> Literal:
    return Literal(int(value) if value.denominator == 1 else value)


def value_of(expr: Expr) -> Fraction | None:
    match expr:
        case Literal(value=int() | Fraction() as value) if not isinstance(value, bool):
            return Fraction(value)
    return None


def _sum(args: list[Expr]) -> Expr:
    terms = [term for arg in args for term in flattened(Op.ADD, arg)]
    constant = sum((v for term in terms if (v := value_of(term)) is not None), Fraction(0))
    kept = [term for term in terms if value_of(term) is None]
    if constant or not kept:
        kept.append(_number(constant))
    return chain(Op.ADD, kept)


def _product(args: list[Expr]) -> Expr:
    """Factors with one constant; a minus alone is NEG."""
    factors: list[Expr] = []
    constant = Fraction(1)
    for factor in (factor for arg in args for factor in flattened(Op.MUL, arg)):
        while isinstance(factor, Call) and factor.op is Op.NEG:
            constant, factor = -constant, factor.args[0]
        inner = flattened(Op.MUL, factor)
        for one in inner:
            value = value_of(one)
            if value is None:
                factors.append(one)
            else:
                constant *= value
    if not factors:
        return _number(constant)
    if constant == -1:
        return Call(Op.NEG, (chain(Op.MUL, factors),))
    return chain(Op.MUL, factors if constant == 1 else [*factors, _number(constant)])


def _clip(args: tuple[Expr, ...]) -> Expr:
    value, low, high = args
    match value:
        case Literal():
            return Literal(evaluate(Call(Op.CLIP, args), {}))
        case Call(op=Op.CLIP, args=(inner, inner_low, inner_high)):
            outer = (low, high)
            bottom = low if value_of(inner_low) is None else _clipped(inner_low, outer)
            top = high if value_of(inner_high) is None else _clipped(inner_high, outer)
            return Call(Op.CLIP, (inner, bottom, top))
    return Call(Op.CLIP, args)


def _clipped(bound: Expr, outer: tuple[Expr, Expr]) -> Expr:
    return Literal(evaluate(Call(Op.CLIP, (bound, *outer)), {}))
