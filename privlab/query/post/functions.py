"""What each operation gives: of numbers, and of what they may be.

`value` is what is shown; it is total, and null where there is no value.  `box`
holds the results of all arguments inside the given boxes; None says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from privlab.query.post import boxes
from privlab.query.post.boxes import Box
from privlab.query.post.roots import exp_ends, ln_ends, sqrt_up
from privlab.query.post.tree import OutOp
from privlab.terms.catalog import Scalar

Value = Scalar | None

COMPARISONS = frozenset({OutOp.EQ, OutOp.NE, OutOp.LT, OutOp.LE, OutOp.GT, OutOp.GE})
CONDITIONS = COMPARISONS | {OutOp.AND, OutOp.OR, OutOp.NOT, OutOp.IS_NULL}
"""Operations that give true, false or null."""


def number(value: Value) -> Fraction | None:
    """A number, exact; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        return None
    return Fraction(value)


def shown(value: Fraction | None) -> Fraction | None:
    """A number of a size that is shown, on a grid where it has too many digits."""
    if value is None or abs(value) > boxes.MOST:
        return None
    if value.denominator.bit_length() <= 2 * boxes.GRID:
        return value
    return Fraction(round(value * (1 << boxes.GRID)), 1 << boxes.GRID)


# --- of numbers ----------------------------------------------------------------


def value(op: OutOp, args: Sequence[Value]) -> Value:
    """The value of an operation.  AND, OR, CASE and COALESCE see all their arguments."""
    if op in CONDITIONS:
        return condition(op, args)
    match op:
        case OutOp.CASE:
            for test, then in zip(args[:-1:2], args[1::2], strict=True):
                if test is True:
                    return then
            return args[-1]
        case OutOp.COALESCE:
            return next((one for one in args if one is not None), None)
    numbers = [number(one) for one in args]
    known = [one for one in numbers if one is not None]
    if op in (OutOp.MIN_OF, OutOp.MAX_OF):
        pick = min if op is OutOp.MIN_OF else max
        return pick(known, default=None)
    if len(known) < len(args):
        return None
    return shown(_number(op, known))


def _number(op: OutOp, args: Sequence[Fraction]) -> Fraction | None:
    a = args[0]
    match op:
        case OutOp.ADD:
            return sum(args, Fraction(0))
        case OutOp.MUL:
            return math.prod(args, start=Fraction(1))
        case OutOp.DIVIDE:
            return a / args[1] if args[1] else None
        case OutOp.MOD:
            return a - math.floor(a / args[1]) * args[1] if args[1] else None
        case OutOp.REMAINDER:
            return a - math.trunc(a / args[1]) * args[1] if args[1] else None
        case OutOp.NEG:
            return -a
        case OutOp.ABS:
            return abs(a)
        case OutOp.SIGN:
            return Fraction((a > 0) - (a < 0))
        case OutOp.ROUND:
            return boxes.rounded(a, int(args[1]))
        case OutOp.ROUND_EVEN:
            scale = Fraction(10) ** int(args[1])
            return round(a * scale) / scale
        case OutOp.FLOOR:
            return Fraction(math.floor(a))
        case OutOp.TRUNC:
            return Fraction(math.trunc(a))
        case OutOp.LEAST:
            return min(args)
        case OutOp.GREATEST:
            return max(args)
        case OutOp.SQRT:
            return sqrt_up(a) if a >= 0 else None
        case OutOp.LN:
            return _middle(ln_ends(a)) if a > 0 else None
        case OutOp.EXP:
            ends = exp_ends(a)
            return None if ends is None else _middle(ends)
        case OutOp.POWER:
            return _power(a, args[1])
    raise ValueError(f"{op} is no operation on numbers")


def _middle(ends: tuple[Fraction, Fraction]) -> Fraction:
    return (ends[0] + ends[1]) / 2


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator == 1:
        if base == 0 and exponent < 0:
            return None
        return base ** int(exponent)
    if base < 0 or (base == 0 and exponent < 0):
        return None
    if base == 0:
        return Fraction(0)
    ends = exp_ends(_middle(ln_ends(base)) * exponent)
    return None if ends is None else _middle(ends)


def condition(op: OutOp, args: Sequence[Value]) -> bool | None:
    """SQL's three values: what is compared with null is not known."""
    match op:
        case OutOp.IS_NULL:
            return args[0] is None
        case OutOp.NOT:
            return None if args[0] is None else args[0] is False
        case OutOp.AND:
            if any(one is False for one in args):
                return False
            return None if any(one is None for one in args) else True
        case OutOp.OR:
            if any(one is True for one in args):
                return True
            return None if any(one is None for one in args) else False
    a, b = args
    if a is None or b is None:
        return None
    return _compared(op, a, b)


def _compared(op: OutOp, a: Scalar, b: Scalar) -> bool | None:
    try:
        match op:
            case OutOp.EQ:
                return a == b
            case OutOp.NE:
                return a != b
            case OutOp.LT:
                return a < b  # type: ignore[operator]
            case OutOp.LE:
                return a <= b  # type: ignore[operator]
            case OutOp.GT:
                return a > b  # type: ignore[operator]
            case _:
                return a >= b  # type: ignore[operator]
    except TypeError:
        return None


# --- of what they may be ---------------------------------------------------------


def box(op: OutOp, args: Sequence[Box | None], given: Sequence[Value]) -> Box | None:
    """The box of an operation on numbers.

    given: constants among the arguments, None elsewhere: digits and exponents.
    CASE and COALESCE are not here: they depend on conditions and on nulls.
    """
    known = [one for one in args if one is not None]
    if len(known) < len(args) or not known:
        return None
    a = known[0]
    match op:
        case OutOp.ADD:
            found: Box | None = a
            for one in known[1:]:
                found = boxes.add(found, one)  # type: ignore[arg-type]
            return found
        case OutOp.MUL:
            found = a
            for one in known[1:]:
                found = boxes.mul(found, one)
            return found
        case OutOp.DIVIDE:
            return boxes.divide(a, known[1])
        case OutOp.MOD | OutOp.REMAINDER:
            return _modulo(op, a, number(given[1]))
        case OutOp.NEG:
            return boxes.neg(a)
        case OutOp.ABS:
            return boxes.absolute(a)
        case OutOp.SIGN:
            below, same, above = boxes.compare(a, boxes.point(Fraction(0)))
            signs = [Fraction(s) for s, can in ((-1, below), (0, same), (1, above)) if can]
            return min(signs), max(signs)
        case OutOp.ROUND | OutOp.ROUND_EVEN:
            digits = number(given[1])
            if digits is None:
                return None
            return boxes.monotone(a, lambda end: _number(op, [end, digits]) or Fraction(0))
        case OutOp.FLOOR:
            return boxes.monotone(a, lambda end: Fraction(math.floor(end)))
        case OutOp.TRUNC:
            return boxes.monotone(a, lambda end: Fraction(math.trunc(end)))
        case OutOp.SQRT:
            return boxes.root(a)
        case OutOp.LN:
            return boxes.logarithm(a)
        case OutOp.EXP:
            return boxes.exponential(a)
        case OutOp.POWER:
            return _powers(a, number(given[1]))
        case OutOp.LEAST | OutOp.MIN_OF:
            return boxes.least([low for low, _ in known]), _lowest([high for _, high in known])
        case OutOp.GREATEST | OutOp.MAX_OF:
            flipped = box(OutOp.LEAST, [boxes.neg(one) for one in known], given)
            return None if flipped is None else boxes.neg(flipped)
    return None


def _lowest(ends: list[Fraction | None]) -> Fraction | None:
    """The least of upper ends, where no end is above all others."""
    return min((end for end in ends if end is not None), default=None)


def _modulo(op: OutOp, a: Box, by: Fraction | None) -> Box | None:
    """Exact inside one period, else all of it."""
    if not by:
        return None
    low, high = a
    if low is not None and high is not None:
        turn = math.floor if op is OutOp.MOD else math.trunc
        if turn(low / by) == turn(high / by) and (op is OutOp.MOD or low >= 0 or high <= 0):
            shift = turn(low / by) * by
            return low - shift, high - shift
    if op is OutOp.MOD:
        return min(by, Fraction(0)), max(by, Fraction(0))
    size = abs(by)
    bottom = Fraction(0) if low is not None and low >= 0 else -size
    return bottom, Fraction(0) if high is not None and high <= 0 else size


def _powers(a: Box, exponent: Fraction | None) -> Box | None:
    if exponent is None:
        return None
    if exponent.denominator == 1:
        return boxes.power(a, int(exponent))
    logs = boxes.logarithm(a)
    if logs is None:
        return None
    found = boxes.exponential(boxes.mul(logs, boxes.point(exponent)))
    low = a[0]
    if exponent > 0 and (low is None or low <= 0):
        return Fraction(0), found[1]
    return found


def outcomes(op: OutOp, args: Sequence[Box | None]) -> frozenset[bool]:
    """Which answers a comparison of known numbers can have."""
    both = frozenset({True, False})
    if len(args) != 2 or args[0] is None or args[1] is None:
        return both
    below, same, above = boxes.compare(args[0], args[1])
    yes = {
        OutOp.EQ: (same,),
        OutOp.NE: (below, above),
        OutOp.LT: (below,),
        OutOp.LE: (below, same),
        OutOp.GT: (above,),
        OutOp.GE: (above, same),
    }[op]
    a, b = args[0], args[1]
    single = a[0] == a[1] == b[0] == b[1] and a[0] is not None
    no = {
        OutOp.EQ: not single,
        OutOp.NE: same,
        OutOp.LT: same or above,
        OutOp.LE: above,
        OutOp.GT: same or below,
        OutOp.GE: below,
    }[op]
    return frozenset({True} if any(yes) else ()) | frozenset({False} if no else ())
