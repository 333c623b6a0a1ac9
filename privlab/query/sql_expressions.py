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

from sqlglot import TokenType, exp

from privlab.errors import BadQuery
from privlab.query.ask import (
    Apply,
    Const,
    Name,
    Node,
    Param,
    Source,
    Span,
)
from privlab.query.hints import SUBQUERY, missing
from privlab.query.literals import number
from privlab.query.plan import Op
from privlab.query.projection import Projection
from privlab.query.sql_choices import read_choice
from privlab.query.sql_dialect import tokens_of
from privlab.query.sql_functions import moved, read_function
from privlab.query.sql_outputs import AGGREGATES, is_aggregate, read_aggregate
from privlab.query.sql_quantiles import QUANTILES
from privlab.query.sql_texts import read_sought, read_text

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
OUTSIDE: tuple[tuple[tuple[type, ...], str, str], ...] = (
    (
        (*AGGREGATES, *QUANTILES),
        "an aggregate stands in a column, in HAVING or in ORDER BY, and not inside another",
        "compare groups in HAVING",
    ),
    (
        (exp.Window,),
        "a window stands in a column, in QUALIFY or in ORDER BY, and not inside another",
        "select it, and compare it in QUALIFY",
    ),
    (
        (exp.Filter,),
        "FILTER stands behind an aggregate",
        "COUNT(*) FILTER (WHERE x > 3)",
    ),
    (
        (exp.Subquery, exp.Select, exp.Exists),
        "a SELECT stands behind FROM, JOIN, EXISTS and IN, as one of the conditions that AND joins",
        SUBQUERY,
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


NOW = (exp.CurrentDate, exp.CurrentDatetime, exp.CurrentTime, exp.CurrentTimestamp)
"""The clock, which no answer depends on."""

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
        for token in tokens_of(text):
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

    tables: the words that may stand before a column.  names: what a column's name
    stands for at this step of the question.  joined: names are those of several
    tables, and keep the word that stands before them.
    """

    def __init__(self, source: Source, statement: exp.Expr) -> None:
        self.source = source
        self.tables: tuple[str, ...] = ()
        self.joined = False
        self.names = Projection()
        self.aggregating = False
        self.places = _places(statement)
        self.parentheses = _Parentheses(source.text)
        self.parameters: dict[str, Span] = {}
        self.reading: exp.Expr | None = None
        for found in re.finditer(r":(\w+)", source.text):
            self.parameters.setdefault(found[1], Span(*found.span()))

    # --- where and why ---

    def span(self, node: exp.Expr) -> Span | None:
        """From the first to the last character that sqlglot placed inside ``node``."""
        if isinstance(node, exp.Placeholder):
            return self.parameters.get(str(node.this))
        place = self.places.get(id(node))
        if place is None:
            return self._called(node)
        (start, end), text = place, self.source.text
        if isinstance(node, UNPLACED):
            opening = OPENING.search(text, max(0, start - NEAR), start)
            start = opening.start() if opening else start
            closing = CLOSING.match(text, end) if isinstance(node, exp.Case) else None
            end = closing.end() if closing else end
        if isinstance(node, exp.Func) and text[end : end + 1] == "(":
            end += 1  # a call whose arguments have no place of their own
        return Span(start, self.parentheses.closed(start, end))

    def _called(self, node: exp.Expr) -> Span | None:
        """A word without arguments, which sqlglot does not place: where it stands alone."""
        if not isinstance(node, NOW):
            return None
        found = re.search(rf"\b{node.sql_name()}\b(\(\))?", self.source.text, re.IGNORECASE)
        return None if found is None else Span(*found.span())

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

    def output(self, node: exp.Expr) -> Node:
        """What may be made of aggregates: a column, or a condition or a sort after them."""
        self.aggregating = True
        try:
            return self.expression(node)
        finally:
            self.aggregating = False

    def expression(self, node: exp.Expr | None) -> Node:
        """A row expression."""
        if node is None:  # the reader of texts lets values be missing
            span = None if self.reading is None else self.at(self.reading)
            raise self.source.refuse("PL106", "a value is missing here", span, "write it inside")
        self.reading = node
        if isinstance(node, exp.Paren):
            return self.expression(node.this)
        if is_aggregate(node):
            if self.aggregating:
                return read_aggregate(node, self)
            raise self.outside(node)
        span = self.at(node)
        if isinstance(node, (exp.Add, exp.Sub)) and (moved := self.interval(node)) is not None:
            return moved
        op = BINARY.get(type(node))
        if type(node) in COMPARISONS and (sought := read_sought(node, self)) is not None:
            return sought
        if op is not None:
            self.only(node, "this", "expression", "typed", "safe")
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
        shown = inner.sql_name() if isinstance(inner, exp.Func) else word
        named = word if isinstance(inner, exp.Anonymous) else shown
        return self.refuse(node, f"{named} is not in the language", missing(word, sql=True))

    def column(self, node: exp.Column) -> Node:
        self.only(node, "this", "table")
        if not isinstance(node.this, exp.Identifier):
            raise self.outside(node.this)
        if node.table and node.table not in self.tables:
            several = f"its tables are {', '.join(self.tables)}" if self.tables else ""
            what = f"{node.table} is not a table of this question"
            raise self.refuse(node, what, several, "PL102")
        if self.joined:
            return Name(node.name, self.at(node.this), table=node.table)
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
