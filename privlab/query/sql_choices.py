"""SQL conditions and choices: CASE, COALESCE, BETWEEN, IS, from sqlglot's nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from privlab.query.ask import Node
from privlab.query.nodes import Builder
from privlab.query.plan import Op

if TYPE_CHECKING:
    from privlab.query.sql_expressions import Expressions


def read_choice(node: exp.Expr, reader: Expressions) -> Node | None:
    """The parsed form of a condition or a choice; None when it is something else."""
    build, read = Builder(reader.at(node)), reader.expression
    match node:
        case exp.Case():
            return _case(node, reader, build)
        case exp.If():
            reader.only(node, "this", "true", "false")
            last = node.args.get("false")
            otherwise = None if last is None else read(last)
            return build.call(Op.CASE, read(node.this), read(node.args["true"]), otherwise)
        case exp.Nvl2():
            reader.only(node, "this", "true", "false")
            last = node.args.get("false")
            otherwise = None if last is None else read(last)
            known = build.known(read(node.this))
            return build.call(Op.CASE, known, read(node.args["true"]), otherwise)
        case exp.Coalesce():
            reader.only(node, "this", "expressions")
            return _several(Op.COALESCE, node, reader, build)
        case exp.Greatest() | exp.Least():
            reader.only(node, "this", "expressions", "ignore_nulls")
            op = Op.GREATEST if isinstance(node, exp.Greatest) else Op.LEAST
            return _several(op, node, reader, build)
        case exp.Nullif():
            reader.only(node, "this", "expression")
            value = read(node.this)
            equal = build.call(Op.EQ, value, read(node.expression))
            return build.call(Op.CASE, equal, None, value)
        case exp.Between():
            reader.only(node, "this", "low", "high", "symmetric")
            value, low, high = read(node.this), read(node.args["low"]), read(node.args["high"])
            if node.args.get("symmetric"):
                return build.between_either(value, low, high)
            return build.between(value, low, high)
        case exp.NullSafeEQ() | exp.NullSafeNEQ():
            reader.only(node, "this", "expression")
            same = build.same(read(node.this), read(node.expression))
            return same if isinstance(node, exp.NullSafeEQ) else build.not_(same)
        case exp.Is():
            return _is(node, reader, build)
    return None


def _case(node: exp.Case, reader: Expressions, build: Builder) -> Node:
    reader.only(node, "this", "ifs", "default")
    of = None if node.this is None else reader.expression(node.this)
    parts: list[Node] = []
    for one in node.args["ifs"]:
        test = reader.expression(one.this)
        parts.append(test if of is None else build.call(Op.EQ, of, test))
        parts.append(reader.expression(one.args["true"]))
    last = node.args.get("default")
    return build.call(Op.CASE, *parts, None if last is None else reader.expression(last))


def _several(op: Op, node: exp.Expr, reader: Expressions, build: Builder) -> Node:
    args = [reader.expression(one) for one in (node.this, *node.expressions)]
    return args[0] if len(args) == 1 else build.call(op, *args)


def _is(node: exp.Is, reader: Expressions, build: Builder) -> Node:
    reader.only(node, "this", "expression")
    value = reader.expression(node.this)
    match node.expression:
        case exp.Null():
            return build.call(Op.IS_NULL, value)
        case exp.Boolean(this=True):
            return build.truth(value)
        case exp.Boolean(this=False):
            return build.truth(build.not_(value))
    raise reader.refuse(node, "IS takes NULL, TRUE, FALSE, or DISTINCT FROM", "compare with =")
