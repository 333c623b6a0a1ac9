"""Polars steps on rows, before groups are formed: they filter, and they name expressions."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from privlab.query.ask import Apply, Node
from privlab.query.frame_expressions import Expressions, typed_name
from privlab.query.frame_outputs import is_aggregate
from privlab.query.nodes import Builder
from privlab.query.plan import Op

STEPS = ("filter", "remove", "with_columns", "rename", "drop", "drop_nulls")
AFTER = (*STEPS, "select", "group_by", "join")
"""Methods before which ``select`` names columns, unless it aggregates."""

Listed = Sequence[tuple[ast.expr, str | None]]


class RowSteps:
    """The condition on rows so far; the names so far are those of ``expressions``."""

    def __init__(self, expressions: Expressions) -> None:
        self.expressions = expressions
        self.where: Node | None = None

    def take(self, method: str, call: ast.Call, listed: Listed) -> None:
        """One step.  listed: its arguments, lists opened, with their keywords."""
        reader = self.expressions
        match method:
            case "filter" | "remove":
                for arg, name in listed:
                    build = reader.build(arg)
                    condition = reader.column_or(arg) if name is None else reader.node(arg)
                    if name is not None:
                        column = reader.names.find(name, build.span)
                        condition = build.call(Op.EQ, column, condition)
                    if method == "remove":  # a row that is not known to pass stays
                        condition = build.not_(build.truth(condition))
                    self.keep(condition, build)
            case "with_columns":
                reader.names = reader.names.also(self.made(listed))
            case "select":
                reader.names = reader.names.only(self.made(listed))
            case "rename":
                self.rename(call)
            case "drop":
                reader.names = reader.names.without(self.plain(call, listed))
            case "drop_nulls":
                for name in self.plain(call, self.subset(call, listed)):
                    build = reader.build(call)
                    self.keep(build.known(reader.names.find(name, build.span)), build)

    def keep(self, condition: Node, build: Builder) -> None:
        """One more condition."""
        before = self.where
        self.where = condition if before is None else Apply(Op.AND, (before, condition), build.span)

    def projects(self, listed: Listed, later: Sequence[str]) -> bool:
        """Whether a ``select`` names columns: it aggregates nothing, and rows are used after it."""
        if not later or later[0] not in AFTER:
            return False
        return not any(
            is_aggregate(part, after=False) for arg, _ in listed for part in ast.walk(arg)
        )

    def made(self, listed: Listed) -> dict[str, Node]:
        """Named expressions; an expression without a name has that of its first column."""
        reader, found = self.expressions, dict[str, Node]()
        for arg, keyword in listed:
            inner, alias = reader.alias(arg)
            if is_aggregate(inner, after=False):
                raise reader.refuse(
                    arg, "an aggregate is no column of rows", "group_by(...).agg(...)"
                )
            value = reader.column_or(inner)
            name = keyword or alias or typed_name(inner)
            if name is None:
                raise reader.refuse(arg, "this column has no name", '.alias("name")')
            if name in found:
                raise reader.refuse(arg, f"two columns are called {name}", '.alias("name")')
            found[name] = value
        return found

    def plain(self, call: ast.Call, listed: Listed) -> list[str]:
        """Names of columns."""
        names = [
            arg.value
            for arg, _ in listed
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        if not names or len(names) < len(listed):
            raise self.expressions.refuse(call, "this takes names of columns", '("a", "b")')
        return names

    def subset(self, call: ast.Call, listed: Listed) -> Listed:
        """drop_nulls("a"), drop_nulls(["a", "b"]) and drop_nulls(subset=...)."""
        found: list[tuple[ast.expr, str | None]] = []
        for arg, name in listed:
            if name not in (None, "subset"):
                raise self.expressions.refuse(arg, f"{name} is not an argument here", "subset=")
            found += [
                (one, None)
                for one in (arg.elts if isinstance(arg, (ast.List, ast.Tuple)) else [arg])
            ]
        if not found:
            raise self.expressions.refuse(
                call, "name the columns that must not be null", '.drop_nulls("x")'
            )
        return found

    def rename(self, call: ast.Call) -> None:
        reader = self.expressions
        match call:
            case ast.Call(args=[ast.Dict(keys=keys, values=values)], keywords=[]):
                pairs = [
                    (old.value, new.value)
                    for old, new in zip(keys, values, strict=True)
                    if isinstance(old, ast.Constant)
                    and isinstance(new, ast.Constant)
                    and isinstance(old.value, str)
                    and isinstance(new.value, str)
                ]
                if pairs and len(pairs) == len(keys):
                    span = reader.place.of(call)
                    made = {new: reader.names.find(old, span) for old, new in pairs}
                    reader.names = reader.names.without(old for old, _ in pairs).also(made)
                    return
        raise reader.refuse(call, "rename takes old and new names", '.rename({"a": "b"})')
