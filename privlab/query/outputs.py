"""The columns of an answer, and the measures they need.

Collects each measure once, however many columns, tests and sort keys use it.
It knows the keys and nothing of what they are worth.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from fractions import Fraction

from privlab.query.ask import (
    Aggregate,
    AggregateKind,
    Const,
    Having,
    Item,
    Name,
    Node,
    Sort,
    Surface,
)
from privlab.query.passes.count_conditions import distinct_of
from privlab.query.passes.lower_aggregate import lower_aggregate
from privlab.query.passes.lower_quantile import lower_quantile
from privlab.query.passes.name_output import name_output
from privlab.query.plan import (
    Expr,
    Key,
    KeyOut,
    MeanOut,
    Measure,
    MeasureOut,
    Order,
    Out,
    Output,
    Test,
)
from privlab.query.scope import Scope

MAX_OUTPUTS = 100
"""Most columns of one answer."""

MAX_LIMIT = 1_000_000

QUANTILES = frozenset({AggregateKind.QUANTILE, AggregateKind.MIN, AggregateKind.MAX})


class Outputs:
    """The columns of one answer, in the analyst's order."""

    def __init__(self, scope: Scope, keys: Sequence[Key]) -> None:
        self.scope = scope
        self.source = scope.source
        self.keys = keys
        self.measures: list[Measure] = []
        self.columns: list[Output] = []

    # --- columns ---

    def add_all(self, items: Sequence[Item]) -> None:
        """Add columns.

        :raises BadQuery: PL105 one is a value of single rows, or none is an
            aggregate; PL106 two have one name, or there are too many.
        """
        for item in items:
            name = name_output(item, self.source)
            words = self.source.quote(item.span)
            if any(name == one.name for one in self.columns):
                raise self.source.refuse(
                    "PL106",
                    f"two columns are called {name}",
                    item.span,
                    f"{words} AS {name}_2" if self.sql else f'{words}.alias("{name}_2")',
                )
            if len(self.columns) == MAX_OUTPUTS:
                raise self.source.refuse(
                    "PL106", f"an answer has at most {MAX_OUTPUTS} columns", item.span
                )
            self.columns.append(self._column(item, name))
        if all(isinstance(one.out, KeyOut) for one in self.columns):
            raise self.source.refuse(
                "PL105",
                "nothing is aggregated here; only aggregates can be answered",
                items[0].span if items else None,
                "add COUNT(*)" if self.sql else "add n=pl.len()",
            )

    @property
    def sql(self) -> bool:
        return self.source.surface is Surface.SQL

    def _column(self, item: Item, name: str) -> Output:
        value = item.value
        if isinstance(value, Aggregate):
            label, out = self._aggregate(value)
            word = self.scope.table.unit_word if label == "units" else ""
            return Output(name, out, label, word)
        index = self._key(value)
        if index is None:
            words = self.source.quote(item.span)
            raise self.source.refuse(
                "PL105",
                f"{words} is a value of single rows; only aggregates can be answered",
                item.span,
                f"{'GROUP BY' if self.sql else 'group by'} {words}, or aggregate it",
            )
        return Output(name, KeyOut(index), "key")

    def _key(self, node: Node) -> int | None:
        expr = self.scope.expression(node)
        return next((at for at, key in enumerate(self.keys) if key.expr == expr), None)

    def _aggregate(self, aggregate: Aggregate) -> tuple[str, Out]:
        node = aggregate.of
        if aggregate.kind is AggregateKind.UNITS:
            node = distinct_of(aggregate, self.scope.table.unit)
        of = None if node is None else self.scope.expression(node)
        if of is not None and aggregate.kind in QUANTILES:
            return self._quantile(aggregate, of)
        lowered = lower_aggregate(aggregate, of, self.scope.table, self.scope.where, self.source)
        total = self._measure(lowered.total)
        if lowered.count is None:
            return lowered.label, MeasureOut(total)
        return lowered.label, MeanOut(total, self._measure(lowered.count))

    def _quantile(self, aggregate: Aggregate, of: Expr) -> tuple[str, Out]:
        """:raises BadQuery: PL106, which quantile is asked for depends on rows."""
        q = None if aggregate.other is None else self.scope.constant(aggregate.other)
        cells = math.prod(len(key.values) for key in self.keys)
        lowered = lower_quantile(
            aggregate, of, q, self.scope.table, self.scope.where, cells, self.source
        )
        return lowered.label, MeasureOut(self._measure(lowered.total))

    def _measure(self, measure: Measure) -> int:
        if measure not in self.measures:
            self.measures.append(measure)
        return self.measures.index(measure)

    # --- after the release ---

    def test(self, having: Having) -> Test:
        """A condition on an aggregate.

        :raises BadQuery: PL106 it is on a key or a row; PL111 it compares with
            something that is no number.
        """
        out = self._meant(having.left)
        if out is None or isinstance(out, KeyOut):
            raise self.source.refuse(
                "PL106",
                "a condition on keys or rows comes before the groups are formed",
                having.span,
                "put it in WHERE" if self.sql else "filter before group_by",
            )
        value = self.scope.constant(having.right)
        if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
            raise self.source.refuse("PL111", "an aggregate is compared with a number", having.span)
        return Test(out, having.op, Fraction(value))

    def sorting(self, sort: Sort) -> Order:
        """A sort by one of the columns.

        :raises BadQuery: PL104 no such output, PL106 it is no column of the answer.
        """
        if isinstance(sort.by, Const) and type(sort.by.value) is int:
            if 1 <= sort.by.value <= len(self.columns):
                return Order(sort.by.value - 1, sort.descending)
            raise self.source.refuse(
                "PL106",
                f"position {sort.by.value} is not one of the {len(self.columns)} columns",
                sort.span,
            )
        measures = len(self.measures)
        out = self._meant(sort.by)
        found = next((at for at, one in enumerate(self.columns) if one.out == out), None)
        if found is None or len(self.measures) > measures:
            raise self.source.refuse(
                "PL106", "an answer is sorted by its own columns", sort.span, "select it first"
            )
        return Order(found, sort.descending)

    def limit(self, node: Node | None) -> int | None:
        """How many rows to keep; None for all."""
        if node is None:
            return None
        value = self.scope.constant(node)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_LIMIT:
            raise self.source.refuse(
                "PL106", f"a limit is a whole number up to {MAX_LIMIT:,}", node.span
            )
        return value

    def _meant(self, value: Node | Aggregate) -> Out | None:
        """The output a name stands for, the key an expression is, or an aggregate."""
        if isinstance(value, Aggregate):
            return self._aggregate(value)[1]
        if isinstance(value, Name):
            found = next((one.out for one in self.columns if one.name == value.name), None)
            if found is not None:
                return found
            table = self.scope.table
            known = table.column(value.name) is not None or value.name == table.unit
            if value.hidden or not known:
                near = difflib.get_close_matches(value.name, [one.name for one in self.columns], 1)
                raise self.source.refuse(
                    "PL104",
                    f"the answer has no column {value.name}",
                    value.span,
                    f"did you mean {near[0]}?" if near else "",
                )
        index = self._key(value)
        return None if index is None else KeyOut(index)
