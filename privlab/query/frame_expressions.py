"""Polars row expressions and aggregates, from ``ast`` nodes to the parsed form.

Takes only what the language has; everything else is refused at its place in
the text.  Nothing is executed: ``pl`` is a word here, not a module.
"""

from __future__ import annotations

import ast
import bisect
import itertools
from datetime import date, datetime
from fractions import Fraction

from privlab.errors import BadQuery
from privlab.query.ask import (
    Aggregate,
    AggregateKind,
    Apply,
    Const,
    Name,
    Node,
    Param,
    Source,
    Span,
)
from privlab.query.hints import ON_THE_FRAME, key_of, missing
from privlab.query.literals import number
from privlab.query.plan import Op

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
    ast.Add: Op.ADD,
    ast.Sub: Op.SUB,
    ast.Mult: Op.MUL,
}
UNARY: dict[type, Op] = {ast.Invert: Op.NOT, ast.USub: Op.NEG}
AGGREGATES = {
    "mean": AggregateKind.MEAN,
    "sum": AggregateKind.SUM,
    "count": AggregateKind.ROWS,
    "n_unique": AggregateKind.UNITS,
}
PLAIN = {"is_null": Op.IS_NULL, "abs": Op.ABS, "not_": Op.NOT}
PARTS = {"year": Op.YEAR, "month": Op.MONTH, "day": Op.DAY, "date": Op.TO_DATE}
TRUNCATIONS = {"1mo": Op.TO_MONTH, "1w": Op.WEEK, "1d": Op.TO_DATE}
CLOSED = {
    "both": (Op.GE, Op.LE),
    "left": (Op.GE, Op.LT),
    "right": (Op.GT, Op.LE),
    "none": (Op.GT, Op.LT),
}


class Place:
    """Offsets in the analyst's text of what ``ast`` found.

    shift: how many characters were put before the text to parse it.
    """

    def __init__(self, parsed: str, shift: int) -> None:
        self.shift = shift
        self.lines = parsed.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.bytes: dict[int, list[int]] = {}

    def offset(self, line: int, column: int) -> int:
        """``ast`` counts lines from 1 and columns in UTF-8 bytes."""
        text = self.lines[line - 1]
        before = min(column, len(text)) if text.isascii() else self.character(line, column)
        return max(0, self.starts[line - 1] + before - self.shift)

    def character(self, line: int, column: int) -> int:
        """Characters before byte ``column`` of a line; each line is measured once."""
        if line not in self.bytes:
            sizes = [len(char.encode()) for char in self.lines[line - 1]]
            self.bytes[line] = list(itertools.accumulate(sizes))
        return bisect.bisect_right(self.bytes[line], column)

    def of(self, node: ast.AST) -> Span:
        start = self.offset(getattr(node, "lineno", 1), getattr(node, "col_offset", 0))
        line, column = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
        return Span(start, start + 1 if line is None else self.offset(line, column or 0))

    def of_error(self, error: Exception) -> Span | None:
        if not isinstance(error, SyntaxError) or error.lineno is None:
            return None
        line = min(error.lineno, len(self.lines))
        start = self.starts[line - 1] + max(0, (error.offset or 1) - 1)
        return Span(start, start + 1)


class Expressions:
    """Reads expressions of one text."""

    def __init__(self, source: Source, place: Place) -> None:
        self.source = source
        self.place = place

    def refuse(self, node: ast.AST, what: str, hint: str = "", code: str = "PL106") -> BadQuery:
        return self.source.refuse(code, what, self.place.of(node), hint)

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

    def value(self, node: ast.expr) -> Node | Aggregate:
        """An aggregate, or a row expression."""
        span = self.place.of(node)
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="pl"), attr="len"), args=[], keywords=[]
            ):
                return Aggregate(AggregateKind.ROWS, None, span)
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="pl"), attr=attr),
                args=[ast.Constant(value=str() as column)],
                keywords=[],
            ) if attr in AGGREGATES:
                return Aggregate(AGGREGATES[attr], Name(column, self.place.of(node.args[0])), span)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="pl")), args=[]):
                return self.node(node)
            case ast.Call(func=ast.Attribute(value=inner, attr="len"), args=[], keywords=[]):
                self.node(inner)
                return Aggregate(AggregateKind.ROWS, None, span)
            case ast.Call(func=ast.Attribute(value=inner, attr=attr), args=[], keywords=[]) if (
                attr in AGGREGATES
            ):
                return Aggregate(AGGREGATES[attr], self.node(inner), span)
        return self.node(node)

    def column_or(self, node: ast.expr) -> Node:
        """A column by its bare name, as group_by and sort take it, or an expression."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return Name(node.value, self.place.of(node))
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
                return Name(column, span)
            case ast.Compare(left=left, ops=[one], comparators=[right]) if type(one) in COMPARISONS:
                return Apply(COMPARISONS[type(one)], (self.node(left), self.node(right)), span)
            case ast.Compare(ops=[ast.In() | ast.NotIn()]):
                raise self.refuse(node, "in is not in the language", ".is_in([...])")
            case ast.Compare():
                raise self.refuse(
                    node, "comparisons are not chained", "(a) & (b), each in parentheses"
                )
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return Apply(BINARY[type(op)], (self.node(left), self.node(right)), span)
            case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod()):
                raise self.division(node)
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

    def division(self, node: ast.BinOp) -> BadQuery:
        """Refuse a division with what is meant by it: a mean, a ratio, or a scale."""
        hint = "multiply by a constant, as in x * 0.1"
        if any(map(self.aggregates, ast.walk(node))):
            hint = f"name the parts and {ON_THE_FRAME}"
            if isinstance(node.op, ast.Div) and _method(node.left) == "sum":
                of = self.summed(node.left)
                if _method(node.right) in ("len", "count"):
                    hint = f"{of}.mean() is their ratio, with an error of its own"
        return self.refuse(node, "division is not in the language", hint)

    def aggregates(self, node: ast.AST) -> bool:
        """Whether a node calls an aggregate."""
        return isinstance(node, ast.Call) and _method(node) in (*AGGREGATES, "len")

    def summed(self, node: ast.expr) -> str:
        """What is summed, as it is typed: ``pl.col("x")`` of ``pl.sum("x")`` too."""
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="pl")),
                args=[ast.Constant(value=str() as column)],
            ):
                return f'pl.col("{column}")'
            case ast.Call(func=ast.Attribute(value=inner)):
                return self.source.quote(self.place.of(inner))
        return "x"

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
        if isinstance(inner, ast.Name) and inner.id == "pl":
            return self.root(node, attr)
        if isinstance(inner, ast.Attribute) and inner.attr == "dt":
            return self.time_part(node, inner.value, attr)
        if attr in PLAIN:
            self.arguments(node)
            return Apply(PLAIN[attr], (self.node(inner),), span)
        match attr:
            case "is_not_null":
                self.arguments(node)
                return Apply(Op.NOT, (Apply(Op.IS_NULL, (self.node(inner),), span),), span)
            case "is_in":
                return Apply(Op.IS_IN, (self.node(inner), *self.listed(node)), span)
            case "is_between":
                return self.between(node, inner)
            case "clip":
                low, high = self.arguments(node, "lower_bound", "upper_bound")
                nothing = Const(None, span)
                bounds = tuple(nothing if one is None else self.node(one) for one in (low, high))
                return Apply(Op.CLIP, (self.node(inner), *bounds), span)
        if attr in AGGREGATES or attr == "len":
            raise self.refuse(
                node,
                "an aggregate stands alone in an output, not inside an expression",
                f"name the parts and {ON_THE_FRAME}",
            )
        word = "str" if isinstance(inner, ast.Attribute) and inner.attr == "str" else attr
        raise self.refuse(func, f"{attr} is not in the language", missing(word, sql=False))

    def root(self, node: ast.Call, attr: str) -> Node:
        if attr in AGGREGATES or attr == "len":
            if attr == "count" and not node.args:
                raise self.refuse(node, "pl.count names no column", "pl.len() counts the rows")
            raise self.refuse(
                node,
                "an aggregate stands alone in an output, not inside an expression",
                f"name the parts and {ON_THE_FRAME}",
            )
        if attr not in ("col", "lit"):
            raise self.refuse(node, f"pl.{attr} is not in the language", missing(attr, sql=False))
        (arg,) = self.arguments(node, "name")
        match attr, arg:
            case "col", ast.Constant(value=str() as column):
                return Name(column, self.place.of(node))
            case "lit", ast.expr():
                return self.node(arg)
        name = key_of(self.source.table)
        raise self.refuse(node, f"pl.{attr} takes one name or value", f'pl.col("{name}")')

    def time_part(self, node: ast.Call, inner: ast.expr, attr: str) -> Node:
        span = self.place.of(node)
        if attr in PARTS:
            self.arguments(node)
            return Apply(PARTS[attr], (self.node(inner),), span)
        if attr == "truncate":
            (every,) = self.arguments(node, "every")
            if isinstance(every, ast.Constant) and every.value in TRUNCATIONS:
                return Apply(TRUNCATIONS[str(every.value)], (self.node(inner),), span)
            raise self.refuse(node, 'truncate takes "1mo", "1w" or "1d"', '.dt.truncate("1mo")')
        raise self.refuse(
            node, f"dt.{attr} is not in the language", "year, month, day, date or truncate"
        )

    def between(self, node: ast.Call, inner: ast.expr) -> Node:
        low, high, closed = self.arguments(node, "lower_bound", "upper_bound", "closed")
        word = (
            closed.value if isinstance(closed, ast.Constant) else "both" if closed is None else ""
        )
        if low is None or high is None or word not in CLOSED:
            raise self.refuse(node, "is_between takes two bounds", ".is_between(18, 65)")
        value, span = self.node(inner), self.place.of(node)
        above, below = CLOSED[str(word)]
        return Apply(
            Op.AND,
            (
                Apply(above, (value, self.node(low)), span),
                Apply(below, (value, self.node(high)), span),
            ),
            span,
        )

    def listed(self, node: ast.Call) -> tuple[Node, ...]:
        (arg,) = self.arguments(node, "other")
        match arg:
            case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts):
                return tuple(self.node(one) for one in elts)
            case ast.Name(id=name) if name != "pl":
                return (Param(name, self.place.of(arg), listed=True),)
        raise self.refuse(node, "is_in takes a list or a parameter", '.is_in(["a", "b"])')

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

    def moment(self, node: ast.Call) -> date | datetime | None:
        """``date(2024, 1, 31)``, ``pl.date(...)``, ``datetime.datetime(...)``: a constant."""
        words = ast.unparse(node.func)
        makers = {
            "date": date,
            "pl.date": date,
            "datetime.date": date,
            "datetime": datetime,
            "pl.datetime": datetime,
            "datetime.datetime": datetime,
        }
        maker = makers.get(words)
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


def _method(node: ast.expr) -> str:
    """The method or the ``pl`` function that a call ends with, else ""."""
    match node:
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr
    return ""
