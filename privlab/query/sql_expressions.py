"""SQL row expressions and aggregates, from sqlglot's nodes to the parsed form.

With ``sql.py`` the only module that knows sqlglot.  Takes only what the
language has; everything else is refused at its place in the text.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import replace
from typing import Any

import sqlglot
from sqlglot import TokenType, exp

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
from privlab.query.hints import ON_THE_FRAME, ONE_TABLE, missing
from privlab.query.literals import number, time_literal
from privlab.query.plan import Op

COMPARISONS: dict[type, Op] = {
    exp.EQ: Op.EQ,
    exp.NEQ: Op.NE,
    exp.LT: Op.LT,
    exp.LTE: Op.LE,
    exp.GT: Op.GT,
    exp.GTE: Op.GE,
}
BINARY: dict[type, Op] = COMPARISONS | {
    exp.And: Op.AND,
    exp.Or: Op.OR,
    exp.Add: Op.ADD,
    exp.Sub: Op.SUB,
    exp.Mul: Op.MUL,
}
UNARY: dict[type, Op] = {exp.Not: Op.NOT, exp.Neg: Op.NEG, exp.Abs: Op.ABS}
GRAINS: dict[type, Op] = {
    exp.Year: Op.YEAR,
    exp.Month: Op.MONTH,
    exp.Day: Op.DAY,
    exp.DayOfMonth: Op.DAY,
    exp.Date: Op.TO_DATE,
    exp.TsOrDsToDate: Op.TO_DATE,
}
EXTRACTS = {"YEAR": Op.YEAR, "MONTH": Op.MONTH, "DAY": Op.DAY}
TRUNCATIONS = {"MONTH": Op.TO_MONTH, "WEEK": Op.WEEK, "DAY": Op.TO_DATE}

AGGREGATES: dict[type, AggregateKind] = {
    exp.Count: AggregateKind.ROWS,
    exp.Sum: AggregateKind.SUM,
    exp.Avg: AggregateKind.MEAN,
}

OUTSIDE: tuple[tuple[tuple[type, ...], str, str], ...] = (
    (
        tuple(AGGREGATES),
        "an aggregate stands alone in a column or in HAVING, not inside an expression",
        f"select the parts and {ON_THE_FRAME}",
    ),
    ((exp.Case, exp.If), "CASE is not in the language", "COUNT(*) with the condition in WHERE"),
    (
        (exp.Window,),
        "window functions are not in the language",
        f"GROUP BY, and {ON_THE_FRAME}",
    ),
    ((exp.Filter,), "FILTER is not in the language", "put the condition in WHERE"),
    (
        (exp.Subquery, exp.Select, exp.Exists),
        "subqueries are not in the language yet",
        ONE_TABLE,
    ),
    (
        (exp.Like, exp.ILike, exp.RegexpLike, exp.SimilarTo, exp.Glob),
        "texts are not searched in the language",
        missing("like", sql=True),
    ),
)


def given(node: exp.Expr) -> set[str]:
    """The parts of a node that say something."""
    return {name for name, part in node.args.items() if part not in (None, False, [])}


def _places(statement: exp.Expr) -> dict[int, tuple[int, int]]:
    """First and last offset inside each node, by the node's id; children first."""
    places: dict[int, tuple[int, int]] = {}
    for node in reversed(list(statement.walk())):
        inside = [places[id(child)] for child in node.iter_expressions() if id(child) in places]
        if "start" in node.meta:
            inside.append((node.meta["start"], node.meta["end"] + 1))
        if inside:
            places[id(node)] = (min(s for s, _ in inside), max(e for _, e in inside))
    return places


class _Parentheses:
    """Where the parentheses of a text close; those inside texts and comments are none."""

    def __init__(self, text: str) -> None:
        self.places: list[int] = []
        self.depths = [0]  # before each parenthesis, and after the last
        self.closings: dict[int, list[int]] = {}  # offsets after which this depth is reached
        for token in sqlglot.tokenize(text):
            if token.token_type in (TokenType.L_PAREN, TokenType.R_PAREN):
                opens = token.token_type is TokenType.L_PAREN
                self.places.append(token.start)
                self.depths.append(self.depths[-1] + (1 if opens else -1))
                if not opens:
                    self.closings.setdefault(self.depths[-1], []).append(token.start)

    def closed(self, start: int, end: int) -> int:
        """``end``, moved behind the last parenthesis that opens in start..end."""
        before = self.depths[bisect.bisect_left(self.places, start)]
        if self.depths[bisect.bisect_left(self.places, end)] <= before:
            return end
        closings = self.closings.get(before, [])
        at = bisect.bisect_left(closings, end)
        return closings[at] + 1 if at < len(closings) else end


class Expressions:
    """Reads expressions of one text.

    table: the name or alias that may stand before a column.
    """

    def __init__(self, source: Source, statement: exp.Expr) -> None:
        self.source = source
        self.table = ""
        self.places = _places(statement)
        self.parentheses = _Parentheses(source.text)
        self.parameters: dict[str, Span] = {}
        for found in re.finditer(r":(\w+)", source.text):
            self.parameters.setdefault(found[1], Span(*found.span()))

    # --- where and why ---

    def span(self, node: exp.Expr) -> Span | None:
        """From the first to the last character that sqlglot placed inside ``node``."""
        if isinstance(node, exp.Placeholder):
            return self.parameters.get(str(node.this))
        place = self.places.get(id(node))
        if place is None:
            return None
        (start, end), text = place, self.source.text
        if isinstance(node, exp.Func) and text[end : end + 1] == "(":
            end += 1  # a call whose arguments have no place of their own
        return Span(start, self.parentheses.closed(start, end))

    def at(self, node: exp.Expr) -> Span:
        return self.span(node) or Span(0, len(self.source.text))

    def refuse(self, node: exp.Expr, what: str, hint: str = "", code: str = "PL106") -> BadQuery:
        return self.source.refuse(code, what, self.span(node), hint)

    def only(self, node: exp.Expr, *names: str) -> None:
        """Refuse a node that says more than the named parts."""
        extra = given(node) - set(names)
        if extra:
            words = node.key.upper()
            plain = f"write {words} in its plain form, without {' and '.join(sorted(extra))}"
            raise self.refuse(
                node, f"this form of {words} is not in the language", plain.replace("_", " ")
            )

    # --- aggregates and row expressions ---

    def value(self, node: exp.Expr) -> Node | Aggregate:
        """An aggregate, or a row expression."""
        if isinstance(node, exp.Paren):
            return self.value(node.this)
        kind = AGGREGATES.get(type(node))
        if kind is None:
            return self.expression(node)
        self.only(node, "this", "big_int")
        of, span = node.this, self.at(node)
        if isinstance(of, exp.Distinct):
            self.only(of, "expressions")
            if kind is not AggregateKind.ROWS or len(of.expressions) != 1:
                raise self.refuse(
                    node,
                    "DISTINCT is only for COUNT(DISTINCT the privacy unit)",
                    "leave DISTINCT out, or count the unit",
                )
            return Aggregate(AggregateKind.UNITS, self.expression(of.expressions[0]), span)
        if isinstance(of, exp.Star):
            self.only(of)
            if kind is not AggregateKind.ROWS:
                raise self.refuse(node, "only COUNT takes a star", "name a column")
            return Aggregate(kind, None, span)
        return Aggregate(kind, self.expression(of), span)

    def expression(self, node: exp.Expr) -> Node:
        """A row expression."""
        if isinstance(node, exp.Paren):
            return self.expression(node.this)
        span = self.at(node)
        op = BINARY.get(type(node))
        if op is not None:
            self.only(node, "this", "expression")
            return Apply(op, (self.expression(node.this), self.expression(node.expression)), span)
        op = UNARY.get(type(node))
        if op is not None:
            self.only(node, "this")
            return Apply(op, (self.expression(node.this),), span)
        op = GRAINS.get(type(node))
        if op is not None:
            self.only(node, "this")
            return Apply(op, (self.expression(node.this),), span)
        match node:
            case exp.Column():
                return self.column(node)
            case exp.Literal():
                value = node.this if node.is_string else number(node.this, self.source, span)
                return Const(value, span)
            case exp.Boolean():
                return Const(bool(node.this), span)
            case exp.Null():
                return Const(None, span)
            case exp.Placeholder():
                if not node.this or not isinstance(node.this, str):
                    raise self.refuse(node, "a parameter is written :name", code="PL110")
                return Param(node.this, span)
            case exp.Is():
                return self.is_null(node)
            case exp.In():
                return self.is_in(node)
            case exp.Between():
                self.only(node, "this", "low", "high")
                value = self.expression(node.this)
                low = Apply(Op.GE, (value, self.expression(node.args["low"])), span)
                high = Apply(Op.LE, (value, self.expression(node.args["high"])), span)
                return Apply(Op.AND, (low, high), span)
            case exp.Greatest() | exp.Least():
                return self.clip(node)
            case exp.Extract():
                return self.grain(node, node.expression, str(node.this.name), EXTRACTS)
            case exp.DateTrunc() | exp.TimestampTrunc():
                self.only(node, "this", "unit", "unabbreviate")
                return self.grain(node, node.this, node.args["unit"].name, TRUNCATIONS)
            case exp.Cast():
                return self.cast(node)
        raise self.outside(node)

    def outside(self, node: exp.Expr) -> BadQuery:
        """Refuse what the language does not have, saying what it has instead."""
        if isinstance(node, (exp.Div, exp.Mod, exp.IntDiv)):
            return self.division(node)
        for kinds, what, hint in OUTSIDE:
            if isinstance(node, kinds):
                return self.refuse(node, what, hint)
        inner = node.this if isinstance(node, exp.WithinGroup) else node
        word = inner.name if isinstance(inner, exp.Anonymous) else inner.key.upper()
        return self.refuse(node, f"{word} is not in the language", missing(word, sql=True))

    def division(self, node: exp.Expr) -> BadQuery:
        """Refuse a division with what is meant by it: a mean, a ratio, or a scale."""
        what = "division is not in the language"
        top, bottom = node.this, node.expression
        if isinstance(node, exp.Div) and isinstance(top, exp.Sum) and isinstance(bottom, exp.Count):
            of = self.span(top.this)
            words = "x" if of is None else self.source.quote(of)
            return self.refuse(node, what, f"AVG({words}) is their ratio, with an error of its own")
        if any(isinstance(one, tuple(AGGREGATES)) for one in node.walk()):
            return self.refuse(node, what, f"select the parts and {ON_THE_FRAME}")
        return self.refuse(node, what, "multiply by a constant, as in x * 0.1")

    def column(self, node: exp.Column) -> Node:
        self.only(node, "this", "table")
        if not isinstance(node.this, exp.Identifier):
            raise self.outside(node.this)
        if node.table and node.table != self.table:
            raise self.refuse(node, f"{node.table} is not the table of this question", code="PL102")
        return Name(node.name, self.at(node.this))

    def is_null(self, node: exp.Is) -> Node:
        self.only(node, "this", "expression")
        if not isinstance(node.expression, exp.Null):
            raise self.refuse(
                node, "IS takes NULL or NOT NULL", "write the condition itself, or compare with ="
            )
        return Apply(Op.IS_NULL, (self.expression(node.this),), self.at(node))

    def is_in(self, node: exp.In) -> Node:
        if node.args.get("query") is not None:
            raise self.outside(node.args["query"])
        self.only(node, "this", "expressions", "field")
        field: Any = node.args.get("field")
        listed = node.expressions or ([field] if field is not None else [])
        values = tuple(self.expression(one) for one in listed)
        if isinstance(field, exp.Placeholder) and isinstance(values[0], Param):
            values = (replace(values[0], listed=True),)
        return Apply(Op.IS_IN, (self.expression(node.this), *values), self.at(node))

    def clip(self, node: exp.Greatest | exp.Least) -> Node:
        """GREATEST(x, low) and LEAST(x, high) with a constant are clips."""
        self.only(node, "this", "expressions", "ignore_nulls")
        args = [self.expression(one) for one in (node.this, *node.expressions)]
        bounds = [arg for arg in args if isinstance(arg, (Const, Param)) or _signed(arg)]
        values = [arg for arg in args if not any(arg is bound for bound in bounds)]
        word = "GREATEST" if isinstance(node, exp.Greatest) else "LEAST"
        if len(args) != 2 or len(values) != 1:
            raise self.refuse(
                node, f"{word} takes one expression and one constant", f"{word}(x, 0)"
            )
        span, nothing = self.at(node), Const(None, self.at(node))
        low, high = (bounds[0], nothing) if word == "GREATEST" else (nothing, bounds[0])
        return Apply(Op.CLIP, (values[0], low, high), span)

    def grain(self, node: exp.Expr, of: exp.Expr, unit: str, known: dict[str, Op]) -> Node:
        op = known.get(unit.upper())
        if op is None:
            words = ", ".join(name.lower() for name in known)
            raise self.refuse(node, f"{unit.lower()} is not in the language", f"{words} are")
        return Apply(op, (self.expression(of),), self.at(node))

    def cast(self, node: exp.Cast) -> Node:
        """Casts of literals, and CAST(x AS DATE), which is the calendar day of x."""
        if node.args.get("format") or node.args.get("default") or node.args.get("action"):
            raise self.refuse(node, "this form of CAST is not in the language", "DATE '2024-01-31'")
        to = node.to.this.name if isinstance(node.to, exp.DataType) else ""
        of, span = node.this, self.at(node)
        if isinstance(of, exp.Literal):
            return Const(time_literal(of.this, to, self.source, span), span)
        if to == "DATE":
            return Apply(Op.TO_DATE, (self.expression(of),), span)
        raise self.refuse(node, "only literals are cast, and times to DATE", "DATE '2024-01-31'")


def _signed(node: Node) -> bool:
    """A constant with a sign before it."""
    return (
        isinstance(node, Apply) and node.op is Op.NEG and isinstance(node.args[0], (Const, Param))
    )
