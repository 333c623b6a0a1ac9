"""SQL text to an `Ask`: one SELECT, and what stands behind its FROM.

sqlglot reads the text; this module walks its tree and takes only what the
language has.  Every part of every node is either understood or refused with a
caret, so nothing an analyst wrote is ever silently dropped.  It knows no
catalog and no types.
"""

from __future__ import annotations

import itertools
import re

import sqlglot
from sqlglot import TokenType, errors, exp

from privlab.query.ask import (
    NO_TABLES,
    Ask,
    Const,
    Group,
    Item,
    Name,
    Node,
    Sort,
    Source,
    Span,
    Surface,
    aggregates,
)
from privlab.query.passes.limit_text import limit_text
from privlab.query.sql_dialect import Reading, tokens_of
from privlab.query.sql_expressions import Expressions, given
from privlab.query.sql_groups import read_groups
from privlab.query.sql_rows import RowsReader
from privlab.terms.catalog import Catalog

_NULLS = re.compile(r"\bNULLS\b", re.IGNORECASE)
NULLS = {("NULLS", "FIRST")}

BUILDERS = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What sqlglot raises where it makes a function of the wrong number of values."""

CLAUSES = {
    "hint": ("SELECT", "optimizer hints are not in the language", "leave the hint out"),
}

OTHER_STATEMENTS = {
    "EXPLAIN": ("EXPLAIN is an option here", "%%private --explain, and the SELECT in the cell"),
    "SHOW": ("SHOW is a command of its own here", "%private tables"),
    "DESCRIBE": ("DESCRIBE is a command of its own here", "%private describe {}"),
    "DESC": ("DESC is a command of its own here", "%private describe {}"),
}


def parse_sql(text: str, catalog: Catalog = NO_TABLES) -> Ask:
    """Read ``text`` as one SELECT.  ``catalog`` serves the hints alone.

    :raises BadQuery: PL101 it cannot be read, PL109 there are two statements,
        PL105 it asks for rows, PL106 it uses what the language does not have.
    """
    source = Source(text, Surface.SQL, catalog)
    limit_text(source)
    _only_questions(source)
    try:
        statement = _statement(source)
        return _Statement(source, statement).question(statement)
    except RecursionError:
        raise source.refuse("PL106", "this question is nested too deeply", None) from None


def _only_questions(source: Source) -> None:
    """Statements that are something else here, with what to type for them."""
    first = re.search(r"\w+", source.text)
    if first is not None and (other := OTHER_STATEMENTS.get(first[0].upper())) is not None:
        what, hint = other
        table = source.table
        name = "<table>" if table is None else table.name
        raise source.refuse("PL106", what, Span(*first.span()), hint.format(name))


def _statement(source: Source) -> exp.Expr:
    """The one statement of the text, out of its parentheses."""
    text = source.text
    try:
        found = sqlglot.parse(text, dialect=Reading, error_level=errors.ErrorLevel.RAISE)
    except errors.ParseError as error:
        facts = error.errors[0] if error.errors else {}
        where = _offset(text, facts.get("line"), facts.get("col"))
        width = len(facts.get("highlight") or " ")
        span = Span(max(0, where - width), where)
        raise source.refuse("PL101", "this SQL cannot be read from here on", span) from None
    except errors.TokenError:
        at = max(0, *map(text.rfind, "'\"`"))
        raise source.refuse(
            "PL101", "a quote or a comment is not closed", Span(at, at + 1)
        ) from None
    except BUILDERS:
        begin = len(text) - len(text.lstrip())
        span = Span(begin, begin + len(text.split(maxsplit=1)[0]))
        raise source.refuse("PL101", "this SQL cannot be read", span) from None
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
    if (nulls := _nulls_order(text)) is not None:
        raise source.refuse(
            "PL106",
            "what is unknown always sorts last; NULLS FIRST is not in the language",
            nulls,
            "leave NULLS FIRST out",
        )
    statement = statements[0]
    while isinstance(statement, (exp.Subquery, exp.Paren)) and given(statement) == {"this"}:
        statement = statement.this
    return statement


def _offset(text: str, line: int | None, column: int | None) -> int:
    """A 0-based offset from sqlglot's 1-based line and column."""
    if line is None or column is None:
        return len(text)
    starts = [0] + [at + 1 for at, char in enumerate(text) if char == "\n"]
    return min(len(text), starts[min(line, len(starts)) - 1] + column)


def _second_statement(text: str) -> Span | None:
    after = False
    for token in tokens_of(text):
        if after and token.text != ";":
            return Span(token.start, token.end + 1)
        after = after or token.text == ";"
    return None


def _keyword(text: str, word: str) -> Span | None:
    """The first place of a keyword that the tree does not place; any token for ""."""
    for token in tokens_of(text):
        if token.token_type is not TokenType.STRING and token.text.upper().endswith(word):
            return Span(token.start, token.end + 1)
    return None


def _nulls_order(text: str) -> Span | None:
    """NULLS FIRST, which the tree does not tell from the default."""
    if _NULLS.search(text) is None:
        return None
    for one, two in itertools.pairwise(tokens_of(text)):
        pair = (one.text.upper(), two.text.upper())
        if one.token_type is not TokenType.STRING and pair in NULLS:
            return Span(one.start, two.end + 1)
    return None


def _bare(node: Node) -> object:
    """A name as it is compared with others; anything else as it is."""
    return node.name if isinstance(node, Name) else node


class _Statement:
    """Walks the clauses of one SELECT."""

    def __init__(self, source: Source, statement: exp.Expr) -> None:
        self.source = source
        self.expressions = Expressions(source, statement)
        self.rows = RowsReader(self.expressions)

    def question(self, node: exp.Expr) -> Ask:
        if not isinstance(node, exp.Select):
            several = isinstance(node, exp.SetOperation)
            what = "a question is one SELECT; UNION ALL stands behind its FROM" if several else ""
            hint = "SELECT COUNT(*) FROM (SELECT ... UNION ALL SELECT ...) t" if what else ""
            raise self.source.refuse(
                "PL106",
                what or "a question is one SELECT",
                self.expressions.span(node) or _keyword(self.source.text, ""),
                hint or self.source.example,
            )
        for clause, (word, what, hint) in CLAUSES.items():
            part = node.args.get(clause)
            if part:
                spot = part[0] if isinstance(part, list) else part
                span = self.expressions.span(spot) if isinstance(spot, exp.Expr) else None
                span = span or _keyword(self.source.text, word)
                raise self.source.refuse("PL106", what, span, hint)
        self.expressions.only(
            node,
            "with_",
            "expressions",
            "from_",
            "joins",
            "where",
            "group",
            "having",
            "qualify",
            "order",
            "limit",
            "offset",
            "distinct",
        )
        rows = self.rows.of(node)
        items = tuple(self.item(one) for one in node.expressions)
        groups = read_groups(self.expressions, node.args.get("group"), items)
        if node.args.get("distinct") is not None:
            groups = self.distinct(node, groups, items)
        limit, offset = (node.args.get(name) for name in ("limit", "offset"))
        if offset is not None:
            self.expressions.only(offset, "expression")
        return Ask(
            source=self.source,
            base=rows.base,
            where=rows.where,
            groups=groups,
            items=items,
            keys_first=False,
            having=self.conditions(node.args.get("having")),
            qualify=self.conditions(node.args.get("qualify")),
            order=self.order(node.args.get("order")),
            limit=None if limit is None else self.limit(limit),
            offset=None if offset is None else self.expressions.expression(offset.expression),
        )

    def conditions(self, node: exp.Having | exp.Qualify | None) -> tuple[Node, ...]:
        return () if node is None else (self.expressions.output(node.this),)

    def item(self, node: exp.Expr) -> Item:
        name = None
        inner = node
        if isinstance(node, exp.Alias):
            self.expressions.only(node, "this", "alias")
            name, inner = node.alias, node.this
        starred = isinstance(inner, exp.Column) and isinstance(inner.this, exp.Star)
        if starred or isinstance(inner, exp.Star):
            raise self.expressions.refuse(
                node,
                "SELECT * asks for rows; only aggregates can be answered",
                self.source.example,
                "PL105",
            )
        named = self.expressions.names.made or self.expressions.joined
        if name is None and isinstance(inner, exp.Column) and named:
            name = inner.name
        return Item(self.expressions.output(inner), name, self.expressions.at(inner))

    def limit(self, node: exp.Expr) -> Node:
        """LIMIT n, TOP n, and FETCH FIRST n ROWS ONLY."""
        if not isinstance(node, exp.Fetch):
            self.expressions.only(node, "expression")
            return self.expressions.expression(node.expression)
        self.expressions.only(node, "direction", "count", "limit_options")
        options = node.args.get("limit_options")
        if options is not None and not given(options) <= {"rows"}:
            raise self.source.refuse(
                "PL106",
                "FETCH takes a number of rows, no percent and no ties",
                _keyword(self.source.text, "FETCH"),
                "FETCH FIRST 5 ROWS ONLY",
            )
        count = node.args.get("count")
        return (
            Const(1, self.expressions.at(node))
            if count is None
            else self.expressions.expression(count)
        )

    def distinct(
        self, node: exp.Select, groups: tuple[Group, ...], items: tuple[Item, ...]
    ) -> tuple[Group, ...]:
        """Rows differ anyway where every group key is a column; without keys the columns are keys."""
        self.expressions.only(node.args["distinct"])
        if not groups and not any(aggregates(item.value) for item in items):
            return tuple(Group(item.value, item.name, item.span) for item in items)
        shown = {_bare(item.value) for item in items} | {item.name for item in items}
        if not groups or not all(_bare(group.node) in shown for group in groups):
            raise self.source.refuse(
                "PL106",
                "DISTINCT leaves out rows of the answer, which noise has made different",
                _keyword(self.source.text, "DISTINCT"),
                "leave DISTINCT out, or select every group key",
            )
        return groups

    def order(self, node: exp.Order | None) -> tuple[Sort, ...]:
        if node is None:
            return ()
        self.expressions.only(node, "expressions")
        found = []
        for one in node.expressions:
            self.expressions.only(one, "this", "desc", "nulls_first")
            found.append(
                Sort(
                    self.expressions.output(one.this),
                    bool(one.args.get("desc")),
                    self.expressions.at(one),
                )
            )
        return tuple(found)
