"""What ``%private`` shows: tables, one table, the budget, the history, a price.

Each is a `Page`, which every frontend can draw: HTML where there is any, text
elsewhere.  The words are the curator's; `client.show` puts them into the columns
that the command line has too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from privlab.client.bounds import Bounds
from privlab.client.show import (
    Table,
    budget_table,
    describe_table,
    percent,
    price_table,
    table_html,
    table_text,
    tables_table,
)
from privlab.wire.messages import Explanation, Hello, Released, State, TableFacts

LINE = 72
"""Characters of a question shown in the history."""


@dataclass(frozen=True, slots=True)
class Page:
    """Tables under each other, in HTML and in text."""

    tables: tuple[Table, ...]

    def __repr__(self) -> str:
        return "\n\n".join(table_text(table) for table in self.tables)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            "text/html": "".join(table_html(table) for table in self.tables),
            "text/plain": repr(self),
        }


def tables_page(tables: Sequence[TableFacts]) -> Page:
    """Every table that can be asked about, and what one person can add to it."""
    table = tables_table(tables)
    if tables:
        table = replace(table, notes=(*table.notes, "%private describe TABLE shows its columns"))
    return Page((table,))


def describe_page(facts: TableFacts) -> Page:
    """One table: what is protected, and each column's type, use and range."""
    return Page((describe_table(facts),))


def bounds_page(bounds: Bounds) -> Page:
    """The bounds of one column as they are now, and what was paid."""
    rows = ((bounds.column.name, bounds.column.facts),)
    receipt = bounds.release.receipt
    paid = () if receipt is None else (receipt.words,)
    stay = "bounds that were found stay, until you ask for new ones with --again"
    if bounds.time > 1:
        stay = (
            f"--again {bounds.time} is this measurement: with its number, running it again is free"
        )
    notes = (stay, *paid)
    return Page(
        (Table(f"Bounds in {bounds.table}", ("column", "known"), (False, False), rows, notes),)
    )


def budget_page(state: State) -> Page:
    """One line per dataset: what is left, also as epsilon, and the curator's words."""
    return Page((budget_table(state),))


def history_page(releases: Sequence[Released]) -> Page:
    """The releases, newest first, with what each cost."""
    rows = [
        (
            _moment(released.at),
            released.title,
            released.dataset,
            _cost(released),
            _first_line(released.question),
        )
        for released in releases
    ]
    heads = ("at", "title", "dataset", "cost", "question")
    right = (False, False, False, True, False)
    notes = () if rows else ("nothing asked yet",)
    return Page((Table("Releases", heads, right, tuple(rows), notes),))


def explain_page(explanation: Explanation, confidence: str = "95") -> Page:
    """A price before it is paid: per column, in total, and the plan it is for."""
    plan = tuple((_indented(line),) for line in explanation.plan.splitlines())
    return Page((price_table(explanation, confidence), Table("", ("plan",), (False,), plan)))


def connected_page(hello: Hello, why: str) -> Page:
    """Which curator answers, and why it is this one."""
    rows = (
        ("workspace", hello.workspace),
        ("chosen because", why),
        ("you are", f"{hello.principal} ({', '.join(hello.roles)})"),
        ("boundary", hello.tier),
        ("curator's key", hello.key),
    )
    return Page((Table("Connected", ("", ""), (False, False), rows),))


def _cost(released: Released) -> str:
    return "free" if released.charged == "0" else percent(released.charged_share)


def _indented(line: str) -> str:
    """HTML drops leading blanks unless they are no-break spaces."""
    bare = line.lstrip(" ")
    return "\N{NO-BREAK SPACE}" * (len(line) - len(bare)) + bare


def _moment(at: str) -> str:
    """An ISO time to the minute, or the text as it came."""
    try:
        return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M %Z").rstrip()
    except ValueError:
        return at


def _first_line(question: str) -> str:
    """The first line that says something, cut to what fits beside four columns."""
    line = next((line.strip() for line in question.splitlines() if line.strip()), "")
    return line if len(line) <= LINE else f"{line[: LINE - 1]}…"
