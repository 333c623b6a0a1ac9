"""Polars methods of ``str``."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from privlab.query.ask import Node
from privlab.query.nodes import Builder
from privlab.query.plan import Op
from privlab.query.texts import SPACES
from privlab.terms.catalog import Kind

if TYPE_CHECKING:
    from privlab.query.frame_expressions import Expressions

PLAIN = {"to_lowercase": Op.LOWER, "to_uppercase": Op.UPPER, "len_chars": Op.LENGTH}
STRIPS = {
    "strip_chars": Op.STRIP,
    "strip_chars_start": Op.STRIP_START,
    "strip_chars_end": Op.STRIP_END,
}
ENDS = {"starts_with": ("prefix", "starts"), "ends_with": ("suffix", "ends")}
ANY = re.compile(r"[^\\.+*?()|\[\]{}^$#&~-]*")
"""Texts that are the same as a pattern."""


def read_text(reader: Expressions, node: ast.Call, inner: ast.expr, attr: str) -> Node | None:
    """The parsed form of ``inner.str.attr(...)``; None when the language does not have it."""
    build, value = reader.build(node), reader.node
    if attr in PLAIN:
        reader.arguments(node)
        return build.call(PLAIN[attr], value(inner))
    if attr in STRIPS:
        (characters,) = reader.arguments(node, "characters")
        given = SPACES if characters is None else value(characters)
        return build.call(STRIPS[attr], value(inner), given)
    if attr in ENDS:
        name, how = ENDS[attr]
        (text,) = reader.needed(node, name)
        return build.call(Op.LIKE, value(inner), value(text), how, None)
    match attr:
        case "contains":
            pattern, literal, strict = reader.arguments(node, "pattern", "literal", "strict")
            reader.flag(node, strict, default=True)
            sought = _plain(reader, node, pattern, literal)
            return build.call(Op.LIKE, value(inner), sought, "contains", None)
        case "replace_all":
            pattern, new, literal = reader.arguments(node, "pattern", "value", "literal")
            if new is None:
                raise reader.refuse(
                    node, "replace_all takes two texts", '.str.replace_all("a", "b")'
                )
            sought = _plain(reader, node, pattern, literal)
            return build.call(Op.REPLACE, value(inner), sought, value(new))
        case "replace":
            what = "only all occurrences are replaced"
            raise reader.refuse(node.func, what, '.str.replace_all("a", "b", literal=True)')
        case "slice":
            offset, length = reader.arguments(node, "offset", "length")
            if offset is None:
                raise reader.refuse(node, "slice takes an offset", ".str.slice(0, 3)")
            size = None if length is None else value(length)
            return build.call(Op.SLICE, value(inner), value(offset), size)
        case "head" | "tail":
            return _side(reader, node, inner, attr, build)
        case "to_date":
            form, strict = reader.arguments(node, "format", "strict")
            reader.flag(node, strict, default=True)
            if form is not None and ast.unparse(form) != "'%Y-%m-%d'":
                raise reader.refuse(
                    node, "a date is written YYYY-MM-DD", '.str.to_date("%Y-%m-%d")'
                )
            return build.cast(value(inner), Kind.DATE, "truncate")
        case "to_integer":
            (strict,) = reader.arguments(node, "strict")
            reader.flag(node, strict, default=True)
            return build.cast(value(inner), Kind.INT, "truncate")
    return None


def _plain(
    reader: Expressions, node: ast.Call, pattern: ast.expr | None, literal: ast.expr | None
) -> Node:
    """A text that is looked for as it is; a regular expression is refused."""
    if pattern is None:
        raise reader.refuse(node, "this takes a text", '.str.contains("a", literal=True)')
    plain = isinstance(pattern, ast.Constant) and ANY.fullmatch(str(pattern.value)) is not None
    if not reader.flag(node, literal, default=False) and not plain:
        raise reader.refuse(node, "regular expressions are not in the language", "add literal=True")
    return reader.node(pattern)


def _side(reader: Expressions, node: ast.Call, inner: ast.expr, attr: str, build: Builder) -> Node:
    (size,) = reader.needed(node, "n")
    match size:
        case ast.Constant(value=int() as count) if type(count) is int:
            if attr == "head" or count == 0:
                return build.call(Op.SLICE, reader.node(inner), 0, count)
            return build.call(Op.SLICE, reader.node(inner), -count, None)
    raise reader.refuse(node, f"{attr} takes a number of characters", f".str.{attr}(3)")
