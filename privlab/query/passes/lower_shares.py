"""Say what is measured for a mean or a variance of a pure dataset: sums of shares."""

from __future__ import annotations

import math
from fractions import Fraction

from privlab.query.ask import Aggregate, Source
from privlab.query.passes.choose_step import FINEST, choose_step
from privlab.query.passes.lower_aggregate import HEADROOM, interval_of
from privlab.query.plan import Expr, Measure, MeasureKind
from privlab.query.shares import LINE, Share, whole
from privlab.terms.catalog import Table

LARGEST = 1 << 36
"""What one unit may move all shares by, together: noise of it is drawn from an epsilon of 2^-12 on."""

ENDS = 2
"""Steps that a clamp may be wider by, when its ends are not on the grid."""

ROUNDING = 24
"""Rounding to steps adds a twelfth of a squared step to a variance, and noise about
``2 / epsilon`` squared clamps over the rows."""


def lower_shares(
    aggregate: Aggregate,
    of: Expr,
    table: Table,
    where: Expr | None,
    source: Source,
    family: tuple[Share, ...],
) -> tuple[Measure, ...] | None:
    """The measures of a ``family`` of shares of the canonical expression ``of``.

    Before        After
    ------        -----
    AVG(x)        sums of how far x lies above the low end of its clamp, and below the high one
    VAR(x)        sums of the three shares of a parabola

    The step is the value's own where its shares then fit, else the finest with which
    they do.  None where that one would move a variance by more than noise of an
    epsilon of one does in a table of the declared cap.

    :raises BadQuery: as `lower_aggregate`.
    """
    inner, low, high = interval_of(aggregate, of, table, where, source)
    most = min(LARGEST // table.bound.rows, HEADROOM // table.row_cap)
    finest = (most if family == LINE else math.isqrt(most // 10)) - ENDS
    if finest < 1:
        return None
    width = high - low
    step = choose_step(of, Fraction(0), width, table, min(finest, FINEST))
    bottom, top = math.floor(low / step), math.ceil(high / step)
    if bottom == top:
        top += 1
    reach = top - bottom
    coarse = step != choose_step(of, Fraction(0), width, table)
    if whole(family, reach) > most or (coarse and ROUNDING * reach**2 < table.row_cap):
        return None
    ends = bottom * step, top * step
    return tuple(
        Measure(MeasureKind.SUM, inner, *ends, step, ends[0], share=share) for share in family
    )
