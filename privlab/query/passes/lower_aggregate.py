"""Say what is measured for one aggregate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from privlab.query.ask import Aggregate, AggregateKind, Source
from privlab.query.evaluate import evaluate
from privlab.query.kinds import columns_of, conjuncts, is_strict, kind_of, parts_of
from privlab.query.passes.choose_step import choose_step
from privlab.query.passes.count_conditions import count_conditions, counts_units
from privlab.query.passes.find_bounds import clip_hint, find_bounds
from privlab.query.passes.infer_null import can_be_null
from privlab.query.plan import Call, Expr, Literal, Measure, MeasureKind, Op, Ref
from privlab.terms.catalog import Kind, Scalar, Table

HEADROOM = (1 << 62) - (1 << 50)
"""A column of sums stays below this, which leaves room for the noise in an int64."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """Measures of one aggregate: one, or a sum and its count for a mean."""

    label: str
    total: Measure
    count: Measure | None = None


def lower_aggregate(
    aggregate: Aggregate, of: Expr | None, table: Table, where: Expr | None, source: Source
) -> Lowered:
    """The measures of ``aggregate`` of the canonical expression ``of``.

    Before        After
    ------        -----
    COUNT(x)      rows of x
    COUNT(DISTINCT unit)         units
    COUNT(DISTINCT x)            distinct values of x
    SUM(x)        sum of x in low..high, coded about zero
    AVG(x)        sum of x in low..high about the middle, and rows of x

    :raises BadQuery: PL103 no bounds, or bounds so wide that sums could
        overflow; PL106 NULL or a constant counted; PL111 a sum of something that
        is no number.
    """
    kind, of = count_conditions(aggregate.kind, of)
    match kind:
        case AggregateKind.UNITS:
            return _units(aggregate, of, table, source)
        case AggregateKind.ROWS:
            if of is not None and kind_of(of) is None:
                raise source.refuse("PL106", "NULL is never counted", aggregate.span, "COUNT(*)")
            return Lowered("rows", Measure(MeasureKind.ROWS, filled(of, table, where)))
    if of is None:
        raise source.refuse("PL101", "this aggregate needs a value", aggregate.span)
    if kind is AggregateKind.SUM:
        return Lowered("sum", lower_sum(aggregate, of, table, where, source, centred=False))
    total = lower_sum(aggregate, of, table, where, source, centred=True)
    return Lowered("mean", total, Measure(MeasureKind.ROWS, filled(of, table, where)))


def _units(aggregate: Aggregate, of: Expr | None, table: Table, source: Source) -> Lowered:
    """Distinct units, or distinct values of anything else; ``of`` as `distinct_of` has it."""
    if counts_units(aggregate, table.unit):
        return Lowered("units", Measure(MeasureKind.UNITS, of))
    if of is None or not columns_of(of):
        raise source.refuse(
            "PL106",
            "a constant has one value, whatever the rows are",
            aggregate.span,
            f"COUNT(DISTINCT {table.unit})" if source.sql else f'pl.col("{table.unit}").n_unique()',
        )
    return Lowered("distinct", Measure(MeasureKind.DISTINCT, of))


def filled(of: Expr | None, table: Table, where: Expr | None) -> Expr | None:
    """What must not be null for a row to count; None when nothing can be.

    Columns that cannot be null, or that WHERE already found not null, do not
    matter, so that COUNT(*), COUNT(x) and the count under AVG(x) can be one.
    """
    if of is None:
        return None
    if not can_be_null(of, table, where):
        return None
    match of:
        case Call(op=Op.CASE, args=(condition, value, Literal(value=None))):
            seen = condition if where is None else Call(Op.AND, (where, condition))
            if not can_be_null(value, table, seen):
                return Call(Op.CASE, (condition, Literal(1), Literal(None)))
    if not all(not isinstance(part, Call) or is_strict(part) for part in parts_of(of)):
        return of
    open_columns = [
        part
        for part in sorted({p for p in parts_of(of) if isinstance(p, Ref)}, key=_name)
        if _nullable(part, table) and not any(_needs(one, part) for one in conjuncts(where))
    ]
    if not open_columns:
        return None
    return open_columns[0] if len(open_columns) == 1 else of


def _name(ref: Ref) -> str:
    return ref.column


def _nullable(ref: Ref, table: Table) -> bool:
    column = table.column(ref.column)
    return column is None or column.nullable


def _needs(condition: Expr, ref: Ref) -> bool:
    """Whether a row passes ``condition`` only when ``ref`` is not null."""
    if columns_of(condition) != {ref.column}:
        return False
    nothing: dict[str, Scalar | None] = {ref.column: None}
    return evaluate(condition, nothing) is not True


def lower_sum(
    aggregate: Aggregate,
    of: Expr,
    table: Table,
    where: Expr | None,
    source: Source,
    *,
    centred: bool,
) -> Measure:
    """The measure of a sum, about zero or about the middle of its clamp."""
    inner, low, high = interval_of(aggregate, of, table, where, source)
    step = choose_step(of, low, high, table)
    bottom, top = math.floor(low / step), math.ceil(high / step)
    if bottom == top:
        top += 1
    centre = (bottom + top) // 2 if centred else 0
    measure = Measure(
        MeasureKind.SUM, inner, bottom * step, top * step, step, Fraction(centre * step)
    )
    if table.row_cap * measure.radius >= HEADROOM:
        raise source.refuse(
            "PL103",
            "the bounds are so wide that a sum over the table could overflow",
            aggregate.span,
            clip_hint(aggregate, source),
        )
    return measure


def interval_of(
    aggregate: Aggregate, of: Expr, table: Table, where: Expr | None, source: Source
) -> tuple[Expr, Fraction, Fraction]:
    """What is summed, without a clip of its own, and the clamp: low <= high.

    :raises BadQuery: PL103 no bounds; PL106 a constant; PL111 no number.
    """
    kind = kind_of(of)
    if kind is None or not kind.is_number:
        hint = "COUNT(*) with the condition in WHERE" if kind is Kind.BOOL else ""
        if kind is not None and kind.is_time:
            hint = (
                "MEDIAN, MIN and MAX take dates" if source.sql else "median, min and max take dates"
            )
        raise source.refuse("PL111", "only numbers are summed", aggregate.span, hint)
    if not columns_of(of):
        raise source.refuse("PL106", "a constant is not summed", aggregate.span, "count the rows")
    low, high = find_bounds(aggregate, of, table, where, source)
    inner = of
    if isinstance(of, Call) and of.op is Op.CLIP:
        inner = of.args[0]  # the measure clamps to the same bounds
    return inner, low, high
