"""Polars text to an `Ask`.  The text is parsed with ``ast`` and never executed.

A question is a chain of methods on a table: ``filter``, then ``group_by`` and
``agg`` (or ``select`` without groups), then ``filter`` on the outputs, ``sort``
and ``head``.  Row expressions are read by ``frame_expressions.py``.  It knows
no catalog and no types, and nothing here calls anything an analyst named.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Sequence
from dataclasses import replace

from privlab.errors import BadQuery
from privlab.query.ask import (
    NO_TABLES,
    Aggregate,
    AggregateKind,
    Ask,
    Group,
    Item,
    Name,
    Node,
    Source,
    Span,
    Surface,
)
from privlab.query.frame_answer import STEPS as ANSWER
from privlab.query.frame_answer import AnswerSteps
from privlab.query.frame_expressions import Expressions, Place, typed_name
from privlab.query.frame_rows import STEPS, RowSteps
from privlab.query.hints import ON_THE_FRAME, key_of, number_of
from privlab.query.passes.limit_text import limit_text
from privlab.query.rows import Named
from privlab.terms.catalog import Catalog

METHODS = (*dict.fromkeys((*STEPS, "group_by", "agg", "select", "len", *ANSWER)),)
OTHER_METHODS = {
    "unique": "group_by gives each value once",
    "tail": "sort the other way, and head",
    "count": "agg(n=pl.len())",
    "mean": 'select(pl.col("{number}").mean())',
    "sum": 'select(pl.col("{number}").sum())',
    "pivot": f"group_by both keys and {ON_THE_FRAME}",
}
IGNORED = ("lazy", "collect")
ORDER = "the order is filter and with_columns, group_by, agg, filter, sort, head"


def parse_frame(text: str, catalog: Catalog = NO_TABLES) -> Ask:
    """Read ``text`` as one Polars question.  ``catalog`` serves the hints alone.

    :raises BadQuery: PL101 it cannot be read, PL109 there are two statements,
        PL105 it asks for rows, PL106 it uses what the language does not have.
    """
    source = Source(text, Surface.POLARS, catalog)
    limit_text(source)
    try:
        tree, place = _expression(source)
        return _Chain(source, place).question(tree)
    except (RecursionError, MemoryError):
        raise source.refuse("PL106", "this question is nested too deeply", None) from None


def _expression(source: Source) -> tuple[ast.expr, Place]:
    """The one expression of the text; a chain may run over lines without parentheses."""
    text = source.text
    try:
        body, place = _parsed(text), Place(text, 0)
    except (SyntaxError, ValueError) as error:
        try:
            wrapped = f"({text}\n)"
            body, place = _parsed(wrapped), Place(wrapped, 1)
        except (SyntaxError, ValueError):
            raise source.refuse(
                "PL101",
                "this Polars text cannot be read from here on",
                Place(text, 0).of_error(error),
                f"{source.example}; SQL begins with SELECT, WITH or FROM",
            ) from None
    if len(body) > 1:
        raise source.refuse(
            "PL109",
            "one cell holds one statement, this one has more",
            place.of(body[1]),
            "put each question into a cell of its own",
        )
    if not body:
        raise source.refuse("PL101", "there is no question in this text", None, source.example)
    if not isinstance(body[0], ast.Expr):
        raise source.refuse(
            "PL106",
            "a question is one expression",
            place.of(body[0]),
            "name the answer on the magic's line: %%private by_ward",
        )
    return body[0].value, place


def _parsed(text: str) -> list[ast.stmt]:
    """The statements; the parser's own remarks about odd spellings are not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text).body


class _Chain:
    """Walks one chain of methods."""

    def __init__(self, source: Source, place: Place) -> None:
        self.source = source
        self.place = place
        self.expressions = Expressions(source, place)
        self.rows = RowSteps(self.expressions)

    def refuse(self, node: ast.AST, what: str, hint: str = "", code: str = "PL106") -> BadQuery:
        return self.source.refuse(code, what, self.place.of(node), hint)

    def question(self, tree: ast.expr) -> Ask:
        base, calls = self.unwound(tree)
        ask = Ask(
            source=self.source,
            base=Named(ast.unparse(base), self.place.of(base)),
            where=None,
            groups=(),
            items=(),
            keys_first=True,
        )
        grouped = False
        answer: AnswerSteps | None = None
        for at, (method, call) in enumerate(calls):
            later = [name for name, _ in calls[at + 1 :]]
            if ask.items:
                if answer is None:
                    answer = AnswerSteps(self.expressions, ask)
                if method not in ANSWER:
                    raise self.misplaced(method, call, True)  # noqa: FBT003
                answer.take(method, call, self.listed(call))
                continue
            match method:
                case "select" if not grouped and not ask.items and self.projects(call, later):
                    self.rows.take(method, call, self.listed(call))
                case _ if method in STEPS and not ask.items:
                    if grouped:
                        what = f"{method} comes before group_by or after agg"
                        raise self.refuse(call, what, ORDER)
                    listed = [] if method == "rename" else self.listed(call)
                    self.rows.take(method, call, listed)
                    ask = replace(ask, where=self.rows.where)
                case "group_by" if not grouped and not ask.items:
                    ask, grouped = replace(ask, groups=self.groups(call)), True
                case "agg" if grouped and not ask.items:
                    ask = replace(ask, items=self.items(call))
                case "len" if grouped and not ask.items:
                    self.nothing(call)
                    span = self.place.of(call)
                    rows = Aggregate(AggregateKind.ROWS, None, span)
                    ask = replace(ask, items=(Item(rows, "len", span),))
                case "select" if not grouped and not ask.items:
                    ask = replace(ask, items=self.items(call))
                case _:
                    raise self.misplaced(method, call, bool(ask.items))
        if not ask.items:
            raise self.source.refuse(
                "PL105",
                "this asks for rows; only aggregates can be answered",
                self.place.of(tree),
                self.source.example if not grouped else "end with .agg(n=pl.len())",
            )
        return ask if answer is None else answer.finished()

    def unwound(self, tree: ast.expr) -> tuple[ast.expr, list[tuple[str, ast.Call]]]:
        """The table at the start of the chain, and the calls in the order they run."""
        calls: list[tuple[str, ast.Call]] = []
        node = tree
        while isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Attribute):
                raise self.refuse(node, "a question starts with a table", self.source.example)
            if node.func.attr in IGNORED:
                self.nothing(node)
            else:
                calls.append((node.func.attr, node))
            node = node.func.value
        dataset = node.value if isinstance(node, ast.Attribute) else node
        if not isinstance(dataset, ast.Name):
            raise self.refuse(node, "a question starts with a table", self.source.example)
        if not calls and not isinstance(tree, ast.Call):
            raise self.refuse(
                node,
                "a table alone asks for rows; only aggregates can be answered",
                self.source.example,
                "PL105",
            )
        return node, calls[::-1]

    def misplaced(self, method: str, call: ast.Call, asked: bool) -> BadQuery:
        """A method that is out of place or unknown; the caret is under its name."""
        end = self.place.of(call.func).end
        span = Span(end - len(method), end)
        if method in ("head", "limit", "sort") and not asked:
            what = f"{method} asks for rows; only aggregates can be answered"
            return self.source.refuse("PL105", what, span, self.source.example)
        if method in METHODS:
            return self.source.refuse("PL106", f"{method} does not fit here", span, ORDER)
        near = difflib.get_close_matches(method, METHODS, 1)
        hint = f"did you mean {near[0]}?" if near else f"a question has {', '.join(METHODS)}"
        hint = OTHER_METHODS.get(method, hint).replace("{number}", number_of(self.source.table))
        return self.source.refuse("PL106", f"{method} is not in the language", span, hint)

    # --- the arguments of each method ---

    def nothing(self, call: ast.Call) -> None:
        if call.args or call.keywords:
            raise self.refuse(call, "this call takes no arguments here", "leave them out")

    def listed(self, call: ast.Call) -> list[tuple[ast.expr, str | None]]:
        """Arguments, lists opened, with the keyword each was given under."""
        found: list[tuple[ast.expr, str | None]] = []
        for arg in call.args:
            parts = arg.elts if isinstance(arg, (ast.List, ast.Tuple)) else [arg]
            found += [(one, None) for one in parts]
        for keyword in call.keywords:
            if keyword.arg is None:
                raise self.refuse(
                    keyword, "** is not in the language", "name each output: n=pl.len()"
                )
            found.append((keyword.value, keyword.arg))
        return found

    def projects(self, call: ast.Call, later: Sequence[str]) -> bool:
        return self.rows.projects(self.listed(call), later)

    def groups(self, call: ast.Call) -> tuple[Group, ...]:
        found = []
        for arg, name in self.listed(call):
            if name == "maintain_order":
                if not (isinstance(arg, ast.Constant) and isinstance(arg.value, bool)):
                    raise self.refuse(arg, "this is True or False", "maintain_order=True")
                continue  # an answer always keeps the public order
            inner, alias = self.expressions.alias(arg)
            node = self.expressions.column_or(inner)
            name = name or alias or self.typed(inner, node)
            found.append(Group(node, name, self.place.of(arg)))
        if not found:
            raise self.refuse(
                call, "group_by names no key", f'group_by("{key_of(self.source.table)}")'
            )
        return tuple(found)

    def typed(self, node: ast.expr, value: Node) -> str | None:
        """The name that was typed, where steps before gave it another meaning."""
        if not self.expressions.names.made:
            return None
        return typed_name(node) or (value.name if isinstance(value, Name) else None)

    def items(self, call: ast.Call) -> tuple[Item, ...]:
        found = []
        for arg, name in self.listed(call):
            inner, alias = self.expressions.alias(arg)
            value = self.expressions.output(inner)
            name = name or alias or self.typed(inner, value)
            found.append(Item(value, name, self.place.of(inner)))
        if not found:
            raise self.refuse(call, "no aggregate is named", "agg(n=pl.len())")
        return tuple(found)
