"""A plan evaluated on a list of rows, in plain Python, for reading.

The bounding: of each unit, the first T rows that are in some group, in a
secret order; of the groups they are in, the G that a secret hash likes best;
in each of those, the first B rows.  A count of units takes the G best of the
groups of all the unit's rows.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from privlab.query.evaluate import evaluate
from privlab.query.plan import Measure, MeasureKind, Plan
from privlab.terms.catalog import Scalar

Row = Mapping[str, Scalar | None]


def hashed(*words: object) -> str:
    return hashlib.sha256("|".join(map(str, words)).encode()).hexdigest()


def cell_of(plan: Plan, row: Row) -> int | None:
    """The group of a row; None when `where` or a key leaves it out."""
    if plan.where is not None and evaluate(plan.where, row) is not True:
        return None
    cell = 0
    for key in plan.keys:
        value = evaluate(key.expr, row)
        if value not in key.values:
            return None
        cell = cell * len(key.values) + key.values.index(value)
    return cell


def coded(measure: Measure, row: Row) -> int:
    """What a row that is kept adds."""
    if measure.of is None:
        return 1
    value = evaluate(measure.of, row)
    if value is None:
        return 0
    if measure.kind is MeasureKind.ROWS:
        return 1
    assert isinstance(value, (int, Fraction))
    clamped = min(max(Fraction(value), measure.low), measure.high)
    return math.floor((clamped - measure.centre) / measure.step + Fraction(1, 2))


def chosen(plan: Plan, unit: str, found: set[int], secret: str) -> list[int]:
    """The cells of one unit that count."""
    return sorted(found, key=lambda cell: hashed(secret, unit, cell))[: plan.bound.groups]


def kept(plan: Plan, unit: str, rows: Sequence[Row], secret: str) -> list[tuple[int, Row]]:
    """The rows of one unit that count, with their cells."""
    order = sorted(range(len(rows)), key=lambda at: hashed(secret, unit, "row", at))
    placed = [(cell, rows[at]) for at in order if (cell := cell_of(plan, rows[at])) is not None]
    placed = placed[: plan.bound.rows]
    return [
        one
        for group in chosen(plan, unit, {cell for cell, _ in placed}, secret)
        for one in [pair for pair in placed if pair[0] == group][: plan.bound.rows_per_group]
    ]


def vectors(plan: Plan, table: Mapping[str, Sequence[Row]], secret: str) -> list[list[int]]:
    """Per measure, the exact sums per cell.  table: rows by unit."""
    found = [[0] * plan.cells for _ in plan.measures]
    for unit, rows in table.items():
        inside = kept(plan, unit, rows, secret)
        anywhere = {cell for row in rows if (cell := cell_of(plan, row)) is not None}
        for vector, measure in zip(found, plan.measures, strict=True):
            if measure.kind is MeasureKind.UNITS:
                for cell in chosen(plan, unit, anywhere, secret):
                    vector[cell] += 1
            else:
                for cell, row in inside:
                    vector[cell] += coded(measure, row)
    return found


def cells(plan: Plan) -> list[tuple[Scalar | None, ...]]:
    """The key values of each cell."""
    return list(itertools.product(*(key.values for key in plan.keys)))
