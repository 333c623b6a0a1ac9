"""Outputs that are linear in the noise, or ratios of two such: their intervals are exact.

``a * COUNT(*) + b * SUM(x) + c`` has a Gaussian error whose variance is known,
and a ratio of two of these has Fieller's interval, also where they share noise.
This module finds that shape in an expression; it knows no numbers yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from privlab.query.plan import Measure
from privlab.query.post.tree import (
    CallOut,
    LiteralOut,
    MeanOut,
    MeasureOut,
    Moment,
    Out,
    OutOp,
    Over,
    SharesOut,
    WindowOut,
)
from privlab.query.shares import CORNERS

ONE = LiteralOut(Fraction(1))

Combination = Mapping[Out, Fraction]
"""What is added up: leaves and their coefficients; the constant is that of `ONE`."""

UNDER_ONE: Combination = {ONE: Fraction(1)}


@dataclass(frozen=True, slots=True)
class Rational:
    """top / bottom; bottom is `UNDER_ONE` where nothing is divided.

    Leaves are `ONE`, measures, and windows that add up or move linear values.
    """

    top: Combination
    bottom: Combination

    @property
    def linear(self) -> bool:
        return self.bottom == UNDER_ONE

    @property
    def constant(self) -> Fraction | None:
        """Its value, where no leaf is noisy."""
        if not self.linear or set(self.top) - {ONE}:
            return None
        return self.top.get(ONE, Fraction(0))


def rational(out: Out, measures: tuple[Measure, ...]) -> Rational | None:
    """The shape of ``out``; None when it has another."""
    match out:
        case LiteralOut(value=value) if isinstance(value, Fraction):
            return Rational({ONE: value}, UNDER_ONE)
        case MeasureOut(index=index) if measures[index].chosen:
            return None  # a quantile has no noise that would be added to it
        case MeasureOut():
            return Rational({out: Fraction(1)}, UNDER_ONE)
        case MeanOut(total=total, count=count):
            below = MeasureOut(count)
            top: dict[Out, Fraction] = {MeasureOut(total): Fraction(1)}
            top[below] = measures[total].centre
            return Rational(_kept(top), {below: Fraction(1)})
        case SharesOut(kind=Moment.MEAN, parts=parts):
            return _mix(parts, measures)
        case WindowOut(kind=Over.SUM | Over.MEAN | Over.SHIFT, of=of) if of is not None:
            inner = rational(of, measures)
            linear = inner is not None and inner.linear and inner.constant is None
            return Rational({out: Fraction(1)}, UNDER_ONE) if linear else None
        case CallOut(op=OutOp.ADD | OutOp.MUL | OutOp.DIVIDE as op, args=args):
            found = [rational(arg, measures) for arg in args]
            known = [one for one in found if one is not None]
            if len(known) < len(args):
                return None
            join = {OutOp.ADD: _sum, OutOp.MUL: _product, OutOp.DIVIDE: _ratio}[op]
            shape: Rational | None = known[0]
            for one in known[1:]:
                shape = None if shape is None else join(shape, one)
            return shape
        case CallOut(op=OutOp.NEG, args=(inner_out,)):
            inner = rational(inner_out, measures)
            return None if inner is None else _times(inner, Fraction(-1))
    return None


def _mix(parts: tuple[int, ...], measures: tuple[Measure, ...]) -> Rational:
    """A mean from shares: the mix of what their corners stand for."""
    top: dict[Out, Fraction] = {}
    for at in parts:
        measure = measures[at]
        if measure.share is None:
            raise TypeError("a mix is of shares")
        half = (measure.high - measure.low) / 2
        top[MeasureOut(at)] = measure.low + half * (1 + CORNERS[measure.share][0])
    return Rational(_kept(top), {MeasureOut(at): Fraction(1) for at in parts})


def _kept(top: Mapping[Out, Fraction]) -> Combination:
    return {leaf: by for leaf, by in top.items() if by}


def combined(a: Combination, b: Combination, by: Fraction = Fraction(1)) -> Combination:
    """a + by * b."""
    found = dict(a)
    for leaf, factor in b.items():
        found[leaf] = found.get(leaf, Fraction(0)) + by * factor
    return _kept(found)


def _times(a: Rational, by: Fraction) -> Rational:
    return Rational(_kept({leaf: by * factor for leaf, factor in a.top.items()}), a.bottom)


def _sum(a: Rational, b: Rational) -> Rational | None:
    if a.bottom == b.bottom:
        return Rational(combined(a.top, b.top), a.bottom)
    if (constant := b.constant) is not None:
        return Rational(combined(a.top, a.bottom, constant), a.bottom)
    if (constant := a.constant) is not None:
        return Rational(combined(b.top, b.bottom, constant), b.bottom)
    return None


def _product(a: Rational, b: Rational) -> Rational | None:
    if (constant := b.constant) is not None:
        return _times(a, constant)
    if (constant := a.constant) is not None:
        return _times(b, constant)
    return None


def _ratio(a: Rational, b: Rational) -> Rational | None:
    if (constant := b.constant) is not None:
        return _times(a, 1 / constant) if constant else None
    if a.bottom == b.bottom:
        return _over(a.top, b.top)
    if (constant := a.constant) is not None:
        return _over(_times(Rational(b.bottom, UNDER_ONE), constant).top, b.top)
    return None


def _over(top: Combination, bottom: Combination) -> Rational | None:
    return Rational(top, bottom) if bottom else None


def weights_of(out: Out, measures: tuple[Measure, ...]) -> dict[int, Fraction] | None:
    """Coefficients, per step, of measures of one cell; None where it is not made of them alone."""
    shape = rational(out, measures)
    if shape is None or not shape.linear:
        return None
    found: dict[int, Fraction] = {}
    for leaf, by in shape.top.items():
        match leaf:
            case MeasureOut(index=index):
                found[index] = abs(by) * measures[index].step
            case WindowOut():
                return None
    return found or None
