"""One row per privacy unit: subqueries that group by the unit.

What is made of the rows of one unit is a value of that unit, so the answer may do
with it what it does with a column: group by it, filter on it, sum it.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace

from privlab.errors import BadQuery
from privlab.query import hints
from privlab.query.ask import Aggregate, Apply, Const, Group, Name, Node, Windowed, aggregates, walk
from privlab.query.encoding import canonical_text
from privlab.query.kinds import columns_of
from privlab.query.passes.bound_source import bare, bound_source
from privlab.query.passes.derive_column import derive_column
from privlab.query.passes.find_bounds import found_under
from privlab.query.passes.found_source import Found, Sources
from privlab.query.passes.infer_null import can_be_null
from privlab.query.passes.key_space import key_space
from privlab.query.passes.lower_unit_value import WORDS, lower_unit_value, unit_column
from privlab.query.passes.name_columns import name_expressions
from privlab.query.passes.resolve_names import Names, column
from privlab.query.passes.settle_source import refs
from privlab.query.plan import Expr, Op
from privlab.query.plan_text import expression_text
from privlab.query.relation_encoding import encode_value
from privlab.query.relations import PerUnit, UnitKind, UnitValue
from privlab.query.rows import Grouped
from privlab.terms.catalog import Column, Kind, Table


def resolve_per_unit(sources: Sources, base: Grouped) -> Found:
    """The rows of a subquery that groups by the privacy unit.

    :raises BadQuery: PL106 it aggregates over people, or has what is no value of a unit;
        PL103 a sum has no bounds.
    """
    reader = _Reader(sources, base)
    relation = PerUnit(
        reader.below.relation,
        sources.scope(reader.below).where,
        tuple((name, expr) for expr, name in reader.keys.items()),
        tuple((name, value) for value, name in reader.values.items()),
    )
    reader.count_cells(relation)
    found = reader.found(relation)
    names = {item.name or "": reader.made(item.value, {}) for item in base.items}
    reader.say(names)
    found = replace(found, names=Names((("", names),)))
    for test in base.having:
        made = reader.made(test, names)
        found = replace(found, where=(*found.where, *sources.condition(made, found)))
    return found


class _Reader:
    """Reads one subquery.  keys and values: their names in the relation, in its order."""

    def __init__(self, sources: Sources, base: Grouped) -> None:
        self.sources = sources
        self.source = sources.source
        self.base = base
        self.below = sources.rows(base.of, "")
        self.table: Table = self.below.table
        if not self.below.private:
            raise self.refuse(
                "public rows have no privacy unit",
                "group them in the notebook, and pass the result",
            )
        self.where = sources.scope(self.below).where
        self.keys = self.read_keys()
        bound = bound_source(
            self.below.relation,
            sources.facts,
            frozenset(r.column for r in refs(*self.keys)),
            bare(self.keys),
        ).bound
        self.rows = bound.rows_per_group if self.keys else bound.rows
        self.values = self.read_values()

    def refuse(self, what: str, hint: str, node: Node | None = None) -> BadQuery:
        span = self.base.span if node is None else node.span
        return self.source.refuse("PL106", what, span, hint)

    # --- keys ---

    def read_keys(self) -> dict[Expr, str]:
        """The keys besides the unit, which is one of them."""
        aliases = {item.name: item.value for item in self.base.items if item.name is not None}
        found: list[Expr] = []
        unit = False
        for group in self.base.groups:
            node = self.key_node(group, aliases)
            if self.is_unit(node):
                unit = True
                continue
            expr = self.sources.expression(node, self.below)
            if columns_of(expr):
                found.append(expr)
        if not unit:
            hint = hints.PER_UNIT_SQL if self.source.sql else hints.PER_UNIT_POLARS
            raise self.refuse(hints.ACROSS, hint.replace("patient_id", self.table.unit))
        return dict(
            sorted(name_expressions(found, {self.table.unit}).items(), key=lambda pair: pair[1])
        )

    def key_node(self, group: Group, aliases: dict[str, Node]) -> Node:
        """A key; a name that is no column may be that of a selected expression."""
        node = group.node
        if self.is_new(node) and isinstance(node, Name) and node.name in aliases:
            node = aliases[node.name]
        if aggregates(node):
            raise self.refuse("an aggregate cannot be a group key", "HAVING compares it", node)
        return self.below.names.rewritten(node, self.source)

    def is_new(self, node: Node) -> bool:
        """Whether a name is one that the subquery gives."""
        if not isinstance(node, Name) or node.table:
            return False
        return self.below.names.find(node, self.source) is None

    def is_unit(self, node: Node) -> bool:
        return isinstance(node, Name) and node.name == self.table.unit

    def count_cells(self, relation: PerUnit) -> None:
        """How many values the keys have together, where they are public."""
        if not self.keys:
            return
        cells: int | None = None  # not public
        with suppress(BadQuery):
            spaces = [
                key_space(expr, self.table, self.where, self.source, self.base.span)
                for expr in self.keys
            ]
            if all(key.public for key in spaces):
                cells = math.prod(len(key.values) for key in spaces)
        self.sources.facts.counted(relation.of, tuple(self.keys), cells)

    # --- values ---

    def read_values(self) -> dict[UnitValue, str]:
        """Every aggregate of the subquery once, under a name that nobody chose."""
        nodes = [*(item.value for item in self.base.items), *self.base.having]
        found = {
            self.lowered(part)
            for node in nodes
            for part in walk(node)
            if isinstance(part, Aggregate)
        }
        taken, named = {self.table.unit, *self.keys.values()}, dict[UnitValue, str]()
        for value in sorted(found, key=lambda one: canonical_text(encode_value(one))):
            word = WORDS[value.kind]
            if value.of is not None:
                word += f"_{expression_text(value.of)}"
            name, count = word, 1
            while name in taken:
                count += 1
                name = f"{word}_{count}"
            taken.add(name)
            named[value] = name
        return dict(sorted(named.items(), key=lambda pair: pair[1]))

    def say(self, names: dict[str, Node]) -> None:
        """What the asker calls these columns, and how many rows their counts are of."""
        said = self.sources.facts.said
        for name, node in names.items():
            if isinstance(node, Name) and node.name in self.values.values():
                said.call(node.name, name)
        for value, made in self.values.items():
            if value.kind in (UnitKind.ROWS, UnitKind.DISTINCT, UnitKind.SUM):
                said.limit(made, f"{self.rows:,} {self.table.name}")

    def lowered(self, aggregate: Aggregate) -> UnitValue:
        whole = self.below.names.rewritten(aggregate, self.source)
        inner = whole.of if isinstance(whole, Aggregate) else None
        if inner is not None and self.is_unit(inner):
            raise self.refuse(
                f"each of these rows is of one {self.table.unit_word}",
                "COUNT(*) counts the rows of each" if self.source.sql else "n=pl.len()",
                aggregate,
            )
        of = None if inner is None else self.sources.expression(inner, self.below)
        value = lower_unit_value(aggregate, of, self.table, self.where, self.source)
        if value.of is not None and value.kind in (UnitKind.SUM, UnitKind.MEAN):
            measured = found_under(value.of if of is None else of, self.table, self.where)
            self.sources.facts.measured |= dict.fromkeys(measured)
        return value

    # --- what comes out ---

    def found(self, relation: PerUnit) -> Found:
        table, span = self.table, self.base.span
        unit = table.column(table.unit) or Column(table.unit, Kind.TEXT, nullable=False)
        columns = [unit]
        for expr, name in self.keys.items():
            columns.append(derive_column(name, expr, table, self.where, self.source, span))
        for value, name in self.values.items():
            columns.append(unit_column(name, value, self.rows, table, self.where))
        bounds = bound_source(relation, self.sources.facts, frozenset())
        made = replace(
            table,
            columns=tuple(columns),
            bound=bounds.bound,
            row_cap=bounds.row_cap,
            rows=table.units,
        )
        return Found(relation, made, Names(()))

    def made(self, node: Node, names: dict[str, Node]) -> Node:
        """``node`` of keys and aggregates as one of the columns that they are.

        names: of the subquery's own columns, for HAVING.
        """
        if isinstance(node, Aggregate):
            return self.value(node)
        if isinstance(node, Windowed):
            raise self.refuse("a window has no place in a subquery", "aggregate per unit", node)
        if self.is_new(node) and isinstance(node, Name) and node.name in names:
            return names[node.name]
        if aggregates(node) and isinstance(node, Apply):
            return Apply(node.op, tuple(self.made(arg, names) for arg in node.args), node.span)
        if not any(isinstance(part, Name) for part in walk(node)):
            return node
        if isinstance(node, Apply) and self.named(node, names):
            return Apply(node.op, tuple(self.made(arg, names) for arg in node.args), node.span)
        inner = self.below.names.rewritten(node, self.source)
        if self.is_unit(inner):
            return inner
        expr = self.sources.expression(inner, self.below)
        if expr in self.keys:
            return replace(column(self.keys[expr]), span=node.span)
        if isinstance(node, Apply):
            return Apply(node.op, tuple(self.made(arg, names) for arg in node.args), node.span)
        words = self.source.quote(node.span)
        raise self.refuse(
            f"{words} is neither a key of this subquery nor aggregated in it",
            f"MAX({words}), or GROUP BY it as well" if self.source.sql else "aggregate it",
            node,
        )

    def value(self, node: Aggregate) -> Node:
        """The column of an aggregate.  In Polars a sum of nothing is zero."""
        value = self.lowered(node)
        found = replace(column(self.values[value]), span=node.span)
        if self.source.sql or value.kind is not UnitKind.SUM or value.of is None:
            return found
        if not can_be_null(value.of, self.table, self.where):
            return found
        return Apply(Op.COALESCE, (found, Const(0, node.span)), node.span)

    def named(self, node: Node, names: dict[str, Node]) -> bool:
        return any(isinstance(part, Name) and part.name in names for part in walk(node))
