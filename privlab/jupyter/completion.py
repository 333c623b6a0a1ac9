"""Tab inside ``%%private`` cells: tables, columns and flags, and nothing elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.interactiveshell import InteractiveShell

from privlab.jupyter.connection import Connection
from privlab.wire.messages import TableFacts

IDENTIFIER = "privlab"
FLAGS = (
    "--share",
    "--within",
    "--epsilon",
    "--confidence",
    "--simultaneous",
    "--purpose",
    "--explain",
    "--practice",
)
COMMANDS = ("tables", "describe", "budget", "history", "connect")
_CELL = re.compile(r"%%private\b")
_LINE = re.compile(r"%private\s+(?:(describe)\s+)?\S*$")
_PURPOSE = re.compile(r"--purpose\s+\S*$")


def install(shell: InteractiveShell, connection: Connection) -> None:
    """Complete in this shell, with the tables of ``connection``."""
    remove(shell)

    @context_matcher(identifier=IDENTIFIER, priority=1000)
    def match(context: CompletionContext) -> SimpleMatcherResult:
        fragment = _fragment(context)
        words = _words(context, fragment, connection)
        low = fragment.lower()
        found = [
            SimpleCompletion(text, type=kind)
            for text, kind in dict(words).items()
            if text.lower().startswith(low)
        ]
        return {
            "completions": found,
            "suppress": bool(found),
            "matched_fragment": fragment,
        }

    shell.Completer.custom_matchers.append(match)


def remove(shell: InteractiveShell) -> None:
    """Stop completing."""
    matchers: list[Any] = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if getattr(m, "matcher_identifier", "") != IDENTIFIER]


def _fragment(context: CompletionContext) -> str:
    """The word being typed: after a dot, only what follows it."""
    return str(context.token).rpartition(".")[2]


def _words(
    context: CompletionContext, fragment: str, connection: Connection
) -> Iterable[tuple[str, str]]:
    """Words that fit at the cursor, with what each is."""
    line = context.full_text.split("\n")[context.cursor_line]
    before = line[: context.cursor_position]
    if not _CELL.match(context.full_text):
        found = _LINE.match(before)
        if found is None:
            return []
        if found[1]:
            return [(facts.name, "table") for facts in connection.tables()]
        return [(word, "command") for word in COMMANDS]
    if context.cursor_line == 0:
        if _PURPOSE.search(before):
            facts = connection.tables()
            return [(purpose, "purpose") for table in facts for purpose in table.purposes]
        return [(flag, "flag") for flag in FLAGS if fragment.startswith("-") or not fragment]
    return _names(context, before, connection.tables())


def _names(
    context: CompletionContext, before: str, tables: tuple[TableFacts, ...]
) -> Iterable[tuple[str, str]]:
    """Columns of the tables the cell mentions, or of all; after ``visits.`` only its own."""
    owner = re.search(r"(\w+)\.\w*$", before)
    if owner is not None and any(facts.name == owner[1] for facts in tables):
        tables = tuple(facts for facts in tables if facts.name == owner[1])
    else:
        mentioned = set(re.findall(r"\w+", context.full_text))
        yield from ((facts.name, "table") for facts in tables)
        tables = tuple(facts for facts in tables if facts.name in mentioned) or tables
    for facts in tables:
        yield from ((c.name, "column") for c in facts.columns if not c.withheld)
