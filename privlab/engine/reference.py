"""What ``run`` computes, in plain Python, for reading and for tests.

Follows the plan word for word, one row at a time, with Python's own integers
and floats.  Slow on purpose; never used to answer a question.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import groupby, product
from typing import Any

from privlab.engine.reference_expressions import Row, to_float
from privlab.engine.reference_expressions import evaluate as evaluate
from privlab.query.encoding import encode_scalar
from privlab.query.epoch import number_of
from privlab.query.labels import place_of
from privlab.query.plan import MOST_LABEL, Key, Measure, MeasureKind, Plan
from privlab.query.shares import Share
from privlab.terms.catalog import Scalar
from privlab.terms.groups import Label

UNIT = ""
"""The key under which a row holds its unit's pseudonym: (high, low) 64-bit halves."""

_MASK = (1 << 64) - 1


def cells_of(plan: Plan, rows: Sequence[Row]) -> list[Label]:
    """The groups: the public ones, or, in the order of their values, those that rows hold."""
    if not plan.thresholded:
        return list(product(*(key.values for key in plan.keys)))
    found = {label for row in rows if (label := _label(plan, row)) is not None}
    return sorted(found, key=place_of)


def bounded_sums(
    plan: Plan,
    rows: Sequence[Row],
    bounding_key: bytes,
    cells: Sequence[Label] | None = None,
) -> list[list[int]]:
    """The exact vector of each measure, before noise.

    rows: in the table's order, those of one unit together.  cells: all groups that
    there may be, to compare tables that hold different ones; None: `cells_of` these rows.
    """
    cells = cells_of(plan, rows) if cells is None else cells
    codes_of = {cell: code for code, cell in enumerate(cells)}
    tags = [_tag(cell) for cell in cells]
    sums = [[0] * len(cells) for _ in plan.measures]
    seen: set[tuple[int, int, Any]] = set()
    for unit, grouped in groupby(rows, key=lambda row: row[UNIT]):
        coded = [(row, _code(plan, row, codes_of)) for row in grouped]
        for j, measure in enumerate(plan.measures):
            if measure.kind is MeasureKind.UNITS:
                has = measure.of
                codes = {c for r, c in coded if has is None or evaluate(has, r) is not None}
                for code in _chosen(plan, unit, codes, tags, bounding_key):
                    sums[j][code] += 1
            elif not measure.chosen:
                for row, code in _kept(plan, unit, coded, tags, bounding_key):
                    if measure.kind is MeasureKind.DISTINCT and measure.of is not None:
                        seen.add((j, code, evaluate(measure.of, row)))
                    else:
                        sums[j][code] += _adds(measure, row)
    for j, code, value in seen:
        sums[j][code] += value is not None
    return sums


def sampled(
    plan: Plan,
    j: int,
    rows: Sequence[Row],
    bounding_key: bytes,
    cells: Sequence[Label] | None = None,
) -> list[list[int]]:
    """The values of each group that quantile ``j`` is chosen from, sorted, in steps.

    cells: as in `bounded_sums`.
    """
    measure = plan.measures[j]
    if measure.of is None:
        raise TypeError("a quantile is of a value")
    cells = cells_of(plan, rows) if cells is None else cells
    codes_of = {cell: code for code, cell in enumerate(cells)}
    tags = [_tag(cell) for cell in cells]
    found: list[list[int]] = [[] for _ in cells]
    for unit, grouped in groupby(rows, key=lambda row: row[UNIT]):
        first: dict[int, int] = {}
        for row in grouped:
            value = evaluate(measure.of, row)
            if value is not None:
                first.setdefault(_code(plan, row, codes_of), steps(measure, value))
        for code in _chosen(plan, unit, set(first), tags, bounding_key):
            found[code].append(first[code])
    return [sorted(values) for values in found]


def parted(
    values: Sequence[int],
    low: int,
    high: int,
    qs: Sequence[Fraction],
    choose: Callable[[Sequence[int], int, int, Fraction], int],
) -> list[int]:
    """Quantiles chosen together: the middle one, then those on either side of it."""
    if not qs:
        return []
    middle = len(qs) // 2
    at = qs[middle]
    answer = choose(values, low, high, at)
    left = [value for value in values if value <= answer]
    right = [value for value in values if value > answer]
    return [
        *parted(left, low, answer, [q / at for q in qs[:middle]], choose),
        answer,
        *parted(right, answer, high, [(q - at) / (1 - at) for q in qs[middle + 1 :]], choose),
    ]


def _chosen(
    plan: Plan, unit: tuple[int, int], codes: set[int], tags: Sequence[int], key: bytes
) -> set[int]:
    """The groups of one unit that stay: the first ones in its secret order."""
    placed = sorted(
        codes - {-1}, key=lambda code: (siphash(key, (*unit, tags[code])), tags[code], code)
    )
    return set(placed[: plan.bound.groups])


def _kept(
    plan: Plan,
    unit: tuple[int, int],
    coded: Sequence[tuple[Row, int]],
    tags: Sequence[int],
    key: bytes,
) -> list[tuple[Row, int]]:
    """The rows of one unit that stay, and their group."""
    bound = plan.bound
    taken = [(row, code) for row, code in coded if code >= 0][: bound.rows]
    groups = _chosen(plan, unit, {code for _, code in taken}, tags, key)
    used: dict[int, int] = {}
    kept = []
    for row, code in taken:
        if code in groups and used.get(code, 0) < bound.rows_per_group:
            kept.append((row, code))
            used[code] = used.get(code, 0) + 1
    return kept


def _adds(measure: Measure, row: Row) -> int:
    value = 1 if measure.of is None else evaluate(measure.of, row)
    if value is None:
        return 0
    return 1 if measure.kind is MeasureKind.ROWS else adds(measure, value)


def adds(measure: Measure, value: float) -> int:
    """What a value adds to a sum: its steps, or that share of them.

    A share of ``y = 2 k - R``, by what it is for: a mix of corners.
    """
    k, reach = steps(measure, value), measure.reach
    y = 2 * k - reach
    return {
        None: k,
        Share.ABOVE: (reach + y) // 2,
        Share.BELOW: (reach - y) // 2,
        Share.INNER: 8 * (reach**2 - y**2),
        Share.RIGHT: (reach + 2 * y) ** 2,
        Share.LEFT: (reach - 2 * y) ** 2,
    }[measure.share]


def steps(measure: Measure, value: float | date) -> int:
    """``floor((clamp(value) - centre) / step + 0.5)``, within the reach."""
    if isinstance(value, date):
        inside = min(max(number_of(value), measure.low), measure.high)
        return math.floor(inside / measure.step + Fraction(1, 2))
    low, high, centre, step = measure.low, measure.high, measure.centre, measure.step
    whole = all(x.denominator == 1 for x in (low, high, centre))
    if isinstance(value, int) and whole and step == 1:
        found = min(max(value, int(low)), int(high)) - int(centre)
    else:
        clamped = min(max(float(value), to_float(low)), to_float(high))
        scaled = (clamped - to_float(centre)) * float(step.denominator) / float(step.numerator)
        found = math.floor(scaled + 0.5)
    return min(max(found, -measure.reach), measure.reach)


def _code(plan: Plan, row: Row, codes: Mapping[Label, int]) -> int:
    label = _label(plan, row)
    return -1 if label is None else codes[label]


def _label(plan: Plan, row: Row) -> Label | None:
    """The group of a row; None for none."""
    if plan.where is not None and evaluate(plan.where, row) is not True:
        return None
    label: list[Scalar | None] = []
    for key in plan.keys:
        value = evaluate(key.expr, row)
        if key.public:
            place = _place(key, value)
            if place < 0:
                return None
            label.append(key.values[place])
        elif isinstance(value, str) and len(value) > MOST_LABEL:
            return None
        else:
            label.append(value)
    return tuple(label)


def _place(key: Key, value: Any) -> int:
    for place, one in enumerate(key.values):
        if value is None or one is None:
            if value is one:
                return place
        elif (to_float(one) if isinstance(one, Fraction) else one) == value:
            return place
    return -1


def _tag(cell: tuple[Any, ...]) -> int:
    tag = 0
    for position, value in enumerate(cell):
        encoded = encode_scalar(value)
        text = "" if encoded is None else "\0".join(encoded)
        digest = hashlib.blake2b(text.encode("utf-8"), digest_size=8, person=b"privlab/value/v1")
        word = int.from_bytes(digest.digest(), "little")
        tag = siphash(bytes(16), (tag, word, position))
    return tag


def siphash(key: bytes, words: Sequence[int]) -> int:
    """SipHash-2-4 of 64-bit words, little-endian (Aumasson, Bernstein 2012, appendix A)."""
    k0, k1 = (int.from_bytes(key[at : at + 8], "little") for at in (0, 8))
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]
    for word in (*words, (8 * len(words) % 256) << 56):
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _rounds(v: list[int], count: int) -> None:
    def turn(word: int, by: int) -> int:
        return (word << by | word >> (64 - by)) & _MASK

    for _ in range(count):
        v[0] = (v[0] + v[1]) & _MASK
        v[2] = (v[2] + v[3]) & _MASK
        v[1] = turn(v[1], 13) ^ v[0]
        v[3] = turn(v[3], 16) ^ v[2]
        v[0] = turn(v[0], 32)
        v[2] = (v[2] + v[1]) & _MASK
        v[0] = (v[0] + v[3]) & _MASK
        v[1] = turn(v[1], 17) ^ v[2]
        v[3] = turn(v[3], 21) ^ v[0]
        v[2] = turn(v[2], 32)
