"""Choose the grid on which a value is summed."""

from __future__ import annotations

import math
from fractions import Fraction

from privlab.query.plan import Call, Expr, Literal, Op, Ref
from privlab.terms.catalog import Kind, Table

FINE = 1 << 20
"""Steps across the range of a value that has no grid of its own."""

FINEST = 1 << 24
"""Most steps across a range: noise that hides a unit drowns anything finer."""


def choose_step(expr: Expr, low: Fraction, high: Fraction, table: Table) -> Fraction:
    """The step, in the value's own unit: its own grid, made coarser where needed.

    A whole number has step 1, a decimal the step its contract states, times the
    constants it is multiplied with; anything else 2^-20 of its range, rounded
    up to 1, 2 or 5 times a power of ten.  Rounding a row to the grid moves it
    by at most half a step, far below the noise that hides the row.
    """
    width = max(high - low, abs(low), abs(high))
    if not width:
        return Fraction(1)
    own = _grid(expr, table)
    if own is None:
        return _round_up(width / FINE)
    if width / own <= FINEST:
        return own
    return own * math.ceil(_round_up(width / FINEST / own))


def _grid(expr: Expr, table: Table) -> Fraction | None:
    """A number of which every value of ``expr`` is a multiple, as far as is stated."""
    match expr:
        case Ref(column=name, kind=kind):
            column = table.column(name)
            if kind is Kind.INT:
                return Fraction(1)
            return None if column is None else column.step
        case Literal(value=int() | Fraction() as value):
            return abs(Fraction(value)) or None
        case Call(op=Op.NEG | Op.ABS, args=(inner,)):
            return _grid(inner, table)
        case Call(op=Op.CLIP, args=(inner, *bounds)):
            own, edges = _grid(inner, table), [_grid(bound, table) for bound in bounds]
            return None if own is None else _divisor([own, *(edge for edge in edges if edge)])
        case Call(op=Op.YEAR | Op.MONTH | Op.DAY):
            return Fraction(1)
        case Call(op=Op.MUL, args=args):
            grids = [_grid(arg, table) for arg in args]
            known = [grid for grid in grids if grid is not None]
            return math.prod(known, start=Fraction(1)) if len(known) == len(grids) else None
        case Call(op=Op.ADD | Op.SUB, args=args):
            grids = [_grid(arg, table) for arg in args]
            known = [grid for grid in grids if grid is not None]
            return _divisor(known) if len(known) == len(grids) else None
    return None


def _divisor(grids: list[Fraction]) -> Fraction:
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
