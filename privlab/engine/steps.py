"""What a row adds to a sum, as a Polars expression: a whole number within public bounds."""

from __future__ import annotations

import polars as pl

from privlab.engine.expressions import Typed, divided, nearest, saturated
from privlab.query.plan import Measure
from privlab.query.shares import Share
from privlab.terms.catalog import Kind


def added(measure: Measure, value: Typed) -> pl.Expr:
    """What a row adds: its coded value, or a share of it, an integer within the radius."""
    found, share = coded(measure, value), measure.share
    if share is None:
        return found
    return shared(share, found.clip(0, measure.reach), measure.reach)


def shared(share: Share, k: pl.Expr, reach: int) -> pl.Expr:
    """`query.shares.share_of`, of a column."""
    match share:
        case Share.ABOVE:
            return k
        case Share.BELOW:
            return reach - k
        case Share.INNER:
            return 32 * k * (reach - k)
        case Share.RIGHT:
            side = 4 * k - reach
        case Share.LEFT:
            side = 3 * reach - 4 * k
    return side * side


def coded(measure: Measure, value: Typed) -> pl.Expr:
    """``floor((clamp(value) - centre) / step + 0.5)``, an integer within the reach.

    A date is its days, a time its seconds since 1970-01-01 (`query.epoch`).
    """
    radius = measure.reach
    if value.kind is Kind.DATE:
        value = Typed(value.expr.cast(pl.Int32).cast(pl.Int64), Kind.INT)
    if value.kind is Kind.DATETIME:
        return _ticked(measure, value.expr.cast(pl.Int64)).clip(-radius, radius)
    whole = all(x.denominator == 1 for x in (measure.low, measure.high, measure.centre))
    if value.kind is Kind.BOOL:
        value = Typed(value.expr.cast(pl.Int64), Kind.INT)
    if value.kind is Kind.INT and whole and measure.step == 1:
        low, high = saturated(int(measure.low)), saturated(int(measure.high))
        clamped = value.expr.clip(low, high)
        return (clamped - saturated(int(measure.centre))).clip(-radius, radius)
    low_f, high_f, centre = nearest(measure.low), nearest(measure.high), nearest(measure.centre)
    up, down = nearest(measure.step.denominator), nearest(measure.step.numerator)
    scaled = (value.as_float().clip(low_f, high_f) - centre) * up
    parts = scaled if down == 1 else divided(scaled, pl.lit(down))
    steps = (parts + 0.5).floor()
    return steps.cast(pl.Int64, strict=False).clip(-radius, radius)


def _ticked(measure: Measure, microseconds: pl.Expr) -> pl.Expr:
    """The same of a time, in whole numbers: half a step of 2^37 microseconds overflows nothing."""
    low, high, step = (int(one * 1_000_000) for one in (measure.low, measure.high, measure.step))
    return (2 * microseconds.clip(low, high) + step) // (2 * step)
