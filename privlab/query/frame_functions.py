"""The functions of ``pl`` that stand in an expression."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from privlab.query.ask import Node
from privlab.query.hints import key_of
from privlab.query.plan import Op

if TYPE_CHECKING:
    from privlab.query.frame_expressions import Expressions

SEVERAL = {
    "coalesce": Op.COALESCE,
    "max_horizontal": Op.MAX_OF,
    "min_horizontal": Op.MIN_OF,
    "all_horizontal": Op.AND,
    "any_horizontal": Op.OR,
    "sum_horizontal": Op.ADD,
}


def read_root(reader: Expressions, node: ast.Call, attr: str) -> Node | None:
    """The parsed form of ``pl.attr(...)``; None when the language does not have it."""
    build = reader.build(node)
    if attr in SEVERAL:
        args = _several(reader, node)
        if attr == "sum_horizontal":  # a null adds nothing
            args = [build.call(Op.COALESCE, arg, 0) for arg in args]
        return args[0] if len(args) == 1 else build.call(SEVERAL[attr], *args)
    match attr:
        case "concat_str":
            return _joined(reader, node)
        case "when":
            raise reader.refuse(node, "a choice needs a value", "pl.when(...).then(1)")
        case "duration":
            raise reader.refuse(
                node, "a duration is added to a date or a time", 'pl.col("x") + pl.duration(days=3)'
            )
        case "col" if reader.place_of_several is not None and len(several(node)) > 1:
            return reader.names.find(several(node)[reader.place_of_several], reader.place.of(node))
        case "col" | "lit":
            (arg,) = reader.arguments(node, "name" if attr == "col" else "value")
            match attr, arg:
                case "col", ast.Constant(value=str() as column):
                    return reader.names.find(column, reader.place.of(node))
                case "lit", ast.expr():
                    return reader.node(arg)
            name = key_of(reader.source.table)
            raise reader.refuse(node, f"pl.{attr} takes one name or value", f'pl.col("{name}")')
    return None


def several(node: ast.AST) -> list[str]:
    """The columns of ``pl.col("a", "b")`` and ``pl.col(["a", "b"])``; none of anything else."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="pl"), attr="col"), args=args, keywords=[]
        ):
            opened = args[0].elts if len(args) == 1 and isinstance(args[0], ast.List) else args
            names = [one.value for one in opened if isinstance(one, ast.Constant)]
            found = [one for one in names if isinstance(one, str)]
            return found if len(found) == len(opened) else []
    return []


def _several(reader: Expressions, node: ast.Call) -> list[Node]:
    """Expressions, or names of columns, in one list or one by one."""
    opened = [
        one
        for arg in node.args
        for one in (arg.elts if isinstance(arg, (ast.List, ast.Tuple)) else [arg])
    ]
    if not opened or node.keywords:
        raise reader.refuse(node, "this takes columns", f'pl.{"coalesce"}("a", "b")')
    return [reader.column_or(one) for one in opened]


def _joined(reader: Expressions, node: ast.Call) -> Node:
    """pl.concat_str, null when a part is."""
    build, separator = reader.build(node), ""
    for keyword in node.keywords:
        match keyword:
            case ast.keyword(arg="separator", value=ast.Constant(value=str() as text)):
                separator = text
            case _:
                raise reader.refuse(
                    node, "concat_str takes columns and a separator", 'pl.concat_str("a", "b")'
                )
    parts = _several(reader, ast.Call(node.func, node.args, []) if node.args else node)
    if separator:
        parts = [one for part in parts for one in (build.node(separator), part)][1:]
    return parts[0] if len(parts) == 1 else build.call(Op.CONCAT, *parts)
