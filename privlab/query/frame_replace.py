"""Polars ``replace`` and ``replace_strict``: values for values, written out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from privlab.query.ask import Const, Node
from privlab.query.plan import Op

if TYPE_CHECKING:
    from privlab.query.frame_expressions import Expressions

MOST = 1_000
"""Values that one call replaces."""


def read_replace(reader: Expressions, node: ast.Call, inner: ast.expr, attr: str) -> Node:
    """A choice by values.

    What is not named stays what it is; with ``replace_strict`` it is ``default``, and null
    without one, where Polars would fail.
    """
    if attr == "replace":
        old, new = reader.arguments(node, "old", "new")
        default = None
    else:
        old, new, default = reader.arguments(node, "old", "new", "default")
    build, value = reader.build(node), reader.node(inner)
    parts: list[Node] = []
    for key, one in _pairs(reader, node, attr, old, new):
        sought = reader.node(key)
        null = isinstance(sought, Const) and sought.value is None
        parts.append(build.call(Op.IS_NULL, value) if null else build.call(Op.EQ, value, sought))
        parts.append(reader.node(one))
    other = value if attr == "replace" else None
    return build.call(Op.CASE, *parts, other if default is None else reader.node(default))


def _pairs(
    reader: Expressions, node: ast.Call, attr: str, old: ast.expr | None, new: ast.expr | None
) -> list[tuple[ast.expr, ast.expr]]:
    """Which value becomes which."""
    olds: list[ast.expr | None] = []
    news: list[ast.expr] = []
    match old, new:
        case ast.Dict(keys=keys, values=values), None:
            olds, news = keys, values
        case ast.List(elts=keys) | ast.Tuple(elts=keys), ast.List(elts=values) | ast.Tuple(
            elts=values
        ) if len(keys) == len(values):
            olds, news = [*keys], values
        case ast.List(elts=keys) | ast.Tuple(elts=keys), ast.expr():
            olds, news = [*keys], [new] * len(keys)
        case ast.expr(), ast.expr():
            olds, news = [old], [new]
    known = [one for one in olds if one is not None]
    texts = [ast.dump(one) for one in known]
    if not known or len(known) < len(olds) or len(known) > MOST or len(set(texts)) < len(texts):
        raise reader.refuse(
            node, f"{attr} takes values that become others, each once, written out", HINTS[attr]
        )
    return list(zip(known, news, strict=True))


HINTS = {
    "replace": '.replace({"A": "B"})',
    "replace_strict": '.replace_strict({"A": "x", "B": "y"}, default="z")',
}
