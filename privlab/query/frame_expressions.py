"""Polars row expressions and aggregates, from ``ast`` nodes to the parsed form.

Takes only what the language has; everything else is refused at its place in
the text.  Nothing is executed: ``pl`` is a word here, not a module.
"""

from __future__ import annotations

import ast
from datetime import date, datetime
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.query.ask import Apply, Const, Node, Param, Sort, Source
from privlab.query.frame_functions import read_root
from privlab.query.frame_functions import several as several_columns
from privlab.query.frame_methods import read_method
from privlab.query.frame_outputs import AGGREGATES, is_aggregate, read_aggregate
from privlab.query.frame_place import Place as Place
from privlab.query.frame_texts import read_text
from privlab.query.frame_times import moved, read_time
from privlab.query.hints import missing
from privlab.query.literals import number
from privlab.query.nodes import Builder
from privlab.query.plan import Op
from privlab.query.projection import Projection

COMPARISONS: dict[type, Op] = {
    ast.Eq: Op.EQ,
    ast.NotEq: Op.NE,
    ast.Lt: Op.LT,
    ast.LtE: Op.LE,
    ast.Gt: Op.GT,
    ast.GtE: Op.GE,
}
BINARY: dict[type, Op] = {
    ast.BitAnd: Op.AND,
    ast.BitOr: Op.OR,
    ast.BitXor: Op.NE,
    ast.Add: Op.ADD,
    ast.Sub: Op.SUB,
    ast.Mult: Op.MUL,
    ast.Div: Op.DIVIDE,
    ast.FloorDiv: Op.FLOOR_DIV,
    ast.Mod: Op.MOD,
}
UNARY: dict[type, Op] = {ast.Invert: Op.NOT, ast.USub: Op.NEG}
MOST_READ = 20_000
"""Characters that are read for expressions of several columns, once for each of them."""

IN_OUTPUTS = "an aggregate stands in an output, in a filter after agg or in sort"


class Expressions:
    """Reads expressions of one text.

    names: what a column's name stands for at this step of the question.
    aggregating: aggregates may stand here.  after: rows are of the answer, and what
    looks like an aggregate is a window; order: in which those rows come.
    place_of_several: which of the columns of ``pl.col("a", "b")`` is meant.
    """

    def __init__(self, source: Source, place: Place) -> None:
        self.source = source
        self.place = place
        self.names = Projection()
        self.aggregating = False
        self.after = False
        self.order: tuple[Sort, ...] = ()
        self.place_of_several: int | None = None

    def refuse(self, node: ast.AST, what: str, hint: str = "", code: str = "PL106") -> BadQuery:
        return self.source.refuse(code, what, self.place.of(node), hint)

    def build(self, node: ast.AST) -> Builder:
        return Builder(self.place.of(node))

    # --- aggregates and outputs ---

    def alias(self, node: ast.expr) -> tuple[ast.expr, str | None]:
        """What stands before ``.alias("name")``, and the name."""
        match node:
            case ast.Call(
                func=ast.Attribute(value=inner, attr="alias"),
                args=[ast.Constant(value=str() as name)],
                keywords=[],
            ):
                return inner, name
        return node, None

    def output(self, node: ast.expr) -> Node:
        """What may be made of aggregates."""
        self.aggregating = True
        try:
            return self.node(node)
        finally:
            self.aggregating = False

    def outputs(self, node: ast.expr) -> list[tuple[Node, str | None]]:
        """An output, or one for each of several columns, with the name that it has then.

        :raises BadQuery: PL106, not all that is of several columns is of as many.
        """
        found = [names for part in ast.walk(node) if len(names := several_columns(part)) > 1]
        if not found:
            return [(self.output(node), None)]
        span = self.place.of(node)
        if len({len(names) for names in found}) > 1 or (
            len(found[0]) * (span.end - span.start) > MOST_READ
        ):
            raise self.refuse(
                node, "these columns do not go together one by one", "write them one by one"
            )
        outputs: list[tuple[Node, str | None]] = []
        for at, name in enumerate(found[0]):
            self.place_of_several = at
            try:
                outputs.append((self.output(node), name))
            finally:
                self.place_of_several = None
        return outputs

    def conditions(self, node: ast.Call) -> list[ast.expr]:
        if not node.args or node.keywords:
            raise self.refuse(node, "filter takes conditions", 'filter(pl.col("x") > 3)')
        return [part for arg in node.args for part in _opened(arg)]

    def column_or(self, node: ast.expr) -> Node:
        """A column named by a plain text, else an expression."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.names.find(node.value, self.place.of(node))
        return self.node(node)

    # --- row expressions ---

    def node(self, node: ast.expr) -> Node:
        span = self.place.of(node)
        match node:
            case ast.Constant():
                return Const(self.constant(node), span)
            case ast.Name(id="pl"):
                raise self.refuse(
                    node, "pl stands before col, len, sum or mean, not alone", "pl.len()"
                )
            case ast.Name(id=name):
                return Param(name, span)
            case ast.Attribute(
                value=ast.Attribute(value=ast.Name(id="pl"), attr="col"), attr=column
            ):
                return self.names.find(column, span)
            case ast.Compare(left=left, ops=[one], comparators=[right]) if type(one) in COMPARISONS:
                return Apply(COMPARISONS[type(one)], (self.node(left), self.node(right)), span)
            case ast.Compare(ops=[ast.In() | ast.NotIn()]):
                raise self.refuse(node, "in is not in the language", ".is_in([...])")
            case ast.Compare():
                raise self.refuse(
                    node, "comparisons are not chained", "(a) & (b), each in parentheses"
                )
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(node, left, op, right)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
                return Apply(UNARY[type(op)], (self.node(operand),), span)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.node(operand)
            case ast.UnaryOp(op=ast.Not()) | ast.BoolOp():
                raise self.refuse(node, "and, or, not are not in the language", "write &, |, ~")
            case ast.Call():
                return self.call(node)
        if isinstance(node, ast.Attribute) and node.attr in (*AGGREGATES, "len"):
            words = self.source.quote(span)
            raise self.refuse(node, f"{node.attr} is not called here", f"{words}()")
        raise self.refuse(node, "this is not in the language")

    def binary(self, node: ast.BinOp, left: ast.expr, op: ast.operator, right: ast.expr) -> Node:
        if isinstance(op, ast.Pow):
            return self.power(node, left, right)
        if isinstance(op, (ast.Add, ast.Sub)):
            found = moved(self, node, left, right, -1 if isinstance(op, ast.Sub) else 1)
            if found is not None:
                return found
        if type(op) not in BINARY:
            raise self.refuse(node, "this is not in the language")
        return Apply(BINARY[type(op)], (self.node(left), self.node(right)), self.place.of(node))

    def power(self, node: ast.expr, value: ast.expr, exponent: ast.expr | None) -> Node:
        match exponent:
            case ast.Constant(value=int() as times) if type(times) is int and 1 <= times <= 16:
                return self.build(node).power(self.node(value), times)
            case ast.Constant(value=float() as half) if half == 0.5:
                return self.build(node).call(Op.SQRT, self.node(value))
        raise self.refuse(
            node, "a power is a whole number from 1 to 16, written out, or 0.5", 'pl.col("x") ** 2'
        )

    def constant(self, node: ast.Constant) -> bool | int | Fraction | str | None:
        value, span = node.value, self.place.of(node)
        match value:
            case None | bool() | str():
                return value
            case int() | float():
                return number(self.source.text[span.start : span.end], self.source, span)
        raise self.refuse(
            node,
            "a constant is a number, a text, True, False, None or a date",
            "name anything else as a parameter: a free name with its value",
        )

    def call(self, node: ast.Call) -> Node:
        func, span = node.func, self.place.of(node)
        if (moment := self.moment(node)) is not None:
            return Const(moment, span)
        if not isinstance(func, ast.Attribute):
            raise self.refuse(
                node,
                "only Polars expressions and dates are called here",
                "compute it before the cell, and name the value",
            )
        inner, attr = func.value, func.attr
        if is_aggregate(node, after=self.after):
            if self.aggregating:
                return read_aggregate(node, self)
            raise self.refuse(node, IN_OUTPUTS, "group_by(...).agg(...)")
        found: Node | None
        match inner:
            case ast.Name(id="pl"):
                found = read_root(self, node, attr)
            case ast.Attribute(value=value, attr="dt"):
                found = read_time(self, node, value, attr)
            case ast.Attribute(value=value, attr="str"):
                found = read_text(self, node, value, attr)
            case _:
                found = read_method(self, node, inner, attr)
        if found is not None:
            return found
        if isinstance(inner, ast.Name) and inner.id == "pl":
            raise self.refuse(node, f"pl.{attr} is not in the language", missing(attr, sql=False))
        raise self.refuse(func, f"{attr} is not in the language", missing(attr, sql=False))

    def arguments(self, node: ast.Call, *names: str) -> tuple[ast.expr | None, ...]:
        """Arguments by position or by name; None where one was not given."""
        hint = f"its arguments here are {', '.join(names)}" if names else "leave the arguments out"
        given: dict[str, ast.expr] = dict(zip(names, node.args, strict=False))
        for keyword in node.keywords:
            if keyword.arg not in names or keyword.arg in given:
                raise self.refuse(node, f"{keyword.arg or '**'} is not an argument here", hint)
            given[str(keyword.arg)] = keyword.value
        if len(node.args) > len(names):
            raise self.refuse(node, "this call has too many arguments for the language", hint)
        return tuple(given.get(name) for name in names)

    def needed(self, node: ast.Call, *names: str) -> list[ast.expr]:
        """Arguments that must all be given."""
        found = [one for one in self.arguments(node, *names) if one is not None]
        if len(found) < len(names):
            raise self.refuse(node, "this call lacks an argument", f"it takes {', '.join(names)}")
        return found

    def flag(self, node: ast.Call, value: ast.expr | None, *, default: bool) -> bool:
        """An argument that is True or False."""
        match value:
            case None:
                return default
            case ast.Constant(value=bool() as flag):
                return flag
        raise self.refuse(node, "this argument is True or False")

    def moment(self, node: ast.Call) -> date | datetime | None:
        """``date(2024, 1, 31)``, ``pl.date(...)``, ``datetime.datetime(...)``: a constant."""
        makers = {
            "date": date,
            "pl.date": date,
            "datetime.date": date,
            "datetime": datetime,
            "pl.datetime": datetime,
            "datetime.datetime": datetime,
        }
        maker = makers.get(dotted(node.func))
        if maker is None:
            return None
        numbers = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        try:
            if node.keywords or len(numbers) != len(node.args):
                raise ValueError
            if not all(type(one) is int for one in numbers):
                raise ValueError
            return maker(*numbers)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise self.refuse(node, "this is not a date", "date(2024, 1, 31)", "PL111") from None


def dotted(node: ast.expr) -> str:
    """``a`` or ``a.b``, as it is typed; "" for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=first), attr=last):
            return f"{first}.{last}"
    return ""


def typed_name(node: ast.AST) -> str | None:
    """The name that Polars gives an output: of the leftmost column, or of what a choice gives."""
    match node:
        case ast.Constant(value=str() as name):
            return name
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="pl"), attr="col"), attr=name):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id="pl"), attr="lit")):
            return None
        case ast.Call(func=ast.Attribute(attr="otherwise", value=inner)):
            return typed_name(inner)
        case ast.Call(
            func=ast.Attribute(
                attr="then", value=ast.Call(func=ast.Attribute(value=before, attr="when"))
            ),
            args=[value],
        ):
            chained = isinstance(before, ast.Call)
            return typed_name(before) if chained else typed_name(value)
    parts: list[ast.AST] = []
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="pl")), args=args):
            parts = [*args]
        case ast.Call(func=ast.Attribute(value=inner)):
            parts = [inner]
        case ast.BinOp(left=left, right=right):
            parts = [left, right]
        case ast.Compare(left=left, comparators=rights):
            parts = [left, *rights]
        case ast.UnaryOp(operand=inner) | ast.Attribute(value=inner):
            parts = [inner]
        case ast.List(elts=elts) | ast.Tuple(elts=elts):
            parts = [*elts]
    found = (typed_name(part) for part in parts if not _is_literal_text(node, part))
    return next((name for name in found if name is not None), None)


def _is_literal_text(node: ast.AST, part: ast.AST) -> bool:
    """A text that is a value and no column: one side of an operation."""
    return isinstance(node, (ast.BinOp, ast.Compare)) and isinstance(part, ast.Constant)


def _opened(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, (ast.List, ast.Tuple)) else [node]
