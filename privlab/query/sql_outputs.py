"""SQL aggregates, and windows over the rows of the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from privlab.query.ask import Aggregate, AggregateKind, Node, Sort, Windowed
from privlab.query.nodes import Builder
from privlab.query.plan import Op
from privlab.query.post.tree import Over
from privlab.query.sql_functions import whole
from privlab.query.sql_quantiles import is_quantile, sql_quantile

if TYPE_CHECKING:
    from privlab.query.sql_expressions import Expressions

AGGREGATES: dict[type, AggregateKind] = {
    exp.Count: AggregateKind.ROWS,
    exp.Sum: AggregateKind.SUM,
    exp.Avg: AggregateKind.MEAN,
    exp.Min: AggregateKind.MIN,
    exp.Max: AggregateKind.MAX,
    exp.Variance: AggregateKind.VAR_SAMP,
    exp.VariancePop: AggregateKind.VAR_POP,
    exp.Stddev: AggregateKind.STDDEV_SAMP,
    exp.StddevSamp: AggregateKind.STDDEV_SAMP,
    exp.StddevPop: AggregateKind.STDDEV_POP,
    exp.CovarSamp: AggregateKind.COVAR_SAMP,
    exp.CovarPop: AggregateKind.COVAR_POP,
    exp.Corr: AggregateKind.CORR,
    exp.ApproxDistinct: AggregateKind.UNITS,
}
OF_TWO = frozenset({AggregateKind.COVAR_SAMP, AggregateKind.COVAR_POP, AggregateKind.CORR})
NAMED = {"VAR": AggregateKind.VAR_SAMP, "STD": AggregateKind.STDDEV_SAMP}
FOLDS: dict[type, Over] = {
    exp.Sum: Over.SUM,
    exp.Avg: Over.MEAN,
    exp.Min: Over.MIN,
    exp.Max: Over.MAX,
    exp.Count: Over.COUNT,
}
RANKS: dict[type, Over] = {
    exp.Rank: Over.RANK,
    exp.DenseRank: Over.DENSE_RANK,
    exp.RowNumber: Over.ROW_NUMBER,
}
RUNNING = {"kind": "ROWS", "start": "UNBOUNDED", "start_side": "PRECEDING", "end": "CURRENT ROW"}


def kind_of(node: exp.Expr) -> AggregateKind | None:
    """The aggregate that a node calls, if any."""
    if isinstance(node, exp.Anonymous):
        return NAMED.get(str(node.this).upper())
    return AGGREGATES.get(type(node))


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node is an aggregate or a window."""
    other = isinstance(node, (exp.Filter, exp.CountIf, exp.Window))
    return kind_of(node) is not None or other or is_quantile(node)


def read_aggregate(node: exp.Expr, reader: Expressions) -> Node:
    """An aggregate, or a window.  What is inside an aggregate is of rows."""
    if isinstance(node, exp.Window):
        return _window(node, reader)
    was, reader.aggregating = reader.aggregating, False
    try:
        return _aggregate(node, reader)
    finally:
        reader.aggregating = was


def _aggregate(node: exp.Expr, reader: Expressions) -> Aggregate:
    build = Builder(reader.at(node))
    if isinstance(node, exp.Filter):
        return _filtered(node, reader, build)
    if isinstance(node, exp.CountIf):
        reader.only(node, "this", "big_int")
        of = build.where(reader.expression(node.this), None)
        return Aggregate(AggregateKind.ROWS, of, build.span)
    if is_quantile(node):
        return sql_quantile(reader, node)
    kind = kind_of(node)
    if kind is None:
        raise reader.outside(node)
    if isinstance(node, exp.Anonymous):
        if len(node.expressions) != 1:
            raise reader.refuse(node, "this takes one value", "VAR_SAMP(x)")
        return Aggregate(kind, reader.expression(node.expressions[0]), build.span)
    if kind in OF_TWO:
        reader.only(node, "this", "expression")
        both = reader.expression(node.this), reader.expression(node.expression)
        return Aggregate(kind, both[0], build.span, both[1])
    reader.only(node, "this", "big_int")
    of = node.this
    if of is None:
        raise reader.refuse(node, "an aggregate takes a value", "COUNT(*) counts rows")
    if isinstance(of, exp.Distinct):
        reader.only(of, "expressions")
        if kind is not AggregateKind.ROWS or not of.expressions:
            raise reader.refuse(
                node, "DISTINCT is only for COUNT(DISTINCT x)", "leave DISTINCT out"
            )
        return Aggregate(AggregateKind.UNITS, _different(of.expressions, reader, build), build.span)
    if isinstance(of, exp.Star):
        reader.only(of)
        if kind is not AggregateKind.ROWS:
            raise reader.refuse(node, "only COUNT takes a star", "name a column")
        return Aggregate(kind, None, build.span)
    if kind is AggregateKind.SUM and whole(of) == 1:  # another way to count the rows
        return Aggregate(AggregateKind.ROWS, None, build.span)
    if kind is AggregateKind.ROWS and (condition := _or_null(of)) is not None:
        return Aggregate(kind, build.where(reader.expression(condition), None), build.span)
    return Aggregate(kind, reader.expression(of), build.span)


def _different(listed: list[exp.Expr], reader: Expressions, build: Builder) -> Node:
    """One value, or several side by side: a text of them all, null when one is."""
    if len(listed) == 1 and isinstance(listed[0], exp.Tuple):
        listed = listed[0].expressions
    values = [reader.expression(one) for one in listed]
    return values[0] if len(values) == 1 else build.tuple_of(values)


def _or_null(of: exp.Expr) -> exp.Expr | None:
    """The condition in ``COUNT(x OR NULL)``, which is null unless it holds."""
    of = of.unnest()
    if isinstance(of, exp.Or):
        for one, other in ((of.this, of.expression), (of.expression, of.this)):
            if isinstance(other, exp.Null):
                found: exp.Expr = one
                return found
    return None


def _filtered(node: exp.Filter, reader: Expressions, build: Builder) -> Aggregate:
    """An aggregate of the rows that pass: the others count as null."""
    reader.only(node, "this", "expression")
    where = node.expression
    if not is_aggregate(node.this) or not isinstance(where, exp.Where):
        raise reader.outside(node)
    inner = _aggregate(node.this, reader)
    condition = reader.expression(where.this)
    return replace(inner, of=build.where(condition, inner.of), span=build.span)


# --- windows ---------------------------------------------------------------------


def _window(node: exp.Window, reader: Expressions) -> Node:
    """A function OVER (PARTITION BY keys ORDER BY keys)."""
    reader.only(node, "this", "partition_by", "order", "spec", "over")
    inner, build = node.this, Builder(reader.at(node))
    order = _order(node.args.get("order"), reader)
    running = _running(node, reader, bool(order))
    partition = tuple(reader.expression(one) for one in node.args.get("partition_by") or ())
    if type(inner) in RANKS:
        reader.only(inner)
        if not order:
            raise reader.refuse(node, "a rank needs an ORDER BY", "RANK() OVER (ORDER BY n DESC)")
        return Windowed(RANKS[type(inner)], None, partition, order, build.span)
    if isinstance(inner, exp.Lag | exp.Lead):
        return _shift(inner, partition, order, reader, build)
    kind = FOLDS.get(type(inner))
    if kind is None:
        raise reader.refuse(
            node,
            "this window is not in the language",
            "SUM, AVG, MIN, MAX, COUNT, RANK, DENSE_RANK, ROW_NUMBER, LAG and LEAD are",
        )
    reader.only(inner, "this", "big_int")
    of = None if isinstance(inner.this, exp.Star) else reader.expression(inner.this)
    return Windowed(kind, of, partition, order if running else (), build.span, running)


def _order(node: exp.Order | None, reader: Expressions) -> tuple[Sort, ...]:
    if node is None:
        return ()
    reader.only(node, "expressions")
    found = []
    for one in node.expressions:
        reader.only(one, "this", "desc", "nulls_first")
        by = reader.expression(one.this)
        found.append(Sort(by, bool(one.args.get("desc")), reader.at(one)))
    return tuple(found)


def _running(node: exp.Window, reader: Expressions, ordered: bool) -> bool:
    """With an ORDER BY the rows up to this one, as SQL has it; else all."""
    spec = node.args.get("spec")
    if spec is None:
        return ordered
    said = {name: str(value) for name, value in spec.args.items() if value}
    said["kind"] = "ROWS" if said.get("kind") == "RANGE" else said.get("kind", "")
    if said.get("end") == "UNBOUNDED" and said.get("end_side") == "FOLLOWING":
        if said.get("start") == "UNBOUNDED":
            return False
    elif ordered and said == RUNNING:
        return True
    raise reader.refuse(
        node,
        "this frame is not in the language",
        "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW, or no frame",
    )


def _shift(
    inner: exp.Lag | exp.Lead,
    partition: tuple[Node, ...],
    order: tuple[Sort, ...],
    reader: Expressions,
    build: Builder,
) -> Node:
    reader.only(inner, "this", "offset", "default")
    given = inner.args.get("offset")
    offset = 1 if given is None else whole(given)
    if offset is None or not order:
        raise reader.refuse(
            inner, "this takes a value and whole rows, in an order", "LAG(n, 1) OVER (ORDER BY d)"
        )
    offset = offset if isinstance(inner, exp.Lag) else -offset
    of = reader.expression(inner.this)
    found = Windowed(Over.SHIFT, of, partition, order, build.span, offset=offset)
    default = inner.args.get("default")
    if default is None:
        return found
    return build.call(Op.COALESCE, found, reader.expression(default))
