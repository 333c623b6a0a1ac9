"""Polars text to an `Ask`.  The text is parsed with ``ast`` and never executed.

A question is a chain of methods on a table: ``filter`` and ``join``, then ``group_by``
and ``agg`` (or ``select`` without groups), then ``filter`` on the outputs, ``sort``
and ``head``.  What comes before the groups is read by ``frame_chain.py``, row
expressions by ``frame_expressions.py``.  It knows
no catalog and no types, and nothing here calls anything an analyst named.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from dataclasses import replace

from privlab.errors import BadQuery
from privlab.query.ask import (
    NO_TABLES,
    Ask,
    Item,
    Source,
    Span,
    Surface,
)
from privlab.query.frame_answer import STEPS as ANSWER
from privlab.query.frame_answer import AnswerSteps
from privlab.query.frame_chain import ORDER, ChainReader
from privlab.query.frame_expressions import Place
from privlab.query.frame_rows import AFTER, STEPS
from privlab.query.hints import ON_THE_FRAME, number_of
from privlab.query.passes.limit_text import limit_text
from privlab.terms.catalog import Catalog

METHODS = (*dict.fromkeys((*STEPS, "join", "group_by", "agg", "select", "len", *ANSWER)),)
OTHER_METHODS = {
    "unique": "select the columns before it; group_by gives each value once",
    "tail": "sort the other way, and head",
    "count": "agg(n=pl.len())",
    "mean": 'select(pl.col("{number}").mean())',
    "sum": 'select(pl.col("{number}").sum())',
    "describe": "%private describe {table}",
    "pivot": f"group_by both keys and {ON_THE_FRAME}",
}


def parse_frame(text: str, catalog: Catalog = NO_TABLES) -> Ask:
    """Read ``text`` as one Polars question.  ``catalog`` serves the hints alone.

    :raises BadQuery: PL101 it cannot be read, PL109 there are two statements,
        PL105 it asks for rows, PL106 it uses what the language does not have.
    """
    source = Source(text, Surface.POLARS, catalog)
    limit_text(source)
    try:
        tree, place = _expression(source)
        return _Chain(source, place, tree).question(tree)
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
            f"name the answer on the magic's line: %%private {_assigned(body[0])}",
        )
    return body[0].value, place


def _assigned(statement: ast.stmt) -> str:
    """The name that an answer was to get."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return "by_ward"


def _parsed(text: str) -> list[ast.stmt]:
    """The statements; the parser's own remarks about odd spellings are not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text).body


class _Chain(ChainReader):
    """Walks the chain of a question to its answer."""

    def question(self, tree: ast.expr) -> Ask:
        if not self.calls and not isinstance(tree, ast.Call):
            raise self.refuse(
                tree,
                "a table alone asks for rows; only aggregates can be answered",
                self.source.example,
                "PL105",
            )
        at = 0
        while at < len(self.calls) and (taken := self.step(at)):
            at += taken
        rows = self.rows
        ask = Ask(
            source=self.source,
            base=rows.base,
            where=rows.where,
            groups=(),
            items=(),
            keys_first=True,
        )
        grouped = False
        answer: AnswerSteps | None = None
        rest = self.calls[at:]
        if [name for name, _ in rest[:2]] == ["select", "unique"] and self.steps.projects(
            self.listed(rest[0][1]), AFTER
        ):
            ask, rest = self.different(ask, *(call for _, call in rest[:2])), rest[2:]
        for method, call in rest:
            if ask.items:
                if answer is None:
                    answer = AnswerSteps(self.expressions, ask)
                if method not in ANSWER:
                    raise self.misplaced(method, call, True)  # noqa: FBT003
                answer.take(method, call, self.listed(call))
                continue
            match method:
                case _ if method in STEPS and grouped:
                    what = f"{method} comes before group_by or after agg"
                    raise self.refuse(call, what, ORDER)
                case "group_by" if not grouped:
                    ask, grouped = replace(ask, groups=self.groups(call)), True
                case "group_by_dynamic" if not grouped:
                    ask, grouped = replace(ask, groups=self.periods(call)), True
                case "sort" if not grouped and self.orders(call):
                    pass
                case "agg" if grouped:
                    ask = replace(ask, items=self.items(call))
                case "len" if grouped:
                    ask = replace(ask, items=(self.length(call),))
                case "select" if not grouped:
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

    def different(self, ask: Ask, select: ast.Call, unique: ast.Call) -> Ask:
        """select(...).unique(): the different values of columns, which are keys then."""
        self.nothing(unique)
        groups = self.groups(select)
        items = tuple(Item(one.node, one.name, one.span) for one in groups)
        return replace(ask, groups=groups, items=items, keys_first=False)

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
        table = self.source.table
        hint = OTHER_METHODS.get(method, hint).replace("{number}", number_of(table))
        hint = hint.replace("{table}", "<table>" if table is None else table.name)
        return self.source.refuse("PL106", f"{method} is not in the language", span, hint)
