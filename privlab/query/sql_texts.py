"""SQL on texts, and casts: from sqlglot's nodes to the parsed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from privlab.errors import BadQuery
from privlab.query.ask import Const, Node
from privlab.query.literals import time_literal
from privlab.query.nodes import Builder
from privlab.query.plan import Op
from privlab.query.sql_functions import whole
from privlab.terms.catalog import Kind

if TYPE_CHECKING:
    from privlab.query.sql_expressions import Expressions

TRIMS = {"": Op.STRIP, "BOTH": Op.STRIP, "LEADING": Op.STRIP_START, "TRAILING": Op.STRIP_END}
ENDS: dict[type, str] = {exp.StartsWith: "starts", exp.EndsWith: "ends", exp.Contains: "contains"}
KINDS = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT"), Kind.INT),
    **dict.fromkeys(("DECIMAL", "FLOAT", "DOUBLE", "REAL"), Kind.FLOAT),
    **dict.fromkeys(("TEXT", "VARCHAR", "CHAR"), Kind.TEXT),
    "BOOLEAN": Kind.BOOL,
    "DATE": Kind.DATE,
}


def read_text(node: exp.Expr, reader: Expressions) -> Node | None:
    """The parsed form of an operation on texts or of a cast; None when it is another."""
    build, read = Builder(reader.at(node)), reader.expression
    match node:
        case exp.Like() | exp.ILike() | exp.Escape():
            return _like(node, reader, build)
        case exp.StrPosition():
            raise _placed(node, reader)
        case exp.StartsWith() | exp.EndsWith() | exp.Contains():
            reader.only(node, "this", "expression")
            how = ENDS[type(node)]
            return build.call(Op.LIKE, read(node.this), read(node.expression), how, None)
        case exp.Concat() | exp.ConcatWs():
            reader.only(node, "expressions", "safe")
            return _concatenated(node, [read(one) for one in node.expressions], reader, build)
        case exp.DPipe():
            reader.only(node, "this", "expression", "safe")
            return build.call(Op.CONCAT, read(node.this), read(node.expression))
        case exp.Replace():
            reader.only(node, "this", "expression", "replacement")
            new = node.args.get("replacement")
            old = read(node.expression)
            return build.call(Op.REPLACE, read(node.this), old, "" if new is None else read(new))
        case exp.Trim():
            reader.only(node, "this", "expression", "position")
            characters = node.args.get("expression")
            op = TRIMS[str(node.args.get("position") or "").upper()]
            return build.call(op, read(node.this), " " if characters is None else read(characters))
        case exp.Substring():
            return _substring(node, reader, build)
        case exp.Left() | exp.Right():
            return _side(node, reader, build)
        case exp.Cast():
            return _cast(node, reader, build)
    return None


def _like(node: exp.Expr, reader: Expressions, build: Builder) -> Node:
    escape: Node | None = None
    if isinstance(node, exp.Escape):
        reader.only(node, "this", "expression")
        mark = node.expression
        if not isinstance(mark, exp.Literal) or len(mark.name) != 1 or mark.name in "%_":
            raise reader.refuse(node, "ESCAPE takes one character", "LIKE '50!%' ESCAPE '!'")
        escape, node = Const(mark.name, build.span), node.this
    reader.only(node, "this", "expression", "negate")
    if isinstance(node.expression, (exp.Any, exp.All)):
        return _like_several(node, reader, build, escape)
    return _like_one(node, node.expression, reader, build, escape)


def _like_several(node: exp.Expr, reader: Expressions, build: Builder, escape: Node | None) -> Node:
    """LIKE ANY, LIKE ALL: one of several patterns, or each of them."""
    several = isinstance(node.expression, exp.Any)
    word = "ANY" if several else "ALL"
    inner = node.expression.this
    while isinstance(inner, exp.Paren):
        inner = inner.this
    listed = inner.expressions if isinstance(inner, (exp.Tuple, exp.Array)) else [inner]
    if node.args.get("negate"):
        what = (
            f"NOT LIKE {word} is NOT of each pattern in one dialect and of all of them in another"
        )
        raise reader.refuse(node, what, f"NOT (x LIKE {word} ('a%', 'b%')), or NOT LIKE with AND")
    if not listed or not all(isinstance(one, exp.Expr) for one in listed):
        raise reader.refuse(node, f"LIKE {word} takes patterns", f"x LIKE {word} ('a%', 'b%')")
    tests = [_like_one(node, one, reader, build, escape) for one in listed]
    return build.any(tests) if several else build.all(tests)


def _like_one(
    node: exp.Expr, form: exp.Expr, reader: Expressions, build: Builder, escape: Node | None
) -> Node:
    value, pattern = reader.expression(node.this), reader.expression(form)
    if isinstance(node, exp.ILike):
        value, pattern = build.call(Op.LOWER, value), build.call(Op.LOWER, pattern)
        escape = None if escape is None else build.call(Op.LOWER, escape)
    found = build.call(Op.LIKE, value, pattern, "like", escape)
    return build.not_(found) if node.args.get("negate") else found


ZERO: dict[type, tuple[int, bool]] = {
    exp.GT: (0, True),
    exp.GTE: (1, True),
    exp.NEQ: (0, True),
    exp.EQ: (0, False),
    exp.LTE: (0, False),
    exp.LT: (1, False),
}
"""Comparisons of a place, which is 1 or more, that say whether there is one: with what, and which."""

TURNED: dict[type, type] = {exp.GT: exp.LT, exp.LT: exp.GT, exp.GTE: exp.LTE, exp.LTE: exp.GTE}


def read_sought(node: exp.Expr, reader: Expressions) -> Node | None:
    """POSITION('a' IN x) > 0, and what says the same, or the opposite; None for anything else."""
    left, right = node.args.get("this"), node.args.get("expression")
    how: type = type(node)
    if isinstance(right, exp.StrPosition):
        left, right, how = right, left, TURNED.get(how, how)
    if not isinstance(left, exp.StrPosition):
        return None
    least, there = ZERO[how]
    if not isinstance(right, exp.Expr) or whole(right) != least:
        raise _placed(left, reader)
    reader.only(left, "this", "substr")
    build = Builder(reader.at(node))
    value, sought = reader.expression(left.this), reader.expression(left.args["substr"])
    found = build.call(Op.LIKE, value, sought, "contains", None)
    return found if there else build.not_(found)


def _placed(node: exp.Expr, reader: Expressions) -> BadQuery:
    return reader.refuse(
        node,
        "where a text stands in another is not in the language, only whether it is there",
        "POSITION('a' IN x) > 0, or x LIKE '%a%'; LEFT(x, 3) = 'abc' for a place",
    )


def _concatenated(node: exp.Expr, parts: list[Node], reader: Expressions, build: Builder) -> Node:
    if isinstance(node, exp.ConcatWs):
        between, *parts = parts
        parts = [one for part in parts for one in (between, part)][1:]
    if not parts:
        raise reader.refuse(node, "CONCAT joins texts", "a || b")
    return parts[0] if len(parts) == 1 else build.call(Op.CONCAT, *parts)


def _substring(node: exp.Substring, reader: Expressions, build: Builder) -> Node:
    reader.only(node, "this", "start", "length")
    start = whole(node.args.get("start"))
    if start is None or start < 1:
        raise reader.refuse(
            node,
            "SUBSTRING starts at a place from 1 on, written out",
            "SUBSTRING(x, 1, 3), or RIGHT",
        )
    length = node.args.get("length")
    size = None if length is None else reader.expression(length)
    return build.call(Op.SLICE, reader.expression(node.this), start - 1, size)


def _side(node: exp.Left | exp.Right, reader: Expressions, build: Builder) -> Node:
    reader.only(node, "this", "expression")
    value, size = reader.expression(node.this), whole(node.expression)
    if size is None or size < 0:
        word = node.key.upper()
        raise reader.refuse(node, f"{word} takes a number of characters", f"{word}(x, 3)")
    if isinstance(node, exp.Left) or size == 0:
        return build.call(Op.SLICE, value, 0, size)
    return build.call(Op.SLICE, value, -size, None)


def _cast(node: exp.Cast, reader: Expressions, build: Builder) -> Node:
    """Casts of literals are constants; others wait for the type of their value."""
    reader.only(node, "this", "to", "safe")
    if not isinstance(node.to, exp.DataType):
        raise reader.refuse(node, "this type is not in the language", "CAST(x AS INT)")
    reader.only(node.to, "this", "expressions")
    to, of = node.to.this.name, node.this
    sizes = [whole(one.this) for one in node.to.expressions]
    if isinstance(of, exp.Literal) and not sizes:
        return Const(time_literal(of.this, to, reader.source, build.span), build.span)
    kind = KINDS.get(to)
    if kind is None:
        raise reader.refuse(
            node,
            f"casts to {to.lower()} are not in the language",
            "INT, DOUBLE, TEXT, DATE, BOOLEAN",
        )
    value = build.cast(reader.expression(of), kind, "round")
    if not sizes:
        return value
    if to != "DECIMAL" or None in sizes or len(sizes) > 2:
        raise reader.refuse(node, "a size is only for DECIMAL", "CAST(x AS TEXT), or LEFT(x, 3)")
    return build.call(Op.ROUND, value, sizes[1] if len(sizes) == 2 else 0)
