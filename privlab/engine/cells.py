"""The group of each row, and the name of each group.

A group's code is its place among the plan's cells; its tag is made of its key values
alone, so that a unit's secret order of groups is the same in every question.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.connector.scan import DTYPES
from privlab.engine.expressions import fitted, translate
from privlab.engine.names import hashes_of
from privlab.kernels.rowtag import fold_words
from privlab.query.plan import Key, Plan
from privlab.terms.catalog import Kind

MAX_PLAIN_KEYS = 8
"""Up to so many texts are compared one by one; more are looked up."""


def group_codes(plan: Plan) -> pl.Expr:
    """The row's group: mixed radix over the keys, last key fastest; -1 for none."""
    code: pl.Expr = pl.lit(0, pl.Int64)
    known: pl.Expr = pl.lit(True, pl.Boolean)  # noqa: FBT003
    for key in plan.keys:
        index = place_in(key)
        code = code * len(key.values) + index
        known = known & (index >= 0)
    return pl.when(known).then(code).otherwise(-1)


def place_in(key: Key) -> pl.Expr:
    """The position of the row's value in the key's values, -1 for none."""
    value = translate(key.expr)
    if value.kind is not key.kind:
        raise TypeError("a key's values are of its expression's kind")
    places = {
        fit: place
        for place, one in enumerate(key.values)
        if (fit := fitted(one, key.kind)) is not None
    }
    null = next((place for place, one in enumerate(key.values) if one is None), -1)
    return (
        pl.when(value.expr.is_null())
        .then(pl.lit(null, pl.Int64))
        .otherwise(_lookup(value.expr, key.kind, places))
    )


def _lookup(value: pl.Expr, kind: Kind, places: dict[Any, int]) -> pl.Expr:
    run = run_of(kind, list(places))
    if run is not None and list(places.values()) == list(range(len(places))):
        first, last = run
        number = value.cast(pl.Int32).cast(pl.Int64) if kind is Kind.DATE else value
        return pl.when(number.is_between(first, last)).then(number - first).otherwise(-1)
    if len(places) <= MAX_PLAIN_KEYS:
        code: pl.Expr = pl.lit(-1, pl.Int64)
        for one, place in places.items():
            code = pl.when(value == pl.lit(one, DTYPES[kind])).then(place).otherwise(code)
        return code.cast(pl.Int64)
    old = pl.Series(list(places), dtype=DTYPES[kind])
    new = pl.Series(list(places.values()), dtype=pl.Int64)
    return value.replace_strict(old, new, default=-1, return_dtype=pl.Int64)


def run_of(kind: Kind, values: list[Any]) -> tuple[int, int] | None:
    """First and last, when the values are consecutive whole numbers or days."""
    if kind is Kind.DATE:
        numbers = [day.toordinal() - _EPOCH for day in values]
    elif kind is Kind.INT:
        numbers = values
    else:
        return None
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    return numbers[0], numbers[-1]


_EPOCH = 719163
"""1970-01-01 as a proleptic Gregorian ordinal."""


def group_tags(plan: Plan) -> NDArray[np.uint64]:
    """A 64-bit hash of each cell's key values: the same in every question that has the cell.

    SipHash-2-4 under a public key of zeros, folded over the keys, outermost first.
    It names cells; the secret order among them is the kernel's.
    """
    tags = np.zeros(plan.cells, dtype=np.uint64)
    everywhere = np.ones(plan.cells, dtype=np.bool_)
    zero = np.uint64(0)
    inner = plan.cells
    for position, key in enumerate(plan.keys):
        inner //= len(key.values)
        hashes = hashes_of(key.values)
        words = np.tile(np.repeat(hashes, inner), plan.cells // (inner * len(key.values)))
        fold_words(tags, words, everywhere, np.uint64(position), zero, zero)
    return tags
