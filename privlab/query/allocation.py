"""How a loss is shared out among the purchases of one question: equal relative errors.

Counts, sums and means get parts with which their relative errors are the same, as far
as that is known from public facts.  A count is compared with the rows there are; a
sum with as many values in the middle of its clamp, without their signs; a mean with
half its clamp, about whose middle it is `OFF_CENTRE`.  How many rows there are is the same
in all of these and need not be known.  A count of units is compared with the units
that the contract declares.  What has no known relative error, a variance or a quantile
say, gets the part it would have if all were equal; and nobody gets less than a quarter
of that.

A choice of parts, nothing more: what is charged follows from the noise that is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from privlab.query.allocate import OFF_CENTRE, per_step
from privlab.query.joint import Purchase
from privlab.query.plan import Measure, MeasureKind, Question
from privlab.query.post.tree import MeanOut, MeasureOut, Moment, Out, SharesOut
from privlab.terms.loss import Currency

WHOLE = 1 << 12
"""Parts are in this many of all, rounded."""

LEAST = Fraction(1, 4)
"""Of an equal part."""

_ROUNDS = 200

Errors = Mapping[int, Fraction]
"""Per purchase, what divided by its part it adds to an output's error: to its squared
relative error where the noise is Gaussian, else to the error itself."""


def parts(question: Question, sold: Sequence[Purchase]) -> tuple[int, ...]:
    """Weights of the purchases, whole and positive; equal where a threshold ties them."""
    if question.plan.thresholded:
        return (1,) * len(sold)
    place = {at: number for number, one in enumerate(sold) for at in one.members}
    outs = dict.fromkeys(one.out for one in question.finish.outputs)
    found = [_errors(question, sold, place, out) for out in outs]
    known = [errors for errors in found if errors]
    free = sorted({number for errors in known for number in errors})
    shares = _balanced(known, free)
    each = Fraction(1, len(sold))
    room = each * len(free)
    return tuple(
        max(1, round(WHOLE * max(shares[number] * room, each * LEAST)))
        if number in shares
        else round(WHOLE * each) or 1
        for number in range(len(sold))
    )


def _balanced(outputs: Sequence[Errors], free: Sequence[int]) -> dict[int, Fraction]:
    """Parts, one in all, with which the largest error is least.

    For weights of the outputs the weighted errors are least for parts in proportion to
    the roots of what each adds; the weights of those with large errors are raised.
    """
    if not free:
        return {}
    weights = [1.0] * len(outputs)
    plain = [{number: float(by) for number, by in errors.items()} for errors in outputs]
    split = dict.fromkeys(free, 1 / len(free))
    for _ in range(_ROUNDS):
        needs = dict.fromkeys(free, 0.0)
        for weight, errors in zip(weights, plain, strict=True):
            for number, by in errors.items():
                needs[number] += weight * by
        roots = {number: math.sqrt(need) for number, need in needs.items()}
        whole = math.fsum(roots.values())
        split = {number: max(root / whole, 1e-6) for number, root in roots.items()}
        now = [math.fsum(by / split[n] for n, by in errors.items()) for errors in plain]
        largest = max(now)
        weights = [
            max(weight * math.sqrt(error / largest), 1e-12)
            for weight, error in zip(weights, now, strict=True)
        ]
        top = max(weights)
        weights = [weight / top for weight in weights]
    return {number: Fraction(round(part * WHOLE), WHOLE) for number, part in split.items()}


def _errors(
    question: Question, sold: Sequence[Purchase], place: Mapping[int, int], out: Out
) -> Errors | None:
    """None where no relative error is known."""
    measures, squared = question.plan.measures, question.currency is Currency.GDP

    def added(at: int, by: Fraction) -> tuple[int, Fraction]:
        """by: of one step, in the size of the output."""
        number = place[at]
        sensitivity = sold[number].sensitivity
        return number, sensitivity * (by**2 if squared else by)

    match out:
        case MeasureOut(index=index):
            size = _size(question, measures[index])
            return None if size is None else dict([added(index, 1 / size)])
        case MeanOut(total=total, count=count):
            radius = Fraction(measures[total].radius)
            return dict([added(total, 1 / radius), added(count, OFF_CENTRE)])
        case SharesOut(kind=Moment.MEAN, parts=shares):
            half = (measures[shares[0]].high - measures[shares[0]].low) / 2
            return dict([added(shares[0], per_step([measures[shares[0]]]) / half)])
    return None


def _size(question: Question, measure: Measure) -> Fraction | None:
    """What is typical of a measure for one row, in steps; None where it is not known."""
    match measure.kind:
        case MeasureKind.ROWS:
            return Fraction(1)
        case MeasureKind.UNITS if question.units and question.rows:
            return Fraction(question.units, question.rows)
        case MeasureKind.SUM if not measure.centre:
            low, high = measure.low / measure.step, measure.high / measure.step
            if low >= 0 or high <= 0:
                return abs(low + high) / 2 or None
            return (low**2 + high**2) / (2 * (high - low))
    return None
