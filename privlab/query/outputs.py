"""The columns of an answer, and the measures they need.

Collects each measure once, however many columns, conditions and sort keys use it.
Turns what was typed about aggregates into expressions over released vectors;
it knows the keys and nothing of what they are worth.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from fractions import Fraction

from privlab.query import hints
from privlab.query.ask import (
    Aggregate,
    AggregateKind,
    Apply,
    Const,
    Item,
    Name,
    Node,
    Param,
    Sort,
    Surface,
    Windowed,
    aggregates,
    leaves,
)
from privlab.query.passes.bind_parameters import bind_parameters
from privlab.query.passes.count_conditions import distinct_of
from privlab.query.passes.find_bounds import found_under
from privlab.query.passes.lower_aggregate import lower_aggregate
from privlab.query.passes.lower_moment import LABELS, lower_moment
from privlab.query.passes.lower_output import lower_output
from privlab.query.passes.lower_quantile import lower_quantile
from privlab.query.passes.lower_shares import lower_shares
from privlab.query.passes.name_output import name_output
from privlab.query.plan import Expr, Key, Measure, MeasureKind
from privlab.query.post.shapes import TRUE, kind_of_out
from privlab.query.post.tree import (
    CallOut,
    KeyOut,
    LiteralOut,
    MeanOut,
    MeasureOut,
    Moment,
    MomentOut,
    Order,
    Out,
    OutOp,
    Output,
    Over,
    SharesOut,
    WindowOut,
    has_window,
    is_noisy,
)
from privlab.query.scope import Scope
from privlab.query.shares import LINE, PARABOLA
from privlab.terms.catalog import Column, Kind, Scalar
from privlab.terms.loss import Currency

MAX_OUTPUTS = 100
"""Most columns of one answer."""

MAX_LIMIT = 1_000_000

QUANTILES = frozenset({AggregateKind.QUANTILE, AggregateKind.MIN, AggregateKind.MAX})

RANKS = frozenset({Over.RANK, Over.DENSE_RANK, Over.ROW_NUMBER})
NUMBERS = frozenset({Kind.INT, Kind.FLOAT})


class Outputs:
    """The columns of one answer, in the analyst's order."""

    def __init__(self, scope: Scope, keys: Sequence[Key]) -> None:
        self.scope = scope
        self.source = scope.source
        self.keys = keys
        self.measures: list[Measure] = []
        self.columns: list[Output] = []
        self.adding = False
        self.found: dict[Column, None] = {}

    @property
    def sql(self) -> bool:
        return self.source.surface is Surface.SQL

    # --- columns ---

    def add_all(self, items: Sequence[Item]) -> None:
        """Add columns.

        :raises BadQuery: PL105 one is a value of single rows, or none is an
            aggregate; PL106 two have one name, there are too many, or one is no
            number.
        """
        self.adding = True
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
        self.adding = False
        if not any(is_noisy(one.out) for one in self.columns):
            if any(not key.public for key in self.keys):
                return  # which groups there are is an answer by itself
            if self.keys:
                raise self.source.refuse(
                    "PL105",
                    "nothing is aggregated here; only aggregates can be answered, and which "
                    "values these keys have is public: the contract lists them",
                    items[0].span if items else None,
                    f"%private describe {self.scope.table.name} shows them; to count their rows, "
                    f"add {'COUNT(*)' if self.sql else 'n=pl.len()'}",
                )
            raise self.source.refuse(
                "PL105",
                "nothing is aggregated here; only aggregates can be answered",
                items[0].span if items else None,
                "add COUNT(*)" if self.sql else "add n=pl.len()",
            )

    def count_units(self) -> None:
        """Count the units of each group, for a threshold to test."""
        self._measure(Measure(MeasureKind.UNITS))

    def _column(self, item: Item, name: str) -> Output:
        label, out = self._meant(item.value)
        if isinstance(out, KeyOut):
            return Output(name, out, "key")
        if not isinstance(out, MeasureOut) and self._kind(out) not in NUMBERS:
            raise self.source.refuse(
                "PL106",
                "a column made of aggregates is a number",
                item.span,
                "CASE WHEN ... THEN 1 ELSE 0 END"
                if self.sql
                else "pl.when(...).then(1).otherwise(0)",
            )
        word = self.scope.table.unit_word if label == "units" else ""
        return Output(name, out, label, word)

    def _kind(self, out: Out) -> Kind | None:
        return kind_of_out(out, self.keys, self.measures)

    # --- what is meant ---

    def out(self, node: Node) -> Out:
        """What a node is: a key, an aggregate, a constant, or made of those."""
        return self._meant(node)[1]

    def _meant(self, node: Node) -> tuple[str, Out]:
        match node:
            case Aggregate():
                return self._aggregate(node)
            case Windowed():
                out = self._window(node)
                return "rank" if out.kind in RANKS else "value", out
            case Name():
                return self._name(node)
            case Const() | Param():
                return "value", self._constant(node)
        if not aggregates(node) and not self._named(node):
            if (index := self._key(node)) is not None:
                return "key", KeyOut(index)
            if not any(isinstance(leaf, Name) for leaf in leaves(node)):
                return "value", self._constant(node)
        if not isinstance(node, Apply):
            raise self._of_rows(node)
        bound = bind_parameters(node, self.scope.parameters, self.source)
        if not isinstance(bound, Apply):
            return self._meant(bound)
        args = [self.out(arg) for arg in bound.args]
        return "value", lower_output(bound, args, self._kind, self.source)

    def _named(self, node: Node) -> bool:
        """Whether a column of the answer is named, and not of the table."""
        names = [leaf for leaf in leaves(node) if isinstance(leaf, Name)]
        return any(self._column_called(name) is not None for name in names)

    def _column_called(self, name: Name) -> Output | None:
        """A column of the answer; one of the table comes first while columns are added."""
        if name.found or (self.adding and (not self.sql or self._known(name))):
            return None
        return next((one for one in self.columns if one.name == name.name), None)

    def _name(self, name: Name) -> tuple[str, Out]:
        """A column of the answer, or a key."""
        if (found := self._column_called(name)) is not None:
            return found.label, found.out
        if name.hidden or not (self.adding or self._known(name)):
            near = difflib.get_close_matches(name.name, [one.name for one in self.columns], 1)
            raise self.source.refuse(
                "PL104",
                f"the answer has no column {name.name}",
                name.span,
                f"did you mean {near[0]}?"
                if near
                else f"its columns are {', '.join(one.name for one in self.columns)}",
            )
        index = self._key(name)
        if index is None:
            raise self._of_rows(name)
        return "key", KeyOut(index)

    def _known(self, name: Name) -> bool:
        """Whether the table has it."""
        table = self.scope.table
        return table.column(name.name) is not None or name.name == table.unit

    def _of_rows(self, node: Node) -> Exception:
        words = self.source.quote(node.span)
        return self.source.refuse(
            "PL105",
            f"{words} is a value of single rows; only aggregates can be answered",
            node.span,
            hints.aggregated(words, self.scope.table.column(words), sql=self.sql),
        )

    def _key(self, node: Node) -> int | None:
        expr = self.scope.expression(node)
        return next((at for at, key in enumerate(self.keys) if key.expr == expr), None)

    def _constant(self, node: Node) -> Out:
        """A number, a truth, or null; texts and dates only compare with keys."""
        value = self.scope.constant(node)
        if value is None or isinstance(value, bool):
            return LiteralOut(value)
        if isinstance(value, int | Fraction):
            return LiteralOut(Fraction(value))
        return LiteralOut(value)

    # --- aggregates ---

    def _aggregate(self, aggregate: Aggregate) -> tuple[str, Out]:
        table, where = self.scope.table, self.scope.where
        node = aggregate.of
        if aggregate.kind is AggregateKind.UNITS:
            node = distinct_of(aggregate, table.unit)
        of = None if node is None else self.scope.expression(node)
        if of is not None and aggregate.kind in QUANTILES:
            return self._quantile(aggregate, of)
        if of is not None and (shared := self._shares(aggregate, of)) is not None:
            return LABELS.get(aggregate.kind, "mean"), shared
        if aggregate.kind not in LABELS:
            lowered = lower_aggregate(aggregate, of, table, where, self.source)
            if of is not None and lowered.total.kind is MeasureKind.SUM:
                self._note_found(of)
            total = self._measure(lowered.total)
            if lowered.count is None:
                return lowered.label, MeasureOut(total)
            return lowered.label, MeanOut(total, self._measure(lowered.count))
        if of is None:
            raise self.source.refuse("PL101", "this aggregate needs a value", aggregate.span)
        self._note_found(of)
        values = [of]
        if aggregate.other is not None:
            values.append(self.scope.expression(aggregate.other))
            self._note_found(values[-1])
        found = lower_moment(aggregate, tuple(values), table, where, self.source)
        out = MomentOut(
            Moment(aggregate.kind.value),
            self._measure(found.first),
            self._measure(found.second),
            self._measure(found.product),
            self._measure(found.count),
            None
            if found.squares is None
            else (self._measure(found.squares[0]), self._measure(found.squares[1])),
        )
        return found.label, out

    def _shares(self, aggregate: Aggregate, of: Expr) -> SharesOut | None:
        """A mean or a variance of a pure dataset; None where it is none, or shares do not fit."""
        table, where = self.scope.table, self.scope.where
        one = aggregate.other is None and aggregate.kind in (AggregateKind.MEAN, *LABELS)
        if table.currency is not Currency.PURE or not one:
            return None
        mean = aggregate.kind is AggregateKind.MEAN
        family = LINE if mean else PARABOLA
        found = lower_shares(aggregate, of, table, where, self.source, family)
        if found is None:
            return None
        self._note_found(of)
        kind = Moment.MEAN if mean else Moment(aggregate.kind.value)
        return SharesOut(kind, tuple(sorted(self._measure(share) for share in found)))

    def _quantile(self, aggregate: Aggregate, of: Expr) -> tuple[str, Out]:
        """:raises BadQuery: PL106, which quantile is asked for depends on rows."""
        q = None if aggregate.other is None else self.scope.constant(aggregate.other)
        cells = math.prod(max(1, len(key.values)) for key in self.keys)
        lowered = lower_quantile(
            aggregate, of, q, self.scope.table, self.scope.where, cells, self.source
        )
        self._note_found(of)
        return lowered.label, MeasureOut(self._measure(lowered.total))

    def _note_found(self, of: Expr) -> None:
        self.found |= dict.fromkeys(found_under(of, self.scope.table, self.scope.where))

    def _measure(self, measure: Measure) -> int:
        if measure not in self.measures:
            self.measures.append(measure)
        return self.measures.index(measure)

    # --- windows ---

    def _window(self, window: Windowed) -> WindowOut:
        """:raises BadQuery: PL106 it is of no number, not partitioned by keys, or a
        running one in an order that noise decides."""
        of = None if window.of is None else self.out(window.of)
        if of is not None and self._kind(of) not in NUMBERS:
            raise self.source.refuse("PL106", "a window is of numbers", window.span)
        partition: list[int] = []
        for node in window.partition:
            key = self.out(node)
            if not isinstance(key, KeyOut):
                raise self.source.refuse(
                    "PL106",
                    "the rows of an answer are partitioned by its keys",
                    node.span,
                    "partition by a group key",
                )
            partition.append(key.index)
        order = tuple(self.sorting(one) for one in window.order)
        ordered = window.running or window.kind is Over.SHIFT
        if ordered and any(is_noisy(one.by) for one in order):
            raise self.source.refuse(
                "PL106",
                "noise would decide the order of these rows, and with it what is added up",
                window.span,
                "order by a key; RANK takes any order",
            )
        if (of is not None and has_window(of)) or any(has_window(one.by) for one in order):
            raise self.source.refuse("PL106", "a window does not see windows", window.span)
        return WindowOut(
            window.kind, of, tuple(sorted(set(partition))), order, window.running, window.offset
        )

    # --- after the release ---

    def test(self, node: Node, *, after: bool = False) -> tuple[Out, ...]:
        """Conditions that all hold; none for one that always does.

        after: windows have seen the rows.

        :raises BadQuery: PL106 it is on keys or rows alone, or on windows before
            they are there; PL111 it is no condition.
        """
        if not aggregates(node) and not self._named(node):
            self._refuse_rows(node)
        out = self.out(node)
        if self._kind(out) is not Kind.BOOL:
            raise self.source.refuse(
                "PL111",
                "this is not a condition",
                node.span,
                "HAVING COUNT(*) > 100" if self.sql else 'pl.col("n") > 100',
            )
        if not is_noisy(out):
            self._refuse_rows(node)
        if has_window(out) and not after:
            raise self.source.refuse(
                "PL106",
                "windows see the rows that HAVING keeps",
                node.span,
                "QUALIFY keeps rows by their windows",
            )
        parts = out.args if isinstance(out, CallOut) and out.op is OutOp.AND else (out,)
        return tuple(part for part in parts if part != TRUE)

    def _refuse_rows(self, node: Node) -> None:
        for leaf in leaves(node):
            if isinstance(leaf, Name) and (leaf.hidden or not self._known(leaf)):
                self._name(leaf)  # a name that is nothing is said first
        raise self.source.refuse(
            "PL106",
            "a condition on keys or rows comes before the groups are formed",
            node.span,
            "put it in WHERE" if self.sql else "filter before group_by",
        )

    def sorting(self, sort: Sort) -> Order:
        """A sort by a column, by its position, or by anything made of aggregates.

        :raises BadQuery: PL104 no such output, PL106 it is no column of the answer.
        """
        if isinstance(sort.by, Const) and type(sort.by.value) is int:
            if 1 <= sort.by.value <= len(self.columns):
                return Order(self.columns[sort.by.value - 1].out, sort.descending)
            raise self.source.refuse(
                "PL106",
                f"position {sort.by.value} is not one of the {len(self.columns)} columns",
                sort.span,
                f"sort by a column: {', '.join(one.name for one in self.columns)}",
            )
        out = self.out(sort.by)
        if isinstance(out, LiteralOut):
            raise self.source.refuse("PL106", "a constant sorts nothing", sort.span)
        return Order(out, sort.descending)

    def limit(self, node: Node | None, what: str = "a limit") -> int | None:
        """How many rows to keep, or to leave out; None for all."""
        if node is None:
            return None
        value: Scalar | None = self.scope.constant(node)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_LIMIT:
            raise self.source.refuse(
                "PL106", f"{what} is a whole number up to {MAX_LIMIT:,}", node.span
            )
        return value
