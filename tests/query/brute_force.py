"""A plan evaluated on a list of rows, in plain Python, for reading.

The bounding: of each unit, the first T rows that are in some group, in a
secret order; of the groups they are in, the G that a secret hash likes best;
in each of those, the first B rows.  A count of units takes the G best of the
groups of all the unit's rows; a quantile the first value in each of the G best
of the groups in which the unit has one.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

from privlab.query.epoch import number_of
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
    if isinstance(value, date):
        value = number_of(value)
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
    """Per measure, the exact sums per cell; of a quantile zeros.  table: rows by unit."""
    found = [[0] * plan.cells for _ in plan.measures]
    values: list[set[tuple[int, Scalar]]] = [set() for _ in plan.measures]
    for unit, rows in table.items():
        inside = kept(plan, unit, rows, secret)
        anywhere = {cell for row in rows if (cell := cell_of(plan, row)) is not None}
        for at, (vector, measure) in enumerate(zip(found, plan.measures, strict=True)):
            if measure.kind is MeasureKind.UNITS:
                for cell in chosen(plan, unit, anywhere, secret):
                    vector[cell] += 1
            elif measure.kind is MeasureKind.DISTINCT and measure.of is not None:
                seen = ((cell, evaluate(measure.of, row)) for cell, row in inside)
                values[at] |= {(cell, value) for cell, value in seen if value is not None}
            elif not measure.chosen:
                for cell, row in inside:
                    vector[cell] += coded(measure, row)
    for vector, pairs in zip(found, values, strict=True):
        for cell, _ in pairs:
            vector[cell] += 1
    return found


def scores(
    plan: Plan, measure: Measure, table: Mapping[str, Sequence[Row]], secret: str
) -> list[list[int]]:
    """Per cell, the score of every answer of a quantile, from its definition."""
    groups: list[list[int]] = [[] for _ in range(plan.cells)]
    for unit, rows in table.items():
        order = sorted(range(len(rows)), key=lambda at: hashed(secret, unit, "row", at))
        first: dict[int, int] = {}
        for row in (rows[at] for at in order):
            cell = cell_of(plan, row)
            if cell is not None and measure.of and evaluate(measure.of, row) is not None:
                first.setdefault(cell, coded(measure, row))
        for cell in chosen(plan, unit, set(first), secret):
            groups[cell].append(first[cell])
    return [[score(measure, answer, values) for answer in answers(measure)] for values in groups]


def answers(measure: Measure) -> range:
    return range(int(measure.low / measure.step), int(measure.high / measure.step) + 1)


def score(measure: Measure, answer: int, values: Sequence[int]) -> int:
    """Minus the ranks missing, in parts of max(q, 1 - q), rounded down."""
    q = measure.q or Fraction(0)
    below, above = sum(v < answer for v in values), sum(v > answer for v in values)
    missing = max(0, below - q * len(values), q * len(values) - (len(values) - above))
    return -math.floor(missing / max(q, 1 - q))


def cells(plan: Plan) -> list[tuple[Scalar | None, ...]]:
    """The key values of each cell."""
    return list(itertools.product(*(key.values for key in plan.keys)))
