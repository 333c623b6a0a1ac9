"""A contract's treatments as expressions: what is stored instead of what was read.

The meaning of each is `terms.treatment.treated`.  All are total; where a result has
no place in the column's type it is null.
"""

from __future__ import annotations

import polars as pl

from privlab.connector.scan import DTYPES
from privlab.terms.catalog import Kind
from privlab.terms.treatment import MASKED, Coarsening, Treatment

_TRUNCATED = {
    "minute": "1m",
    "hour": "1h",
    "day": "1d",
    "week": "1w",
    "month": "1mo",
    "quarter": "1q",
    "year": "1y",
}
_SMALLEST = -(1 << 63)


def coarse(read: pl.Expr, kind: Kind, treatment: Treatment) -> pl.Expr:
    """``read`` is the column as its kind, as `connector.scan` gives it."""
    if isinstance(treatment, Coarsening):
        return _coarsened(read, kind, treatment)
    if treatment.mask:
        return read.str.replace_all(f"(?s){MASKED}", "x").str.replace_all("[0-9]", "0")
    if treatment.text is None:
        return pl.lit(None, dtype=DTYPES[kind])
    return pl.when(read.is_not_null()).then(pl.lit(treatment.text))


def _coarsened(read: pl.Expr, kind: Kind, how: Coarsening) -> pl.Expr:
    if how.step is None:
        if how.grain:
            return read.dt.truncate(_TRUNCATED[how.grain])
        return read.str.slice(0, how.prefix)
    if kind is Kind.INT:
        step = int(how.step)
        return pl.when(read >= _SMALLEST + step - 1).then(read - read % step)
    return _stepped(read, how.step.numerator, how.step.denominator)


def _stepped(read: pl.Expr, above: int, below: int) -> pl.Expr:
    """Down to a multiple of above / below, whose float is the nearest there is.

    Dividing may round up past a multiple or down from one: the nearest multiple
    is taken, and the one before it where that is above the value.
    """
    near = (read * float(below) / float(above)).round()
    divisor = read * 0.0 + float(below)  # by a number Polars multiplies with its inverse
    nearest, before = (k * float(above) / divisor for k in (near, near - 1.0))
    down = pl.when(nearest <= read).then(nearest).otherwise(before)
    return pl.when(down == 0.0).then(0.0).when(down.is_finite()).then(down)
