"""Releases, catalogs, accounts and prices as tables, for notebooks and terminals.

It draws what the curator signed or told, in the same words wherever it is read:
HTML in notebooks, text elsewhere.  It computes no number: it only rounds, an estimate to the nearest shown digit and its error
upwards, so that a printed interval is never narrower than the released one.
Every string is escaped and unprintable characters are spelled out: the strings
come from a query that somebody else may have written.  It does not know IPython.
"""

from __future__ import annotations

import html as markup
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from privlab.wire.messages import (
    PRACTICE,
    Account,
    ColumnFacts,
    Explanation,
    Receipt,
    State,
    TableFacts,
)

MIME_TYPE = "application/vnd.privlab.release.v1+json"
"""The notebook output that the JupyterLab renderer draws."""

MAX_ROWS = 200
"""Rows drawn; the release itself always holds all of them."""

READING = "ε promised holds whatever you ask; ε spent, where there is a δ, is a reading, no promise"
"""Beside a budget: what an odometer tells at a δ."""
NULL = "(null)"
UNKNOWN = "unknown"
IN_RANKS = "in ranks"
"""The error of what is chosen, not added up; how many ranks, the caption says."""
_COUNTS = frozenset({"rows", "units", "distinct"})
TIMES = frozenset({"date", "datetime"})
"""Kinds of columns whose estimates are no numbers: quantiles of dates and of times."""

_CHOSEN = frozenset({"median", "quantile", "min", "max"})
_MAX_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Table:
    """What both drawings agree on: the heads, the texts, their sides, the notes below.

    right[c] is True where column ``c`` is set flush right.
    """

    title: str
    heads: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def html(result: Mapping[str, Any], receipt: Receipt | None) -> str:
    """The release as one HTML table, its caption and its cost beneath it.

    ``result`` is the bundle's result: columns, rows and half_widths as decimal
    strings, confidence, caption, title.
    """
    return table_html(layout(result, receipt))


def text(result: Mapping[str, Any], receipt: Receipt | None) -> str:
    """The release as plain text: a title, an aligned table, the notes."""
    return table_text(layout(result, receipt))


def table_html(table: Table) -> str:
    """``table`` as HTML, everything escaped.

    Only inline styles that notebook sanitizers keep; colors are inherited, so
    dark themes work.
    """
    parts = ['<div class="privlab-Release"><table>']
    if table.title:
        parts.append(
            '<caption style="caption-side:top;text-align:left;white-space:nowrap">'
            f"<strong>{_safe(table.title)}</strong></caption>"
        )
    parts.append("<thead><tr>")
    for head, right in zip(table.heads, table.right, strict=True):
        parts.append(f'<th scope="col" style="{_side(right)}">{_safe(head)}</th>')
    parts.append("</tr></thead><tbody>")
    for row in table.rows:
        cells = zip(row, table.right, strict=True)
        drawn = (f'<td style="{_side(right)}">{_safe(cell)}</td>' for cell, right in cells)
        parts.append(f"<tr>{''.join(drawn)}</tr>")
    parts.append("</tbody></table>")
    parts += [f'<div style="opacity:.85">{_safe(note)}</div>' for note in table.notes]
    parts.append("</div>")
    return "".join(parts)


def table_text(table: Table) -> str:
    """``table`` as aligned lines.  No cell can move the cursor of a terminal."""
    grid = [tuple(printable(cell) for cell in row) for row in (table.heads, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    lines = [printable(table.title)] if table.title else []
    for at, row in enumerate(grid):
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, table.right, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
        if at == 0:
            lines.append("  ".join("─" * width for width in widths))
    lines += [printable(note) for note in table.notes]
    return "\n".join(lines)


def mimebundle(bundle: str, result: Mapping[str, Any], receipt: Receipt | None) -> dict[str, Any]:
    """Everything a frontend may want to draw, keyed by media type.

    The signed bundle travels as an opaque string: JupyterLab rewrites JSON
    numbers on save, and a signature must outlive that.
    """
    value: dict[str, Any] = {"bundle": bundle}
    if receipt is not None:
        value["receipt"] = receipt.model_dump(mode="json")
    return {
        MIME_TYPE: value,
        "text/html": html(result, receipt),
        "text/plain": text(result, receipt),
    }


def layout(result: Mapping[str, Any], receipt: Receipt | None) -> Table:
    """Texts in place: each estimate is followed by a column for its error."""
    columns: Sequence[Mapping[str, Any]] = result["columns"]
    spread = f"±{percent(str(result['confidence']))}"
    heads: list[str] = []
    right: list[bool] = []
    for column in columns:
        estimate = is_estimate(column)
        heads.append(str(column["name"]))
        right.append(estimate or column.get("kind") in {"int", "float"})
        if estimate:
            heads.append(spread)
            right.append(True)
    rows = []
    for values, widths in zip(
        result["rows"][:MAX_ROWS], result["half_widths"][:MAX_ROWS], strict=True
    ):
        cells: list[str] = []
        for column, value, width in zip(columns, values, widths, strict=True):
            if is_estimate(column):
                cells += estimate_cells(column, value, width)
            else:
                cells.append(NULL if value is None else str(value))
        rows.append(tuple(cells))
    hidden = max(0, len(result["rows"]) - MAX_ROWS)
    notes = [f"… and {hidden:,} more rows; .frame holds all"] if hidden else []
    if result.get("caption"):
        notes.append(str(result["caption"]))
    if receipt is not None:
        notes.append(cost_words(receipt))
    title = str(result.get("title") or "")
    return Table(title, tuple(heads), tuple(right), tuple(rows), tuple(notes))


def tables_table(tables: Sequence[TableFacts]) -> Table:
    """Every table that can be asked about, and what one person can add to it."""
    rows = [
        (facts.name, facts.dataset, facts.unit_word, facts.bound, facts.rows, _about(facts))
        for facts in tables
    ]
    none = "no table has been protected yet; its owner runs: privlab protect"
    heads = ("table", "dataset", "protects", "bound", "rows", "about")
    return _left("", heads, rows, () if rows else (none,))


def describe_table(facts: TableFacts) -> Table:
    """One table: what is protected, and each column's type, use and stated range or keys."""
    purposes = ", ".join(facts.purposes) or "none, so every question is refused"
    notes = [f"each {facts.unit_word} ({facts.unit}) is protected: {facts.bound}"]
    if facts.rows:
        notes.append(f"rows: {facts.rows}")
    notes.append(f"purposes: {purposes}")
    if facts.currency == "pure":
        notes.append("pure: losses are epsilons and add; a finer answer is paid in full")
    if _about(facts):
        notes.append(_about(facts))
    heads = ("column", "type", "use", "stated", "about")
    rows = [(c.name, c.kind, _use(c), c.facts, c.about) for c in facts.columns]
    return _left(f"{facts.dataset}.{facts.name}, version {facts.version}", heads, rows, notes)


def budget_table(state: State) -> Table:
    """One line per dataset: what is left, what is promised as epsilon, and the curator's words.

    Where there is a delta, the epsilon of what is spent is only a reading.
    """
    rows = tuple(
        (a.dataset, percent(a.left_share), a.epsilon_granted, a.delta, a.epsilon_spent)
        for a in state.accounts
    )
    notes = [f"{a.dataset}: {a.words}" for a in state.accounts if _is_news(a)]
    if any(a.delta != "0" for a in state.accounts):
        notes.append(READING)
    if not rows:
        notes = ["you have no grant on any dataset; ask its steward for one"]
    heads = ("dataset", "left", "ε promised", "at δ", "ε spent")
    right = (False, True, True, True, True)
    return Table(f"Privacy budget of {state.principal}", heads, right, rows, tuple(notes))


def price_table(explanation: Explanation, confidence: str) -> Table:
    """A price before it is paid, per column and in total; ``confidence`` in percent."""
    rows = tuple(
        (
            column.name,
            column.label,
            "held" if column.held else percent(column.share),
            _thousands(column.half_width.removeprefix("±").strip()),
        )
        for column in explanation.columns
    )
    heads = ("column", "what it is", "share of your grant", f"±{percent(confidence)}")
    notes = [explanation.words] if explanation.words else []
    notes += [f"cheaper: {one}" for one in explanation.cheaper]
    return Table("Nothing was spent", heads, (False, False, True, True), rows, tuple(notes))


def _thousands(amount: str) -> str:
    """An amount, maybe with its unit, with thousands commas: ``13,306``, ``1,550 ranks``."""
    digits = len(amount) - len(amount.lstrip("0123456789"))
    return f"{int(amount[:digits]):,}{amount[digits:]}" if digits else amount


def practice_table(result: Mapping[str, Any], explanation: Explanation) -> Table:
    """An answer about invented rows: that it is one stands above and below the numbers."""
    drawn = layout(result, None)
    title = f"{PRACTICE} ({drawn.title})" if drawn.title else PRACTICE
    price = f"the real answer: {explanation.words}; this one cost nothing and is not recorded"
    return replace(drawn, title=title, notes=(*drawn.notes, price))


def is_estimate(column: Mapping[str, Any]) -> bool:
    """Whether the column holds noisy numbers, which have an error to show."""
    return str(column["label"]) != "key"


def estimate_cells(
    column: Mapping[str, Any], value: str | None, half_width: str | None
) -> tuple[str, str]:
    """One estimate and its error, as shown.

    A count below zero is noise, so 0 is shown first and the estimate after it.
    """
    if value is None:
        return UNKNOWN, ""
    if column.get("kind") in TIMES:
        return value, IN_RANKS
    decimals = min(int(column.get("decimals") or 0), _MAX_DECIMALS)
    estimate = Fraction(value)
    shown = number(estimate, decimals)
    if half_width is None:
        error = IN_RANKS if column["label"] in _CHOSEN else UNKNOWN
    else:
        error = number(Fraction(half_width), decimals, up=True)
    if column["label"] in _COUNTS and estimate < 0:
        within = "" if half_width is None else f" ± {error}"
        shown = f"0 (estimate {shown}{within})"
    return shown, error


def number(value: Fraction, decimals: int, *, up: bool = False) -> str:
    """Decimal digits with thousands commas and a real minus sign.

    Rounds half to even, or up (towards plus infinity) when ``up`` is set.
    """
    step = 10**decimals
    scaled = math.ceil(value * step) if up else round(value * step)
    whole, part = divmod(abs(scaled), step)
    digits = f"{whole:,}" + (f".{part:0{decimals}d}" if decimals else "")
    return f"−{digits}" if scaled < 0 else digits


def percent(share: str) -> str:
    """A share as people write it: ``93`` and ``93%`` both become ``93 %``."""
    return f"{share.strip().removesuffix('%').strip()}\N{NO-BREAK SPACE}%"


def cost_words(receipt: Receipt) -> str:
    """What this answer cost and what is left, in the curator's words if it sent any.

    Percents are of the asker's own grant and add; "more like this" counts how
    often the same charge fits into what is left.
    """
    if receipt.words:
        return receipt.words
    left = f"{percent(receipt.left_share)} left"
    charged = int(receipt.charged)
    if receipt.free or charged == 0:
        return f"cost nothing: you already held this; {left} on {receipt.dataset}"
    more = max(0, int(receipt.granted) - int(receipt.spent)) // charged
    return (
        f"cost {percent(receipt.charged_share)} of your grant on {receipt.dataset}; {left}; "
        f"about {more:,} more like this; twice as precise costs four times"
    )


def _left(
    title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], notes: Sequence[str]
) -> Table:
    return Table(title, heads, (False,) * len(heads), tuple(rows), tuple(notes))


def _about(facts: TableFacts) -> str:
    """The contract's line about the table; that it is made up is said, and once."""
    if not facts.synthetic or "synthetic" in facts.about.lower():
        return facts.about
    return f"synthetic; {facts.about}".removesuffix("; ")


def _use(column: ColumnFacts) -> str:
    if column.withheld:
        return "withheld"
    return "group key" if column.key else ""


def _is_news(account: Account) -> bool:
    """Whether the words say more than the percentage beside them."""
    return account.words not in ("", f"{account.left_share} left")


def _safe(words: str) -> str:
    return markup.escape(printable(words), quote=True)


def _side(right: bool) -> str:
    return f"text-align:{'right' if right else 'left'}"


def printable(words: str) -> str:
    """Spell out what would not show: control characters, and marks that reorder text."""
    kept = (c if c.isprintable() or c == "\N{NO-BREAK SPACE}" else repr(c)[1:-1] for c in words)
    return "".join(kept)
