"""SQL row expressions and aggregates, from sqlglot's nodes to the parsed form.

With ``sql.py`` the only module that knows sqlglot.  Takes only what the
language has; everything else is refused at its place in the text.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
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
    Node,
    Param,
    Source,
    Span,
)
from privlab.query.hints import ON_THE_FRAME, ONE_TABLE, missing
from privlab.query.literals import number
from privlab.query.nodes import Builder
from privlab.query.plan import Op
from privlab.query.projection import Projection
from privlab.query.sql_choices import read_choice
from privlab.query.sql_functions import moved, read_function
from privlab.query.sql_quantiles import QUANTILES, is_quantile, sql_quantile
from privlab.query.sql_texts import read_text

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
    exp.Div: Op.DIVIDE,
    exp.Mod: Op.REMAINDER,
    exp.Xor: Op.NE,
}
AGGREGATES: dict[type, AggregateKind] = {
    exp.Count: AggregateKind.ROWS,
    exp.Sum: AggregateKind.SUM,
    exp.Avg: AggregateKind.MEAN,
    exp.Min: AggregateKind.MIN,
    exp.Max: AggregateKind.MAX,
}

OUTSIDE: tuple[tuple[tuple[type, ...], str, str], ...] = (
    (
        (*AGGREGATES, *QUANTILES),
        "an aggregate stands alone in a column or in HAVING, not inside an expression",
        f"select the parts and {ON_THE_FRAME}",
    ),
    (
        (exp.Window,),
        "window functions are not in the language",
        f"GROUP BY, and {ON_THE_FRAME}",
    ),
    (
        (exp.Filter,),
        "FILTER stands behind an aggregate that stands alone",
        "COUNT(*) FILTER (WHERE x > 3)",
    ),
    (
        (exp.Subquery, exp.Select, exp.Exists),
        "subqueries are not in the language yet",
        ONE_TABLE,
    ),
    (
        (exp.RegexpLike, exp.SimilarTo, exp.Glob),
        "regular expressions are not in the language",
        "x LIKE 'a%', with % and _",
    ),
    (
        (exp.BitwiseXor,),
        "^ is a power here and a bit operation there",
        "POWER(x, 2), or a XOR b",
    ),
    (
        (exp.IsNan,),
        "what is no finite number counts as NULL",
        "x IS NULL",
    ),
)


UNPLACED = (exp.Cast, exp.Extract, exp.Trim, exp.Case)
"""Nodes whose first word has no place in sqlglot's tree."""

NEAR = 40
"""Characters before a node in which its first word is looked for."""

OPENING = re.compile(r"\b(?:\w+\s*\(\s*|CASE\s+(?:WHEN\s+)?)\Z", re.IGNORECASE)
CLOSING = re.compile(r"\s*END\b", re.IGNORECASE)


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

    table: the name or alias that may stand before a column.  names: what a
    column's name stands for at this step of the question.
    """

    def __init__(self, source: Source, statement: exp.Expr) -> None:
        self.source = source
        self.table = ""
        self.names = Projection()
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
        if isinstance(node, UNPLACED):
            opening = OPENING.search(text, max(0, start - NEAR), start)
            start = opening.start() if opening else start
            closing = CLOSING.match(text, end) if isinstance(node, exp.Case) else None
            end = closing.end() if closing else end
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
        if isinstance(node, exp.Filter):
            return self.filtered(node)
        if isinstance(node, exp.CountIf):
            self.only(node, "this", "big_int")
            build = Builder(self.at(node))
            return Aggregate(
                AggregateKind.ROWS, build.where(self.expression(node.this), None), build.span
            )
        if is_quantile(node):
            return sql_quantile(self, node)
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
                    "DISTINCT is only for COUNT(DISTINCT one value)",
                    "leave DISTINCT out",
                )
            return Aggregate(AggregateKind.UNITS, self.expression(of.expressions[0]), span)
        if isinstance(of, exp.Star):
            self.only(of)
            if kind is not AggregateKind.ROWS:
                raise self.refuse(node, "only COUNT takes a star", "name a column")
            return Aggregate(kind, None, span)
        return Aggregate(kind, self.expression(of), span)

    def filtered(self, node: exp.Filter) -> Aggregate:
        """An aggregate of the rows that pass: the others count as null."""
        self.only(node, "this", "expression")
        inner, where = self.value(node.this), node.expression
        if not isinstance(inner, Aggregate) or not isinstance(where, exp.Where):
            raise self.outside(node)
        build = Builder(self.at(node))
        condition = self.expression(where.this)
        return replace(inner, of=build.where(condition, inner.of), span=build.span)

    def expression(self, node: exp.Expr) -> Node:
        """A row expression."""
        if isinstance(node, exp.Paren):
            return self.expression(node.this)
        span = self.at(node)
        if isinstance(node, (exp.Add, exp.Sub)) and (moved := self.interval(node)) is not None:
            return moved
        op = BINARY.get(type(node))
        if op is not None:
            self.only(node, "this", "expression", "typed", "safe")
            if any(isinstance(one, tuple(AGGREGATES)) for one in node.iter_expressions()):
                raise self.of_aggregates(node)
            return Apply(op, (self.expression(node.this), self.expression(node.expression)), span)
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
            case exp.In():
                return self.is_in(node)
            case exp.IntDiv():
                self.only(node, "this", "expression")
                floors = "//" in self.between(node.this, node.expression)
                args = (self.expression(node.this), self.expression(node.expression))
                return Apply(Op.FLOOR_DIV if floors else Op.TRUNC_DIV, args, span)
        found = read_choice(node, self) or read_function(node, self) or read_text(node, self)
        if found is None:
            raise self.outside(node)
        return found

    def between(self, left: exp.Expr, right: exp.Expr) -> str:
        """The text between two nodes, by which two spellings are told apart."""
        return self.source.text[self.at(left).end : self.at(right).start]

    def interval(self, node: exp.Add | exp.Sub) -> Node | None:
        """A date and an INTERVAL; None when neither side is one."""
        left, right = node.this, node.expression
        if isinstance(right, exp.Interval):
            sign = -1 if isinstance(node, exp.Sub) else 1
            return moved(self.expression(left), right, node, self, sign)
        if isinstance(left, exp.Interval) and isinstance(node, exp.Add):
            return moved(self.expression(right), left, node, self, 1)
        return None

    def known(self, node: exp.Expr, word: str, words: Mapping[str, Op]) -> Op:
        """The operation that a unit of time names."""
        op = words.get(word.upper())
        if op is None:
            listed = ", ".join(name.lower() for name in words)
            raise self.refuse(node, f"{word.lower()} is not in the language", f"{listed} are")
        return op

    def outside(self, node: exp.Expr) -> BadQuery:
        """Refuse what the language does not have, saying what it has instead."""
        for kinds, what, hint in OUTSIDE:
            if isinstance(node, kinds):
                return self.refuse(node, what, hint)
        inner = node.this if isinstance(node, exp.WithinGroup) else node
        word = inner.name if isinstance(inner, exp.Anonymous) else inner.key.upper()
        return self.refuse(node, f"{word} is not in the language", missing(word, sql=True))

    def of_aggregates(self, node: exp.Expr) -> BadQuery:
        """Refuse arithmetic on aggregates; a sum by a count is a mean."""
        what = "an aggregate stands alone in a column or in HAVING, not inside an expression"
        top, bottom = node.this, node.expression
        if isinstance(node, exp.Div) and isinstance(top, exp.Sum) and isinstance(bottom, exp.Count):
            of = self.span(top.this)
            words = "x" if of is None else self.source.quote(of)
            return self.refuse(node, what, f"AVG({words}) is their ratio, with an error of its own")
        return self.refuse(node, what, f"select the parts and {ON_THE_FRAME}")

    def column(self, node: exp.Column) -> Node:
        self.only(node, "this", "table")
        if not isinstance(node.this, exp.Identifier):
            raise self.outside(node.this)
        if node.table and node.table != self.table:
            raise self.refuse(node, f"{node.table} is not the table of this question", code="PL102")
        return self.names.find(node.name, self.at(node.this))

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
