"""Say what one aggregate makes of the rows of one privacy unit, and between which values."""

from __future__ import annotations

from fractions import Fraction

from privlab.query.ask import Aggregate, AggregateKind, Source
from privlab.query.kinds import columns_of, kind_of
from privlab.query.passes.choose_step import grid
from privlab.query.passes.count_conditions import count_conditions
from privlab.query.passes.derive_column import ends
from privlab.query.passes.infer_interval import infer_interval
from privlab.query.passes.infer_null import can_be_null
from privlab.query.passes.lower_aggregate import filled, lower_sum
from privlab.query.plan import Expr
from privlab.query.relations import UnitKind, UnitValue
from privlab.terms.catalog import Column, Kind, Table

KINDS = {
    AggregateKind.ROWS: UnitKind.ROWS,
    AggregateKind.UNITS: UnitKind.DISTINCT,
    AggregateKind.SUM: UnitKind.SUM,
    AggregateKind.MEAN: UnitKind.MEAN,
    AggregateKind.MIN: UnitKind.MIN,
    AggregateKind.MAX: UnitKind.MAX,
}
WORDS = {
    UnitKind.ROWS: "count",
    UnitKind.DISTINCT: "distinct",
    UnitKind.SUM: "sum",
    UnitKind.MEAN: "avg",
    UnitKind.MIN: "min",
    UnitKind.MAX: "max",
}
"""How the columns of values begin."""


def lower_unit_value(
    aggregate: Aggregate, of: Expr | None, table: Table, where: Expr | None, source: Source
) -> UnitValue:
    """The value of ``aggregate`` of the canonical expression ``of``.

    Before                        After
    ------                        -----
    COUNT(*)                      rows
    COUNT(x), SUM(a > 3)          rows where it is not null, rows where it holds
    COUNT(DISTINCT x)             distinct values of x
    SUM(x), AVG(x)                of x in low..high, on a grid
    MIN(x), MAX(x)                of x as it is

    :raises BadQuery: PL103 a sum has no bounds; PL106 the aggregate is none of these, or
        of a constant; PL111 its value has no order, or is no number.
    """
    kind, of = count_conditions(aggregate.kind, of, of_one=True)
    if kind not in KINDS:
        raise source.refuse(
            "PL106",
            "of the rows of one unit there are COUNT, SUM, AVG, MIN and MAX",
            aggregate.span,
            "AVG(x * x) and AVG(x) tell how they spread",
        )
    found = KINDS[kind]
    if found is UnitKind.ROWS:
        if of is not None and kind_of(of) is None:
            raise source.refuse("PL106", "NULL is never counted", aggregate.span, "COUNT(*)")
        return UnitValue(found, filled(of, table, where))
    if of is None or not columns_of(of):
        raise source.refuse("PL106", "a constant is not aggregated", aggregate.span, "COUNT(*)")
    if found in (UnitKind.SUM, UnitKind.MEAN):
        measure = lower_sum(aggregate, of, table, where, source, centred=False)
        return UnitValue(found, measure.of, measure.low, measure.high, measure.step)
    value = kind_of(of)
    if found is not UnitKind.DISTINCT and (value is None or not (value.is_number or value.is_time)):
        raise source.refuse(
            "PL111",
            "MIN and MAX are of numbers, dates and times",
            aggregate.span,
            "COUNT(DISTINCT x)",
        )
    return UnitValue(found, of)


def unit_column(name: str, value: UnitValue, rows: int, table: Table, where: Expr | None) -> Column:
    """The column that holds a value of up to ``rows`` rows of one unit.

    Counts are whole numbers, means decimals; a sum is of its value's kind, and a
    decimal where its step is no whole number.
    """
    of = value.of
    kind = None if of is None else kind_of(of)
    null = of is not None and can_be_null(of, table, where)
    match value.kind:
        case UnitKind.ROWS:
            least = 1 if of is None else 0
            return Column(name, Kind.INT, nullable=False, low=Fraction(least), high=Fraction(rows))
        case UnitKind.DISTINCT:
            least = 0 if null else 1
            return Column(name, Kind.INT, nullable=False, low=Fraction(least), high=Fraction(rows))
        case UnitKind.SUM:
            whole = kind is Kind.INT and value.step.denominator == 1
            return Column(
                name,
                Kind.INT if whole else Kind.FLOAT,
                nullable=null,
                low=min(value.low, rows * value.low),
                high=max(value.high, rows * value.high),
                step=None if whole else value.step,
            )
        case UnitKind.MEAN:
            return Column(name, Kind.FLOAT, nullable=null, low=value.low, high=value.high)
    if of is None or kind is None:
        raise TypeError("an extreme is of a value")
    low, high = ends(kind, infer_interval(of, table, where))
    step = grid(of, table) if kind is Kind.FLOAT else None
    return Column(name, kind, nullable=null, low=low, high=high, step=step)
