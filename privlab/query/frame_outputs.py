"""Polars aggregates, and windows over the rows of the answer."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from privlab.query.ask import Aggregate, AggregateKind, Apply, Name, Node, Sort, Windowed
from privlab.query.frame_quantiles import which
from privlab.query.nodes import Builder
from privlab.query.plan import Op
from privlab.query.post.tree import Over

if TYPE_CHECKING:
    from privlab.query.frame_expressions import Expressions

AGGREGATES = {
    "mean": AggregateKind.MEAN,
    "sum": AggregateKind.SUM,
    "count": AggregateKind.ROWS,
    "n_unique": AggregateKind.UNITS,
    "approx_n_unique": AggregateKind.UNITS,
    "min": AggregateKind.MIN,
    "max": AggregateKind.MAX,
    "median": AggregateKind.QUANTILE,
    "quantile": AggregateKind.QUANTILE,
    "var": AggregateKind.VAR_SAMP,
    "std": AggregateKind.STDDEV_SAMP,
}
OVER_ALL = {
    AggregateKind.VAR_SAMP: AggregateKind.VAR_POP,
    AggregateKind.STDDEV_SAMP: AggregateKind.STDDEV_POP,
    AggregateKind.COVAR_SAMP: AggregateKind.COVAR_POP,
}
ROWS = ("len", "null_count")
PAIRS = {"cov": AggregateKind.COVAR_SAMP, "corr": AggregateKind.CORR}
FOLDS = {
    "sum": Over.SUM,
    "mean": Over.MEAN,
    "min": Over.MIN,
    "max": Over.MAX,
    "count": Over.COUNT,
    "len": Over.COUNT,
}
RANKS = {"min": Over.RANK, "dense": Over.DENSE_RANK, "ordinal": Over.ROW_NUMBER}
WINDOWS = (*FOLDS, "rank", "cum_sum", "shift", "over")


def called(node: ast.AST) -> str:
    """The method or the ``pl`` function that a call ends with, else ""."""
    match node:
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr
    return ""


def is_aggregate(node: ast.AST, *, after: bool) -> bool:
    """Whether a node calls an aggregate, or a window where rows are of the answer."""
    attr = called(node)
    root = isinstance(node, ast.Call) and _of_pl(node)
    if after:
        return attr == "len" if root else attr in WINDOWS
    return attr in (*AGGREGATES, *ROWS) or (root and attr in PAIRS)


def _of_pl(node: ast.Call) -> bool:
    return (
        isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "pl"
    )


def read_aggregate(node: ast.Call, reader: Expressions) -> Node:
    """An aggregate of rows, or a window over the answer's rows."""
    if reader.after:
        return _window(node, reader)
    was, reader.aggregating = reader.aggregating, False
    try:
        return _aggregate(node, reader)
    finally:
        reader.aggregating = was


def _aggregate(node: ast.Call, reader: Expressions) -> Aggregate:
    build, attr = reader.build(node), called(node)
    if not isinstance(node.func, ast.Attribute):
        raise reader.refuse(node, "this is not in the language")
    if not _of_pl(node):
        return _of_expression(node, node.func.value, attr, reader)
    if attr in PAIRS:
        return _pair(node, attr, reader, build)
    if attr == "len" and not node.args and not node.keywords:
        return Aggregate(AggregateKind.ROWS, None, build.span)
    match node.args:
        case [ast.Constant(value=str() as column), *rest] if attr in AGGREGATES:
            of = reader.names.find(column, reader.place.of(node.args[0]))
            call = ast.Call(node.func, rest, node.keywords)
            kind = _kind(call, attr, reader, node)
            return Aggregate(kind, of, build.span, which(reader, call, node))
    what = (
        "pl.count names no column" if attr == "count" else f"pl.{attr} takes the name of a column"
    )
    raise reader.refuse(node, what, "pl.len() counts the rows")


def _kind(call: ast.Call, attr: str, reader: Expressions, at: ast.Call) -> AggregateKind:
    """The aggregate, with the ``ddof`` that it was given."""
    kind = AGGREGATES.get(attr) or PAIRS.get(attr) or AggregateKind.ROWS
    if kind not in OVER_ALL:
        if (call.args or call.keywords) and attr != "quantile":
            raise reader.refuse(at, f"{attr} takes no arguments here", "leave them out")
        return kind
    given = [*call.args, *(one.value for one in call.keywords if one.arg == "ddof")]
    match given, len(call.args) + len(call.keywords):
        case [], 0:
            return kind
        case [ast.Constant(value=1)], 1:
            return kind
        case [ast.Constant(value=0)], 1:
            return OVER_ALL[kind]
    raise reader.refuse(at, "ddof is 0 or 1", f".{attr}(ddof=1)")


def _of_expression(node: ast.Call, inner: ast.expr, attr: str, reader: Expressions) -> Aggregate:
    """An aggregate of an expression, of all rows or of those that ``filter`` leaves."""
    build = reader.build(node)
    kind = _kind(node, attr, reader, node)
    tests: list[Node] = []
    known = False  # rows without a value are left out
    while isinstance(inner, ast.Call) and called(inner) in ("filter", "drop_nulls"):
        if called(inner) == "filter":
            tests = [*(reader.node(one) for one in reader.conditions(inner)), *tests]
        else:
            reader.arguments(inner)
            known = True
        inner = inner.func.value if isinstance(inner.func, ast.Attribute) else inner
    different = _struct(inner, reader) if attr == "n_unique" else None
    of: Node | None = reader.node(inner) if different is None else different
    if known and attr == "null_count":
        raise reader.refuse(node, "no value is null once nulls are dropped", ".null_count()")
    if known and attr == "len":
        return Aggregate(kind, of if not tests else build.where(build.all(tests), of), build.span)
    if attr == "null_count":
        tests.append(build.call(Op.IS_NULL, of))
    if attr in ROWS:
        of = None
    if tests:
        of = build.where(build.all(tests), of)
    return Aggregate(kind, of, build.span, which(reader, node, node))


def _struct(inner: ast.expr, reader: Expressions) -> Node | None:
    """``pl.struct("a", "b")``: several values side by side, of which none is null."""
    if not isinstance(inner, ast.Call) or called(inner) != "struct" or not _of_pl(inner):
        return None
    opened = [
        one
        for arg in inner.args
        for one in (arg.elts if isinstance(arg, (ast.List, ast.Tuple)) else [arg])
    ]
    if len(opened) < len("ab") or inner.keywords:
        raise reader.refuse(inner, "a struct has two columns or more", 'pl.struct("a", "b")')
    return reader.build(inner).tuple_of([reader.column_or(one) for one in opened])


def _pair(node: ast.Call, attr: str, reader: Expressions, build: Builder) -> Aggregate:
    """pl.cov and pl.corr, of two columns or expressions."""
    keywords = {one.arg for one in node.keywords}
    if len(node.args) != len("ab") or keywords - {"ddof", "method"}:
        raise reader.refuse(node, f"pl.{attr} takes two columns", f'pl.{attr}("a", "b")')
    for one in node.keywords:
        plain = isinstance(one.value, ast.Constant) and one.value.value == "pearson"
        if one.arg == "method" and not plain:
            raise reader.refuse(node, "a correlation is Pearson's", "leave method out")
    rest = [one for one in node.keywords if one.arg == "ddof" and attr == "cov"]
    kind = _kind(ast.Call(node.func, [], rest), attr, reader, node)
    first, second = (reader.column_or(one) for one in node.args)
    return Aggregate(kind, first, build.span, second)


# --- windows ---------------------------------------------------------------------


def _window(node: ast.Call, reader: Expressions) -> Node:
    build, attr = reader.build(node), called(node)
    if _of_pl(node):  # pl.len()
        reader.arguments(node)
        return Windowed(Over.COUNT, None, (), (), build.span)
    if not isinstance(node.func, ast.Attribute):
        raise reader.refuse(node, "this is not in the language")
    inner = node.func.value
    if attr == "over":
        return _over(node, inner, reader)
    of = reader.node(inner)
    match attr:
        case "rank":
            method, descending = reader.arguments(node, "method", "descending")
            word = method.value if isinstance(method, ast.Constant) else "average"
            kind = RANKS.get(str(word))
            if kind is None:
                raise reader.refuse(
                    node, f"a rank is one of {', '.join(RANKS)}", '.rank("min", descending=True)'
                )
            falls = reader.flag(node, descending, default=False)
            order = (Sort(of, falls, build.span),)
            return Windowed(kind, None, (), order, build.span)
        case "cum_sum":
            reader.arguments(node)
            return Windowed(Over.SUM, of, (), reader.order, build.span, running=True)
        case "shift":
            return _shift(node, of, reader, build)
    reader.arguments(node)
    return Windowed(FOLDS[attr], of, (), (), build.span)


def _shift(node: ast.Call, of: Node, reader: Expressions, build: Builder) -> Node:
    count, fill = reader.arguments(node, "n", "fill_value")
    offset = 1
    match count:
        case ast.Constant(value=int() as offset) if not isinstance(offset, bool):
            pass
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as back)):
            offset = -back
        case None:
            pass
        case _:
            raise reader.refuse(node, "rows are shifted by a whole number", ".shift(1)")
    found = Windowed(Over.SHIFT, of, (), reader.order, build.span, offset=offset)
    return found if fill is None else build.call(Op.COALESCE, found, reader.node(fill))


def _over(node: ast.Call, inner: ast.expr, reader: Expressions) -> Node:
    """Windows inside get the keys of their partition, and an order if one is given."""
    given = [one for one in node.keywords if one.arg in ("order_by", "descending")]
    if len(given) < len(node.keywords):
        raise reader.refuse(node, "over takes keys, order_by and descending", '.over("ward")')
    keys = [
        reader.column_or(one)
        for arg in node.args
        for one in (arg.elts if isinstance(arg, (ast.List, ast.Tuple)) else [arg])
    ]
    named = {one.arg: one.value for one in given}
    falls = reader.flag(node, named.get("descending"), default=False)
    order: tuple[Sort, ...] | None = None
    if "order_by" in named:
        by = named["order_by"]
        listed = by.elts if isinstance(by, (ast.List, ast.Tuple)) else [by]
        order = tuple(Sort(reader.column_or(one), falls, reader.place.of(one)) for one in listed)
    return _partitioned(reader.node(inner), tuple(keys), order)


def _partitioned(node: Node, keys: tuple[Node, ...], order: tuple[Sort, ...] | None) -> Node:
    match node:
        case Windowed() if not node.partition:
            moves = node.running or node.kind is Over.SHIFT
            if moves and order is None:
                names = {key.name for key in keys if isinstance(key, Name)}
                order = tuple(
                    one
                    for one in node.order
                    if not (isinstance(one.by, Name) and one.by.name in names)
                )
            return replace(node, partition=keys, order=order if moves and order else node.order)
        case Apply(op=op, args=args, span=span):
            return Apply(op, tuple(_partitioned(arg, keys, order) for arg in args), span)
    return node
