"""Find between which bounds a value is clamped: stated ones, else those its asker measured."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.query.ask import Aggregate, AggregateKind, Const, Node, Source, Surface
from privlab.query.hints import chained
from privlab.query.histogram import histogram_text
from privlab.query.kinds import columns_of, kind_of
from privlab.query.passes.infer_interval import infer_interval
from privlab.query.plan import Expr
from privlab.query.plan_text import decimal
from privlab.terms.catalog import Column, Kind, Table


def find_bounds(
    aggregate: Aggregate, of: Expr, table: Table, where: Expr | None, source: Source
) -> tuple[Fraction, Fraction]:
    """The clamp of ``of``, low first, from public facts and released numbers.

    What the contract, WHERE and the expression say goes first.  Only where that
    leaves an end open do measured bounds of columns (`Column.found`) stand in for
    the ranges that the contract does not state, so that a question that had bounds
    keeps them, and its views.

    :raises BadQuery: PL103, there are none.
    """
    for one in (table, with_found(table)):
        interval = infer_interval(of, one, where)
        if interval.low is not None and interval.high is not None:
            return interval.low, max(interval.low, interval.high)
    raise unbounded(aggregate, of, table, source)


def found_under(of: Expr, table: Table, where: Expr | None) -> tuple[Column, ...]:
    """The columns whose measured bounds `find_bounds` needed for ``of``."""
    stated = infer_interval(of, table, where)
    if stated.low is not None and stated.high is not None:
        return ()
    named = (table.column(name) for name in sorted(columns_of(of)))
    return tuple(one for one in named if one is not None and one.found is not None)


def found_words(columns: Iterable[Column]) -> list[str]:
    """A sentence for each that has measured bounds: which, and from where."""
    return [
        f"{one.name} has no stated range: "
        f"{decimal(one.found.low)}..{decimal(one.found.high)} is from {one.found.words}"
        for one in columns
        if one.found is not None
    ]


def with_found(table: Table) -> Table:
    """The table with measured bounds as ranges, where the contract has none."""
    return table.replacing(
        {
            one.name: one.ranged(one.found.low, one.found.high)
            for one in table.columns
            if one.found is not None and one.low is None
        }
    )


def unbounded(aggregate: Aggregate, of: Expr, table: Table, source: Source) -> BadQuery:
    """What to raise where a value has no bounds: measure them once, or clip."""
    words = source.quote(aggregate.of.span) if aggregate.of is not None else "the value"
    return source.refuse(
        "PL103",
        f"{words} has no bounds, so one row could move the answer by any amount",
        aggregate.span,
        "; ".join([clip_hint(aggregate, source, kind_of(of)), *_measure_hints(of, table, source)]),
    )


def _measure_hints(of: Expr, table: Table, source: Source) -> list[str]:
    """What to ask for the bounds of each column that has none."""
    hints = []
    for name in sorted(columns_of(of)):
        column = table.column(name)
        if column is None or not column.kind.is_number or column.low is not None:
            continue
        if column.searched:
            hints.append(
                f"{column.searched} saw no size of {name} that is surely not noise: "
                "ask it again at a higher price"
            )
        elif column.found is None:
            hints.append(f"or measure its bounds once: {histogram_text(table, name, source)}")
    return hints


def clip_hint(aggregate: Aggregate, source: Source, kind: Kind | None = Kind.INT) -> str:
    """The clip to type, in the language of the question.  kind: of what is clipped."""
    low, high = _ENDS[source.sql].get(kind, ("0", "60"))
    of: Node | None = aggregate.of
    words = "x" if of is None else source.quote(of.span)
    if source.surface is Surface.SQL:
        call = _FUNCTIONS.get(aggregate.kind, aggregate.kind.value.upper())
        rest = "" if aggregate.other is None else ", ..."
        if aggregate.kind is AggregateKind.QUANTILE:
            q = _quantile(aggregate)
            call, rest = ("MEDIAN", "") if q == "0.5" else ("QUANTILE", f", {q}")
        clipped = f"{call}(LEAST(GREATEST({words}, {low}), {high}){rest})"
        return f"clip it: {clipped}, with bounds of your own"
    call = _METHODS.get(aggregate.kind, "")
    if aggregate.kind is AggregateKind.QUANTILE:
        q = _quantile(aggregate)
        call = ".median()" if q == "0.5" else f".quantile({q})"
    return f"clip it: {chained(words)}.clip({low}, {high}){call}, with bounds of your own"


def _quantile(aggregate: Aggregate) -> str:
    """Which quantile is asked for, as far as it is written out."""
    match aggregate.other:
        case Const(value=int() | Fraction() as value):
            return decimal(Fraction(value))
    return "..."


_ENDS: dict[bool, dict[Kind | None, tuple[str, str]]] = {
    True: {
        Kind.DATE: ("DATE '2020-01-01'", "DATE '2024-12-31'"),
        Kind.DATETIME: ("TIMESTAMP '2020-01-01 00:00:00'", "TIMESTAMP '2024-12-31 23:59:59'"),
    },
    False: {
        Kind.DATE: ("date(2020, 1, 1)", "date(2024, 12, 31)"),
        Kind.DATETIME: ("datetime(2020, 1, 1)", "datetime(2024, 12, 31, 23, 59, 59)"),
    },
}
"""Bounds for example, by whether they are SQL."""

_FUNCTIONS = {AggregateKind.SUM: "SUM", AggregateKind.MEAN: "AVG"}

_METHODS = {
    AggregateKind.SUM: ".sum()",
    AggregateKind.MEAN: ".mean()",
    AggregateKind.VAR_SAMP: ".var()",
    AggregateKind.VAR_POP: ".var(ddof=0)",
    AggregateKind.STDDEV_SAMP: ".std()",
    AggregateKind.STDDEV_POP: ".std(ddof=0)",
    AggregateKind.MIN: ".min()",
    AggregateKind.MAX: ".max()",
}
