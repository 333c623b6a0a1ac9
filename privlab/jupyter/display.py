"""What ``%private`` shows: tables, one table, the budget, the history, a price.

Each is a `Page`, which every frontend can draw: HTML where there is any, text
elsewhere.  The words are the curator's; this module puts them into columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from privlab.client.show import Table, percent, table_html, table_text
from privlab.wire.messages import (
    Account,
    ColumnFacts,
    Explanation,
    Hello,
    Released,
    State,
    TableFacts,
)

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
    rows = [
        (
            facts.name,
            facts.dataset,
            facts.unit_word,
            facts.bound,
            facts.rows,
            _about(facts),
        )
        for facts in tables
    ]
    notes = ("%private describe TABLE shows its columns",) if rows else _NO_TABLES
    heads = ("table", "dataset", "protects", "bound", "rows", "about")
    return Page((_left("", heads, rows, notes),))


def describe_page(facts: TableFacts) -> Page:
    """One table: what is protected, and each column's kind, range and use."""
    purposes = ", ".join(facts.purposes)
    notes = (
        f"each {facts.unit_word} ({facts.unit}) is protected: {facts.bound}",
        *((f"rows: {facts.rows}",) if facts.rows else ()),
        *((f"purposes: {purposes}",) if purposes else ()),
        *((_about(facts),) if _about(facts) else ()),
    )
    heads = ("column", "kind", "range", "use", "about")
    rows = [(c.name, c.kind, c.facts, _use(c), c.about) for c in facts.columns]
    title = f"{facts.dataset}.{facts.name}, version {facts.version}"
    return Page((_left(title, heads, rows, notes),))


def budget_page(state: State) -> Page:
    """One line per dataset: what is left, also as epsilon, and the curator's words."""
    rows = [_account(account) for account in state.accounts]
    notes = [f"{a.dataset}: {a.words}" for a in state.accounts if _is_news(a)]
    if not rows:
        notes = ["you have no grant on any dataset; ask its steward for one"]
    heads = ("dataset", "left", "ε spent", "ε granted", "δ")
    right = (False, True, True, True, True)
    title = f"Privacy budget of {state.principal}"
    return Page((Table(title, heads, right, tuple(rows), tuple(notes)),))


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


def explain_page(explanation: Explanation) -> Page:
    """A price before it is paid: per column, in total, and the plan it is for."""
    rows = tuple(
        (
            column.name,
            column.label,
            "held" if column.held else percent(column.share),
            _error(column.half_width),
        )
        for column in explanation.columns
    )
    price = Table(
        "Nothing was spent",
        ("column", "what it is", "share of your grant", "error"),
        (False, False, True, True),
        rows,
        (explanation.words,) if explanation.words else (),
    )
    plan = [(_indented(line),) for line in explanation.plan.splitlines()]
    return Page((price, _left("", ("plan",), plan, ())))


def connected_page(hello: Hello, why: str) -> Page:
    """Which curator answers, and why it is this one."""
    rows = (
        ("workspace", hello.workspace),
        ("chosen because", why),
        ("you are", f"{hello.principal} ({', '.join(hello.roles)})"),
        ("boundary", hello.tier),
        ("curator's key", hello.key),
    )
    return Page((_left("Connected", ("", ""), rows, ()),))


_NO_TABLES = ("no table has been protected yet; its owner runs: privlab protect",)


def _left(
    title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: tuple[str, ...]
) -> Table:
    return Table(title, heads, (False,) * len(heads), tuple(rows), notes)


def _account(account: Account) -> tuple[str, ...]:
    return (
        account.dataset,
        percent(account.left_share),
        account.epsilon_spent,
        account.epsilon_granted,
        account.delta,
    )


def _about(facts: TableFacts) -> str:
    return f"synthetic; {facts.about}".removesuffix("; ") if facts.synthetic else facts.about


def _use(column: ColumnFacts) -> str:
    if column.withheld:
        return "withheld"
    return "group key" if column.key else ""


def _cost(released: Released) -> str:
    return "free" if released.charged == "0" else percent(released.charged_share)


def _error(half_width: str) -> str:
    return f"±{half_width.removeprefix('±').strip()}" if half_width else ""


def _indented(line: str) -> str:
    """HTML drops leading blanks unless they are no-break spaces."""
    bare = line.lstrip(" ")
    return "\N{NO-BREAK SPACE}" * (len(line) - len(bare)) + bare


def _is_news(account: Account) -> bool:
    """Whether the words say more than the percentage beside them."""
    return account.words not in ("", f"{account.left_share} left")


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
