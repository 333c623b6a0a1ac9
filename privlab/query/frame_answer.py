"""Polars steps on the rows of an answer: after ``agg``, or ``select`` without groups."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from privlab.query.ask import Ask, Item, Node, Sort, Windowed, walk
from privlab.query.frame_expressions import Expressions, typed_name
from privlab.query.passes.name_output import name_output
from privlab.query.projection import Projection

STEPS = ("with_columns", "select", "drop", "filter", "sort", "head", "limit", "slice")

Listed = Sequence[tuple[ast.expr, str | None]]


class AnswerSteps:
    """What the answer's columns are so far, and which of its rows are kept."""

    def __init__(self, expressions: Expressions, ask: Ask) -> None:
        self.reader = expressions
        self.ask = ask
        self.changed = False
        groups = [Item(group.node, group.name, group.span) for group in ask.groups]
        self.columns: dict[str, Item] = {}
        for item in (*groups, *ask.items):
            name = name_output(item, ask.source)
            self.columns.setdefault(name, replace(item, name=name))
        self.windows = False
        expressions.after = True
        expressions.order = tuple(Sort(one.node, False, one.span) for one in ask.groups)  # noqa: FBT003
        self.named()

    def named(self) -> None:
        """Names stand for the columns of the answer from here on."""
        made = {name: item.value for name, item in self.columns.items()}
        self.reader.names = Projection(made, open=False)

    def finished(self) -> Ask:
        """The question, with its columns as the steps left them."""
        if not self.changed:
            return self.ask
        return replace(self.ask, items=tuple(self.columns.values()), keys_first=False)

    def take(self, method: str, call: ast.Call, listed: Listed) -> None:
        """One step.  listed: its arguments, lists opened, with their keywords."""
        if self.ask.limit is not None:
            raise self.reader.refuse(call, f"{method} comes before head", "end with head")
        match method:
            case "with_columns" | "select":
                made = dict(self.column(arg, name) for arg, name in listed)
                if len(made) < len(listed):
                    raise self.reader.refuse(call, "two columns have one name", '.alias("name")')
                self.show(call, made if method == "select" else {**self.columns, **made})
            case "drop":
                names = [arg.value for arg, _ in listed if isinstance(arg, ast.Constant)]
                unknown = [name for name in names if name not in self.columns]
                if not names or unknown:
                    raise self.reader.refuse(call, "drop takes names of outputs", 'drop("n")')
                kept = {name: one for name, one in self.columns.items() if name not in names}
                self.show(call, kept)
            case "filter":
                self.filter(call, listed)
            case "sort":
                self.sort(call, listed)
            case "head" | "limit":
                self.limit(call, listed)
            case "slice":
                self.slice(call)

    def column(self, arg: ast.expr, keyword: str | None) -> tuple[str, Item]:
        inner, alias = self.reader.alias(arg)
        plain = isinstance(inner, ast.Constant) and isinstance(inner.value, str)
        value = self.reader.column_or(inner) if plain else self.reader.output(inner)
        name = keyword or alias or typed_name(inner)
        if name is None:
            raise self.reader.refuse(arg, "this column has no name", '.alias("name")')
        return name, Item(value, name, self.reader.place.of(inner))

    def show(self, call: ast.Call, columns: dict[str, Item]) -> None:
        new = [item.value for item in columns.values() if item not in self.columns.values()]
        if any(map(_windowed, new)):
            if self.ask.qualify:
                raise self.reader.refuse(
                    call,
                    "windows see all rows that filters before the first window keep",
                    "filter before windows, or compute on the answer's frame",
                )
            self.windows = True
        self.columns, self.changed = columns, True
        self.named()

    def filter(self, call: ast.Call, listed: Listed) -> None:
        """Conditions before the first window are HAVING, those after it QUALIFY."""
        tests: list[Node] = []
        for arg, name in listed:
            test = self.reader.output(arg)
            if name is not None:
                raise self.reader.refuse(arg, "filter takes conditions", f'pl.col("{name}") == ...')
            tests.append(test)
        if self.windows or any(map(_windowed, tests)):
            self.ask = replace(self.ask, qualify=(*self.ask.qualify, *tests))
            self.windows = True
        else:
            self.ask = replace(self.ask, having=(*self.ask.having, *tests))

    def sort(self, call: ast.Call, listed: Listed) -> None:
        descending: list[bool] | bool = False
        by: list[ast.expr] = []
        for arg, name in listed:
            if name == "descending":
                descending = self.flags(arg)
            elif name == "by":
                by += arg.elts if isinstance(arg, (ast.List, ast.Tuple)) else [arg]
            elif name is None:
                by.append(arg)
            elif name == "maintain_order":
                self.flags(arg)
            elif name != "nulls_last" or self.flags(arg) is not True:
                raise self.reader.refuse(
                    arg, f"{name} is not in the language; unknown values sort last", "leave it out"
                )
        flags = [descending] * len(by) if isinstance(descending, bool) else descending
        if not by or len(flags) != len(by):
            raise self.reader.refuse(
                call,
                "sort names outputs, with one descending for each or for all",
                'sort("n", descending=True)',
            )
        order = tuple(
            Sort(self.sorted_by(one), flag, self.reader.place.of(one))
            for one, flag in zip(by, flags, strict=True)
        )
        self.ask = replace(self.ask, order=(*order, *self.ask.order))
        self.reader.order = order

    def sorted_by(self, node: ast.expr) -> Node:
        """An output by its name, or an expression of outputs."""
        if isinstance(node, ast.Constant) and not isinstance(node.value, str):
            raise self.reader.refuse(
                node, "sort takes the names of outputs", 'sort("n", descending=True)'
            )
        if isinstance(node, ast.Constant):
            return self.reader.column_or(node)
        return self.reader.output(node)

    def flags(self, node: ast.expr) -> list[bool] | bool:
        match node:
            case ast.Constant(value=bool() as flag):
                return flag
            case ast.List(elts=elts) | ast.Tuple(elts=elts):
                found = [self.flags(one) for one in elts]
                if all(isinstance(one, bool) for one in found):
                    return [bool(one) for one in found]
        raise self.reader.refuse(
            node, "this is True or False, or a list of them", "descending=True"
        )

    def limit(self, call: ast.Call, listed: Listed) -> None:
        if len(listed) != 1 or listed[0][1] not in (None, "n"):
            raise self.reader.refuse(call, "head takes one number", "head(10)")
        self.ask = replace(self.ask, limit=self.reader.node(listed[0][0]))

    def slice(self, call: ast.Call) -> None:
        offset, length = self.reader.arguments(call, "offset", "length")
        if offset is None or length is None:
            raise self.reader.refuse(call, "slice takes an offset and a length", "slice(10, 10)")
        self.ask = replace(
            self.ask, offset=self.reader.node(offset), limit=self.reader.node(length)
        )


def _windowed(node: Node) -> bool:
    return any(isinstance(part, Windowed) for part in walk(node))
