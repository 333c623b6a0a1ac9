"""SQL text to an `Ask`: one SELECT over one table.

sqlglot reads the text; this module walks its tree and takes only what the
language has.  Every part of every node is either understood or refused with a
caret, so nothing an analyst wrote is ever silently dropped.  It knows no
catalog and no types.
"""

from __future__ import annotations

import re
from typing import Any

import sqlglot
from sqlglot import errors, exp

from privlab.errors import BadQuery
from privlab.query.ask import (
    Aggregate,
    AggregateKind,
    Apply,
    Ask,
    Const,
    Group,
    Having,
    Item,
    Name,
    Node,
    Param,
    Sort,
    Source,
    Span,
    Surface,
)
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

CLAUSES = {
    "joins": "joins are not in the language yet",
    "with_": "WITH is not in the language yet",
    "distinct": "SELECT DISTINCT is not in the language",
    "windows": "window functions are not in the language",
    "qualify": "QUALIFY is not in the language",
    "offset": "OFFSET is not in the language",
    "sample": "sampling is not in the language",
    "laterals": "LATERAL is not in the language",
    "into": "SELECT INTO is not in the language",
    "hint": "optimizer hints are not in the language",
}


def parse_sql(text: str) -> Ask:
    """Read ``text`` as one SELECT.

    :raises BadQuery: PL101 it cannot be read, PL109 there are two statements,
        PL105 it asks for rows, PL106 it uses what the language does not have.
    """
    source = Source(text, Surface.SQL)
    try:
        return _Reader(source).question(_statement(source))
    except RecursionError:
        raise source.refuse("PL106", "this question is nested too deeply", None) from None


def _statement(source: Source) -> exp.Expr:
    """The one statement of the text, out of its parentheses."""
    text = source.text
    try:
        found = sqlglot.parse(text, error_level=errors.ErrorLevel.RAISE)
    except errors.ParseError as error:
        facts = error.errors[0] if error.errors else {}
        where = _offset(text, facts.get("line"), facts.get("col"))
        width = len(facts.get("highlight") or " ")
        span = Span(max(0, where - width), where)
        raise source.refuse("PL101", "this SQL cannot be read from here on", span) from None
    except errors.TokenError:
        at = max(text.rfind("'"), text.rfind('"'), 0)
        raise source.refuse(
            "PL101", "a quote or a comment is not closed", Span(at, at + 1)
        ) from None
    statements = [one for one in found if one is not None and not isinstance(one, exp.Semicolon)]
    if len(statements) > 1:
        raise source.refuse(
            "PL109",
            "one cell holds one statement, this one has more",
            _second_statement(text),
            "put each SELECT into a cell of its own",
        )
    if not statements:
        raise source.refuse("PL101", "there is no question in this text", None)
    statement = statements[0]
    while isinstance(statement, (exp.Subquery, exp.Paren)) and _given(statement) == {"this"}:
        statement = statement.this
    return statement


def _offset(text: str, line: int | None, column: int | None) -> int:
    """A 0-based offset from sqlglot's 1-based line and column."""
    if line is None or column is None:
        return len(text)
    starts = [0] + [at + 1 for at, char in enumerate(text) if char == "\n"]
    return min(len(text), starts[min(line, len(starts)) - 1] + column)


def _second_statement(text: str) -> Span | None:
    tokens = sqlglot.tokenize(text)
    after = False
    for token in tokens:
        if after and token.text != ";":
            return Span(token.start, token.end + 1)
        after = after or token.text == ";"
    return None


def _given(node: exp.Expr) -> set[str]:
    """The parts of a node that say something."""
    return {name for name, part in node.args.items() if part not in (None, False, [])}


class _Reader:
    """Walks one statement.  Holds the text, for carets."""

    def __init__(self, source: Source) -> None:
        self.source = source

    # --- where and why ---

    def span(self, node: exp.Expr) -> Span | None:
        """From the first to the last character that sqlglot placed inside ``node``."""
        if isinstance(node, exp.Placeholder) and node.this:
            found = re.search(rf":{re.escape(str(node.this))}\b", self.source.text)
            return Span(found.start(), found.end()) if found else None
        starts, ends = [], []
        for part in node.walk():
            if "start" in part.meta:
                starts.append(part.meta["start"])
                ends.append(part.meta["end"] + 1)
        if not starts:
            return None
        start, end, text = min(starts), max(ends), self.source.text
        if isinstance(node, exp.Func) and "start" in node.meta:
            while end < len(text) and text[start:end].count("(") > text[start:end].count(")"):
                end += 1  # up to the closing parenthesis of the call
        return Span(start, end)

    def at(self, node: exp.Expr) -> Span:
        return self.span(node) or Span(0, len(self.source.text))

    def refuse(self, node: exp.Expr, what: str, hint: str = "", code: str = "PL106") -> BadQuery:
        return self.source.refuse(code, what, self.span(node), hint)

    def only(self, node: exp.Expr, *names: str) -> None:
        """Refuse a node that says more than the named parts."""
        extra = _given(node) - set(names)
        if extra:
            words = node.key.upper()
            raise self.refuse(node, f"this form of {words} is not in the language")

    # --- the statement ---

    def question(self, node: exp.Expr) -> Ask:
        if not isinstance(node, exp.Select):
            what = "UNION is not in the language" if isinstance(node, exp.SetOperation) else ""
            raise self.refuse(
                node, what or "a question is one SELECT", "SELECT COUNT(*) FROM table"
            )
        for clause, what in CLAUSES.items():
            part = node.args.get(clause)
            if part:
                spot = part[0] if isinstance(part, list) else part
                raise self.refuse(spot if isinstance(spot, exp.Expr) else node, what)
        self.only(node, "expressions", "from_", "where", "group", "having", "order", "limit")
        table, table_span = self.table(node)
        items = tuple(self.item(one) for one in node.expressions)
        where, having, limit = (
            node.args.get("where"),
            node.args.get("having"),
            node.args.get("limit"),
        )
        if limit is not None:
            self.only(limit, "expression")
        return Ask(
            source=self.source,
            table=table,
            table_span=table_span,
            where=self.expression(where.this) if where is not None else None,
            groups=self.groups(node.args.get("group"), items),
            items=items,
            keys_first=False,
            having=self.having(having.this) if having is not None else (),
            order=self.order(node.args.get("order")),
            limit=self.expression(limit.expression) if limit is not None else None,
        )

    def table(self, node: exp.Select) -> tuple[str, Span]:
        source = node.args.get("from_")
        if source is None:
            raise self.refuse(
                node, "this SELECT has no FROM", "SELECT COUNT(*) FROM table", "PL101"
            )
        table = source.this
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
            raise self.refuse(
                source, "FROM takes one table; subqueries are not in the language yet"
            )
        self.only(table, "this", "db", "alias")
        self.alias = table.alias or table.name
        name = f"{table.db}.{table.name}" if table.db else table.name
        return name, self.at(table.this)

    def item(self, node: exp.Expr) -> Item:
        name = None
        inner = node
        if isinstance(node, exp.Alias):
            self.only(node, "this", "alias")
            name, inner = node.alias, node.this
        starred = isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)
        if starred or isinstance(inner, exp.Star):
            raise self.refuse(
                node,
                "SELECT * asks for rows; only aggregates can be answered",
                "SELECT COUNT(*) FROM table",
                "PL105",
            )
        return Item(self.value(inner), name, self.at(inner))

    def groups(self, node: exp.Group | None, items: tuple[Item, ...]) -> tuple[Group, ...]:
        """GROUP BY: expressions, aliases (looked up later), and positions (here)."""
        if node is None:
            return ()
        self.only(node, "expressions")
        groups = []
        for one in node.expressions:
            if isinstance(one, exp.Literal) and not one.is_string:
                item = self.position(one, items)
                if isinstance(item.value, Aggregate):
                    raise self.refuse(one, "an aggregate cannot be a group key")
                groups.append(Group(item.value, None, item.span))
            else:
                groups.append(Group(self.expression(one), None, self.at(one)))
        return tuple(groups)

    def position(self, node: exp.Literal, items: tuple[Item, ...]) -> Item:
        text = node.name
        if not text.isdigit() or not 1 <= int(text) <= len(items):
            raise self.refuse(
                node, f"position {text} is not one of the {len(items)} selected columns"
            )
        return items[int(text) - 1]

    def having(self, node: exp.Expr) -> tuple[Having, ...]:
        match node:
            case exp.Paren():
                return self.having(node.this)
            case exp.And():
                return self.having(node.this) + self.having(node.expression)
            case exp.Between():
                left, span = self.value(node.this), self.at(node)
                return (
                    Having(left, Op.GE, self.expression(node.args["low"]), span),
                    Having(left, Op.LE, self.expression(node.args["high"]), span),
                )
        op = COMPARISONS.get(type(node))
        if op is None:
            raise self.refuse(
                node,
                "HAVING compares aggregates with constants, joined by AND",
                "HAVING COUNT(*) > 100",
            )
        return (Having(self.value(node.this), op, self.value_node(node.expression), self.at(node)),)

    def value_node(self, node: exp.Expr) -> Node:
        value = self.value(node)
        if isinstance(value, Aggregate):
            raise self.refuse(node, "write the aggregate on the left, the constant on the right")
        return value

    def order(self, node: exp.Order | None) -> tuple[Sort, ...]:
        if node is None:
            return ()
        self.only(node, "expressions")
        found = []
        for one in node.expressions:
            self.only(one, "this", "desc", "nulls_first")
            found.append(Sort(self.value(one.this), bool(one.args.get("desc")), self.at(one)))
        return tuple(found)

    # --- values ---

    def value(self, node: exp.Expr) -> Node | Aggregate:
        """An aggregate, or a row expression."""
        kind = AGGREGATES.get(type(node))
        if kind is None:
            return self.expression(node)
        self.only(node, "this", "big_int")
        of, span = node.this, self.at(node)
        if isinstance(of, exp.Distinct):
            self.only(of, "expressions")
            if kind is not AggregateKind.ROWS or len(of.expressions) != 1:
                raise self.refuse(node, "DISTINCT is only for COUNT(DISTINCT the privacy unit)")
            return Aggregate(AggregateKind.UNITS, self.expression(of.expressions[0]), span)
        if isinstance(of, exp.Star):
            self.only(of)
            if kind is not AggregateKind.ROWS:
                raise self.refuse(node, "only COUNT takes a star")
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
        match node:
            case exp.Count() | exp.Sum() | exp.Avg():
                return self.refuse(
                    node,
                    "an aggregate stands alone in a column or in HAVING, not inside an expression",
                    "select the parts and compute on the answer's frame: that is free",
                )
            case exp.Div() | exp.Mod() | exp.IntDiv():
                return self.refuse(
                    node, "division is not in the language", "multiply by a constant, as in x * 0.1"
                )
            case exp.Case() | exp.If():
                return self.refuse(
                    node, "CASE is not in the language", "COUNT(*) with the condition in WHERE"
                )
            case exp.Window():
                return self.refuse(node, "window functions are not in the language")
            case exp.Filter():
                return self.refuse(
                    node,
                    "FILTER on an aggregate is not in the language",
                    "put the condition in WHERE",
                )
            case exp.Subquery() | exp.Select() | exp.Exists():
                return self.refuse(node, "subqueries are not in the language yet")
            case exp.AggFunc():
                return self.refuse(
                    node, f"{node.key.upper()} is not in the language", "COUNT, SUM or AVG"
                )
            case exp.Anonymous():
                return self.refuse(node, f"{node.name} is not in the language")
        return self.refuse(node, f"{node.key.upper()} is not in the language")

    def column(self, node: exp.Column) -> Node:
        self.only(node, "this", "table")
        if not isinstance(node.this, exp.Identifier):
            raise self.outside(node.this)
        if node.table and node.table != self.alias:
            raise self.refuse(node, f"{node.table} is not the table of this question", code="PL102")
        return Name(node.name, self.at(node.this))

    def is_null(self, node: exp.Is) -> Node:
        self.only(node, "this", "expression")
        if not isinstance(node.expression, exp.Null):
            raise self.refuse(node, "IS takes NULL or NOT NULL", "compare with =")
        return Apply(Op.IS_NULL, (self.expression(node.this),), self.at(node))

    def is_in(self, node: exp.In) -> Node:
        self.only(node, "this", "expressions", "field")
        field: Any = node.args.get("field")
        listed = node.expressions or ([field] if field is not None else [])
        values = tuple(self.expression(one) for one in listed)
        return Apply(Op.IS_IN, (self.expression(node.this), *values), self.at(node))

    def clip(self, node: exp.Greatest | exp.Least) -> Node:
        """GREATEST(x, low) and LEAST(x, high) with a constant are clips."""
        self.only(node, "this", "expressions", "ignore_nulls")
        args = [self.expression(one) for one in (node.this, *node.expressions)]
        bounds = [arg for arg in args if isinstance(arg, (Const, Param)) or _signed(arg)]
        values = [arg for arg in args if arg not in bounds]
        word = "GREATEST" if isinstance(node, exp.Greatest) else "LEAST"
        if len(args) != 2 or len(values) != 1:
            raise self.refuse(node, f"{word} takes one expression and one constant")
        span, nothing = self.at(node), Const(None, self.at(node))
        low, high = (bounds[0], nothing) if word == "GREATEST" else (nothing, bounds[0])
        return Apply(Op.CLIP, (values[0], low, high), span)

    def grain(self, node: exp.Expr, of: exp.Expr, unit: str, known: dict[str, Op]) -> Node:
        op = known.get(unit.upper())
        if op is None:
            words = ", ".join(name.lower() for name in known)
            raise self.refuse(node, f"{unit.lower()} is not one of {words}")
        return Apply(op, (self.expression(of),), self.at(node))

    def cast(self, node: exp.Cast) -> Node:
        """Casts of literals, and CAST(x AS DATE), which is the calendar day of x."""
        if node.args.get("format") or node.args.get("default") or node.args.get("action"):
            raise self.refuse(node, "this form of CAST is not in the language")
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
