"""What an interval does not cover: rows left out, and values clamped.

An interval is about the sum that was measured, of bounded rows and clamped
values, and not about the sum of the column.  The difference between them is the
same in every measurement, so no precision makes it smaller.  What can be said
about it without a look at the rows is its direction; how many values were
clamped can be measured like any other count.

Nothing calls this yet: captions name bounds and clamps, and no side.
"""

from __future__ import annotations

import math
from enum import Enum
from fractions import Fraction

from privlab.terms.exact import fraction


class Lean(Enum):
    """On which side of the total of all rows a measured total can be."""

    NEITHER = "nothing is left out or clamped"
    LOW = "never above the total of all rows"
    HIGH = "never below the total of all rows"
    EITHER = "above or below the total of all rows"


def lean(low: Fraction, high: Fraction, *, rows_left_out: bool, below: bool, above: bool) -> Lean:
    """How a sum of values clamped to ``low..high`` differs from that of all rows.

    low, high: the clamp, in the column's own unit (1 and 1 for a count of rows);
    rows_left_out: the bound may leave rows out; below, above: values may lie
    beyond that end of the clamp.

    A row left out takes away a value of ``low`` or more, ``high`` or less; or,
    if it lay beyond an end, of any size on that side.

    :raises ValueError: ``low > high``.
    """
    if fraction("a low end", low) > fraction("a high end", high):
        raise ValueError(f"{low}..{high} is empty")
    too_low = above or (rows_left_out and high > 0)
    too_high = below or (rows_left_out and low < 0)
    if too_low and too_high:
        return Lean.EITHER
    if too_low:
        return Lean.LOW
    return Lean.HIGH if too_high else Lean.NEITHER


def clamped_words(interval: tuple[Fraction, Fraction] | None, what: str) -> str:
    """How many values were clamped: "0.4 % to 2.1 % of stay_days clamped".

    interval: of the noisy count of clamped values over the noisy count of all,
    from `ratio` or `ratio_box`; what: a name for the values.  Ends are rounded
    outwards to tenths of a percent.  A share is from 0 to 1, so within that the
    interval covers as often; where it says no more, or lies outside, nothing is
    known.
    """
    low, high = interval or (0, 1)
    tenths_low = max(0, math.floor(1000 * low))
    tenths_high = min(1000, math.ceil(1000 * high))
    if tenths_low > tenths_high or (tenths_low, tenths_high) == (0, 1000):
        return f"an unknown share of {what} clamped"
    if tenths_low == 0:
        return f"at most {_percent(tenths_high)} of {what} clamped"
    return f"{_percent(tenths_low)} to {_percent(tenths_high)} of {what} clamped"


def _percent(tenths: int) -> str:
    whole, tenth = divmod(tenths, 10)
    return f"{whole}.{tenth} %" if tenth else f"{whole} %"
