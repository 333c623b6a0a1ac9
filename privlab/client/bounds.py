"""Bounds of a column whose contract states none: one question, and what came of it.

The question is an ordinary one, `histogram_text` of ``query/histogram.py`` in the
notebook's words; what it gave is read where the columns are described.
"""

from __future__ import annotations

from dataclasses import dataclass

from privlab.client.frames import Release
from privlab.client.session import DEFAULT_PRICE, OnPhase, Session
from privlab.errors import BadQuery
from privlab.wire.messages import ColumnFacts, Price, TableFacts


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known of a column now, and the histogram it is known from."""

    table: str
    column: ColumnFacts
    release: Release

    def __repr__(self) -> str:
        return f"{self.table}.{self.column.name}: {self.column.facts}"


def measure_bounds(
    session: Session,
    name: str,
    *,
    price: Price = DEFAULT_PRICE,
    purpose: str = "exploration",
    on_phase: OnPhase | None = None,
) -> Bounds:
    """Buy the sizes of ``table.column``; questions without a clip have bounds from then on.

    What was found first stays, however often this is asked; a price that was paid
    before is free.

    :raises BadQuery: PL102 no such table, PL104 no such column, PL112 no name of both, or
        the contract states the column's range, so that nothing is to be measured.
    :raises PrivlabError: as `Session.ask`.
    """
    text = histogram(session, name)
    release = session.ask(text, price=price, purpose=purpose, on_phase=on_phase)
    table, column = _split(name)
    return Bounds(table, _column(session.describe(table), column), release)


def histogram(session: Session, name: str) -> str:
    """The question that measures the bounds of ``table.column``.

    :raises BadQuery: PL102 no such table, PL104 no such column, PL112 no name of both.
    """
    table, column = _split(name)
    facts = session.describe(table)
    asked = question((facts.dataset, facts.name), column, facts.unit)
    if _column(facts, column).stated:
        raise BadQuery(
            f"the contract states the range of {name} already",
            code="PL112",
            hint=f"ask about it as it is; how its values lie shows: {asked}",
        )
    return asked


def _split(name: str) -> tuple[str, str]:
    table, _, column = name.rpartition(".")
    if table and column:
        return table, column
    raise BadQuery(
        f"{name!r} is not a column of a table", code="PL112", hint=f"name both: TABLE.{name}"
    )


def question(table: tuple[str, str], column: str, unit: str) -> str:
    """The SQL of it, for a table by dataset and name; every name in quotes."""
    of, by, *names = ('"' + one.replace('"', '""') + '"' for one in (column, unit, *table))
    columns = f"MAGNITUDE({of}) AS bin, COUNT(DISTINCT {by}) AS n"
    return " ".join(["SELECT", columns, "FROM", ".".join(names), "GROUP BY bin"])


def _column(facts: TableFacts, name: str) -> ColumnFacts:
    for one in facts.columns:
        if one.name == name:
            return one
    raise BadQuery(
        f"{facts.name} has no column {name}",
        code="PL104",
        hint=f"list its columns with: %private describe {facts.name}",
    )
