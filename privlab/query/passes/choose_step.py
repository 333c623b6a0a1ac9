"""Choose the grid on which a value is summed."""

from __future__ import annotations

import math
from fractions import Fraction

from privlab.query.kinds import EXTREMES, kind_of, outcomes
from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind, Table

TAKEN = EXTREMES | {Op.ADD, Op.SUB, Op.CLIP, Op.CASE, Op.COALESCE, Op.MOD, Op.REMAINDER}
"""Operations that give a combination of their arguments' multiples."""

FINE = 1 << 20
"""Steps across the range of a value that has no grid of its own."""

FINEST = 1 << 24
"""Most steps across a range: noise that hides a unit drowns anything finer."""


def choose_step(
    expr: Expr, low: Fraction, high: Fraction, table: Table, finest: int = FINEST
) -> Fraction:
    """The step, in the value's own unit: its own grid, made coarser where needed.

    A whole number has step 1, a decimal the step its contract states, times the
    constants it is multiplied with; anything else 2^-20 of its range, rounded
    up to 1, 2 or 5 times a power of ten.  Rounding a row to the grid moves it
    by at most half a step, far below the noise that hides the row.

    finest: most steps across the range.
    """
    width = max(high - low, abs(low), abs(high))
    if not width:
        return Fraction(1)
    own = grid(expr, table)
    if not own:
        return _round_up(width / min(FINE, finest))
    if width / own <= finest:
        return own
    return own * math.ceil(_round_up(width / finest / own))


def grid(expr: Expr, table: Table) -> Fraction | None:
    """A number of which every value of ``expr`` is a multiple, as far as is stated.

    Zero when every value is zero.
    """
    match expr:
        case Ref(column=name, kind=Kind.FLOAT):
            column = table.column(name)
            return None if column is None else column.step
        case Literal(value=int() | Fraction() as value):
            return abs(Fraction(value))
        case Call(op=Op.NEG | Op.ABS, args=(inner,)):
            return grid(inner, table)
        case Call(op=Op.MUL, args=args):
            grids = [grid(arg, table) for arg in args]
            known = [one for one in grids if one is not None]
            return math.prod(known, start=Fraction(1)) if len(known) == len(grids) else None
        case Call(op=Op.DIVIDE, args=(inner, Literal(value=int() | Fraction() as by))) if by:
            own = grid(inner, table)
            return None if own is None else own / abs(Fraction(by))
        case Call(op=Op.ROUND | Op.ROUND_EVEN, args=(inner, Literal(value=int() as digits))):
            return Fraction(10) ** -digits
        case Call(op=op, args=args) if op in TAKEN:
            values = [one for one in outcomes(op, args) if one != Literal(None)]
            grids = [grid(one, table) for one in values]
            known = [one for one in grids if one is not None]
            if len(known) == len(grids):
                return divisor(known)
    return Fraction(1) if kind_of(expr) is Kind.INT else None


def divisor(grids: list[Fraction]) -> Fraction:
    """The greatest common divisor of fractions."""
    bottom = math.lcm(*(grid.denominator for grid in grids))
    return Fraction(math.gcd(*(int(grid * bottom) for grid in grids)), bottom)


def _round_up(value: Fraction) -> Fraction:
    """The smallest 1, 2 or 5 times a power of ten that is not below ``value``."""
    power = Fraction(1)
    while power > value:
        power /= 10
    while power * 10 <= value:
        power *= 10
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= value)
