"""What is certain about an output before any noise is looked at.

Counts are not negative, a mean lies within the clamp of its values, a part is no
more than its whole: all of it follows from the plan.  An interval cut to such a
range covers as often.
"""

from __future__ import annotations

from fractions import Fraction

from privlab.query.plan import Measure, MeasureKind
from privlab.query.post import functions
from privlab.query.post.boxes import ALL, Box, hull, root, within
from privlab.query.post.linear import ONE, Rational, rational
from privlab.query.post.tree import (
    CallOut,
    LiteralOut,
    MeanOut,
    MeasureOut,
    Moment,
    MomentOut,
    Out,
    OutOp,
    Over,
    SharesOut,
    WindowOut,
)

ZERO = Fraction(0)
UP: Box = (ZERO, None)

Measures = tuple[Measure, ...]


def certain(out: Out, measures: Measures) -> Box:
    """The range of the exact value, where it has one; `ALL` where nothing is certain."""
    match out:
        case MeasureOut(index=index) if measures[index].chosen:
            return measures[index].low, measures[index].high
        case MeasureOut(index=index):
            return _sum(measures[index])
        case MeanOut(total=total):
            return measures[total].low, measures[total].high
        case MomentOut():
            return moment_range(out, measures)
        case SharesOut():
            return shares_range(out, measures)
        case LiteralOut(value=Fraction() as value):
            return value, value
        case WindowOut():
            return _window(out, measures)
        case CallOut(op=OutOp.CASE, args=args):
            return _choice((*args[1::2], args[-1]), measures)
        case CallOut(op=OutOp.COALESCE, args=args):
            return _choice(args, measures)
        case CallOut(op=op, args=args) if op not in functions.CONDITIONS:
            given = [one.value if isinstance(one, LiteralOut) else None for one in args]
            if op is OutOp.DIVIDE:
                return _ratio(out, measures)
            return functions.box(op, [certain(one, measures) for one in args], given) or ALL
    return ALL


def _choice(outs: tuple[Out, ...], measures: Measures) -> Box:
    found = [certain(one, measures) for one in outs if one != LiteralOut(None)]
    return hull(found) if found else ALL


def _ratio(out: CallOut, measures: Measures) -> Box:
    """Of what is not negative; and of a part and its whole, where that is more."""
    top, bottom = (certain(one, measures) for one in out.args)
    found = functions.box(OutOp.DIVIDE, [top, bottom], [None, None]) or ALL
    if _positive(top) and _positive(bottom):
        found = UP
    shape = rational(out, measures)
    return found if shape is None or shape.linear else within(found, _share(shape, measures))


def _positive(box: Box) -> bool:
    return box[0] is not None and box[0] >= 0


def _sum(measure: Measure) -> Box:
    """A total of values that are all on one side of zero is on that side."""
    if measure.kind is not MeasureKind.SUM or measure.low >= measure.centre:
        return UP
    return (None, ZERO) if measure.high <= measure.centre else ALL


def _window(out: WindowOut, measures: Measures) -> Box:
    match out.kind:
        case Over.RANK | Over.DENSE_RANK | Over.ROW_NUMBER:
            return Fraction(1), None
        case Over.COUNT:
            return UP
    low, high = ALL if out.of is None else certain(out.of, measures)
    if out.kind is Over.SUM:
        return (
            ZERO if low is not None and low >= 0 else None,
            ZERO if high is not None and high <= 0 else None,
        )
    return low, high


def moment_range(out: MomentOut, measures: Measures) -> Box:
    """Popoviciu: a variance is at most a quarter of the squared width of the clamp.

    With one less below the line it is at most twice that, of two rows at least.
    """
    if out.kind is Moment.CORR:
        return Fraction(-1), Fraction(1)
    reach = Fraction(1)
    for index in (out.first, out.second):
        reach *= (measures[index].high - measures[index].low) / 2
    if out.kind in (Moment.VAR_SAMP, Moment.STDDEV_SAMP, Moment.COVAR_SAMP):
        reach *= 2
    if out.kind in (Moment.COVAR_POP, Moment.COVAR_SAMP):
        return -reach, reach
    if out.kind in (Moment.STDDEV_POP, Moment.STDDEV_SAMP):
        return root((ZERO, reach)) or UP
    return ZERO, reach


def shares_range(out: SharesOut, measures: Measures) -> Box:
    """The clamp of a mean; of a variance as `moment_range`."""
    measure = measures[out.parts[0]]
    if out.kind is Moment.MEAN:
        return measure.low, measure.high
    at = out.parts[0]
    return moment_range(MomentOut(out.kind, at, at, at, at), measures)


def _share(shape: Rational, measures: Measures) -> Box:
    """A part over its whole: from zero to the factor between them."""
    combinations = (shape.top, shape.bottom)
    for leaf, by in (pair for one in combinations for pair in one.items()):
        if by < 0 or not (leaf == ONE or _positive(certain(leaf, measures))):
            return ALL
    most = ZERO
    for leaf, by in shape.top.items():
        whole = sum((_holds(big, leaf, measures) * per for big, per in shape.bottom.items()), ZERO)
        if not whole:
            return UP
        most += by / whole
    return ZERO, most


def _holds(big: Out, small: Out, measures: Measures) -> Fraction:
    """How often ``small`` is at least part of ``big``, where neither is negative."""
    if big == small:
        return Fraction(1)
    match big, small:
        case MeasureOut(index=whole), MeasureOut(index=part):
            kinds = {measures[whole].kind, measures[part].kind}
            of_one = kinds in ({MeasureKind.ROWS}, {MeasureKind.UNITS})
            return Fraction(1 if of_one and measures[whole].of is None else 0)
        case WindowOut(kind=Over.SUM, of=of), _ if of is not None:
            inner = rational(of, measures)
            if inner is not None and inner.linear and all(by >= 0 for by in inner.top.values()):
                return sum(
                    (_holds(one, small, measures) * by for one, by in inner.top.items()), ZERO
                )
    return ZERO
