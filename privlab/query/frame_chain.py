"""Chains of Polars methods on rows: where they start, and what they come to before an answer.

A chain starts with a table, a public frame or ``pl.concat``; filters, names, joins and
rows per privacy unit make rows of rows.  `privlab.query.frame` reads the question at
its end.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from privlab.errors import BadQuery
from privlab.query import hints
from privlab.query.ask import Aggregate, AggregateKind, Group, Item, Name, Node, Source
from privlab.query.frame_expressions import Expressions, Place, typed_name
from privlab.query.frame_joins import read_join
from privlab.query.frame_rows import STEPS, RowSteps
from privlab.query.frame_times import TRUNCATIONS
from privlab.query.nodes import Builder
from privlab.query.passes.name_output import name_output
from privlab.query.rows import Base, Grouped, Named, Rows, Stacked, tables_of

IGNORED = ("lazy", "collect")
ORDER = "the order is filter and with_columns, group_by, agg, filter, sort, head"

Calls = list[tuple[str, ast.Call]]


class ChainReader:
    """Reads one chain.  base, and what ``rows`` knows besides: the rows so far."""

    def __init__(self, source: Source, place: Place, tree: ast.expr) -> None:
        self.source = source
        self.place = place
        self.expressions = Expressions(source, place)
        self.steps = RowSteps(self.expressions)
        start, self.calls = self.unwound(tree)
        self.base = self.start(start)

    def refuse(self, node: ast.AST, what: str, hint: str = "", code: str = "PL106") -> BadQuery:
        return self.source.refuse(code, what, self.place.of(node), hint)

    @property
    def rows(self) -> Rows:
        return Rows(self.base, self.steps.where, self.expressions.names)

    def unwound(self, tree: ast.expr) -> tuple[ast.expr, Calls]:
        """The start of the chain, and the calls in the order they run."""
        calls: Calls = []
        node = tree
        while isinstance(node, ast.Call) and not _is_concat(node):
            if not isinstance(node.func, ast.Attribute):
                raise self.refuse(node, "a question starts with a table", self.source.example)
            if node.func.attr in IGNORED:
                self.nothing(node)
            else:
                calls.append((node.func.attr, node))
            node = node.func.value
        return node, calls[::-1]

    def start(self, node: ast.expr) -> Base:
        if isinstance(node, ast.Call):
            return self.stacked(node)
        dataset = node.value if isinstance(node, ast.Attribute) else node
        if not isinstance(dataset, ast.Name):
            raise self.refuse(node, "a question starts with a table", self.source.example)
        return Named(ast.unparse(node), self.place.of(node))

    def stacked(self, node: ast.Call) -> Stacked:
        """pl.concat([a, b])."""
        items, how = self.expressions.arguments(node, "items", "how")
        if not isinstance(items, ast.List | ast.Tuple) or len(items.elts) < len("ab"):
            raise self.refuse(node, "concat takes a list of tables", "pl.concat([a, b])")
        if how is not None and not (isinstance(how, ast.Constant) and how.value == "vertical"):
            raise self.refuse(how, "rows are concatenated vertically", "leave how out")
        parts = tuple(rows_of(self.source, self.place, one) for one in items.elts)
        return Stacked(parts, by_name=True, span=self.place.of(node))

    # --- steps ---

    def step(self, at: int, *, inner: bool = False) -> int:
        """Take the call at ``at`` if it makes rows of rows.

        inner: no answer is made at the end of this chain.

        :returns: how many calls were taken, 0 to 2.
        """
        method, call = self.calls[at]
        later = [name for name, _ in self.calls[at + 1 :]]
        if method == "join":
            self.join(call)
            return 1
        if method == "select" and (inner or self.steps.projects(self.listed(call), later)):
            self.steps.take(method, call, self.listed(call))
            return 1
        if method in STEPS:
            self.steps.take(method, call, [] if method == "rename" else self.listed(call))
            return 1
        if method == "group_by" and later[:1] in (["agg"], ["len"]) and (inner or len(later) > 1):
            groups = self.groups(call)
            if inner or self.per_unit(groups):
                self.group(groups, *self.calls[at + 1])
                return 2
        if method == "unique" and inner:
            self.unique(call)
            return 1
        return 0

    def join(self, call: ast.Call) -> None:
        other, joined = read_join(self.expressions, call)
        right = rows_of(self.source, self.place, other)
        self.put(joined(self.rows, right))

    def put(self, base: Base) -> None:
        """Go on with other rows."""
        self.base = base
        self.expressions = Expressions(self.source, self.place)
        self.steps = RowSteps(self.expressions)

    def per_unit(self, groups: Sequence[Group]) -> bool:
        """Whether one of the keys is the privacy unit of a table at hand."""
        tables = [self.source.catalog.table(one.name) for one in tables_of(self.base)]
        units = {table.unit for table in tables if table is not None}
        return any(isinstance(one.node, Name) and one.node.name in units for one in groups)

    def group(self, groups: tuple[Group, ...], method: str, call: ast.Call) -> None:
        """One row per unit."""
        items = self.items(call) if method == "agg" else (self.length(call),)
        keys = [Item(one.node, one.name, one.span) for one in groups]
        named = [
            Item(one.value, name_output(one, self.source), one.span) for one in (*keys, *items)
        ]
        self.put(Grouped(self.rows, groups, tuple(named), (), self.place.of(call)))

    def unique(self, call: ast.Call) -> None:
        """Each value of some columns once: rows without anything else."""
        listed = self.steps.subset(call, self.listed(call))
        names = self.steps.plain(call, listed)
        span = self.place.of(call)
        groups = tuple(Group(self.expressions.names.find(one, span), one, span) for one in names)
        items = tuple(Item(one.node, one.name, one.span) for one in groups)
        self.put(Grouped(self.rows, groups, items, (), span))

    # --- the arguments of each method ---

    def nothing(self, call: ast.Call) -> None:
        if call.args or call.keywords:
            raise self.refuse(call, "this call takes no arguments here", "leave them out")

    def listed(self, call: ast.Call) -> list[tuple[ast.expr, str | None]]:
        """Arguments, lists opened, with the keyword each was given under."""
        found: list[tuple[ast.expr, str | None]] = []
        for arg in call.args:
            parts = arg.elts if isinstance(arg, (ast.List, ast.Tuple)) else [arg]
            found += [(one, None) for one in parts]
        for keyword in call.keywords:
            if keyword.arg is None:
                raise self.refuse(
                    keyword, "** is not in the language", "name each output: n=pl.len()"
                )
            found.append((keyword.value, keyword.arg))
        return found

    def groups(self, call: ast.Call) -> tuple[Group, ...]:
        found = []
        for arg, name in self.listed(call):
            if name == "maintain_order":
                if not (isinstance(arg, ast.Constant) and isinstance(arg.value, bool)):
                    raise self.refuse(arg, "this is True or False", "maintain_order=True")
                continue  # an answer always keeps the public order
            inner, alias = self.expressions.alias(arg)
            node = self.expressions.column_or(inner)
            name = name or alias or self.typed(inner, node)
            found.append(Group(node, name, self.place.of(arg)))
        if not found:
            key = hints.key_of(self.source.table)
            raise self.refuse(call, "group_by names no key", f'group_by("{key}")')
        return tuple(found)

    def periods(self, call: ast.Call) -> tuple[Group, ...]:
        """``group_by_dynamic``: calendar periods, which truncation gives too, after other keys."""
        index, every, by = self.expressions.arguments(call, "index_column", "every", "group_by")
        if index is None or not isinstance(every, ast.Constant) or every.value not in TRUNCATIONS:
            words = ", ".join(f'"{word}"' for word in TRUNCATIONS)
            hint = 'group_by_dynamic("admitted", every="1mo")'
            raise self.refuse(call, f"every is one of {words}", hint)
        column = self.expressions.column_or(index)
        span = self.place.of(index)
        period = Builder(span).call(TRUNCATIONS[str(every.value)], column)
        keys = [by] if by is None or not isinstance(by, (ast.List, ast.Tuple)) else by.elts
        others = [(self.expressions.column_or(one), one) for one in keys if one is not None]
        return (
            *(Group(node, self.typed(one, node), self.place.of(one)) for node, one in others),
            Group(period, column.name if isinstance(column, Name) else None, span),
        )

    def orders(self, call: ast.Call) -> bool:
        """Whether rows are sorted for ``group_by_dynamic``, which wants it, by what it takes."""
        wants = [one for name, one in self.calls if name == "group_by_dynamic"]
        alone = len(call.args) == 1 and not call.keywords and bool(wants) and bool(wants[0].args)
        return alone and ast.dump(call.args[0]) == ast.dump(wants[0].args[0])

    def typed(self, node: ast.expr, value: Node) -> str | None:
        """The name that was typed, where steps before gave it another meaning."""
        if not self.expressions.names.made:
            return None
        return typed_name(node) or (value.name if isinstance(value, Name) else None)

    def items(self, call: ast.Call) -> tuple[Item, ...]:
        found = []
        for arg, name in self.listed(call):
            inner, alias = self.expressions.alias(arg)
            values = self.expressions.outputs(inner)
            if len(values) > 1 and (name or alias):
                raise self.refuse(arg, "several columns have not one name", "leave the name out")
            for value, column in values:
                called = name or alias or column or self.typed(inner, value)
                found.append(Item(value, called, self.place.of(inner)))
        if not found:
            raise self.refuse(call, "no aggregate is named", "agg(n=pl.len())")
        return tuple(found)

    def length(self, call: ast.Call) -> Item:
        """group_by(...).len()."""
        self.nothing(call)
        span = self.place.of(call)
        return Item(Aggregate(AggregateKind.ROWS, None, span), "len", span)


def _is_concat(node: ast.Call) -> bool:
    match node.func:
        case ast.Attribute(value=ast.Name(id="pl"), attr="concat"):
            return True
    return False


def rows_of(source: Source, place: Place, tree: ast.expr) -> Rows:
    """The rows that a chain comes to, in the place of a table.

    :raises BadQuery: PL106, it comes to something else.
    """
    chain = ChainReader(source, place, tree)
    at = 0
    while at < len(chain.calls):
        taken = chain.step(at, inner=True)
        if not taken:
            method, call = chain.calls[at]
            raise chain.refuse(call, f"{method} has no place in a table's place", hints.SIDE)
        at += taken
    return chain.rows
