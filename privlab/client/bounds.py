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

MOST_TIMES = 9
"""How often they may be measured anew, the first time included: that of ``query/histogram.py``."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is known of a column now, and the histogram that was asked for: which time it was."""

    table: str
    column: ColumnFacts
    release: Release
    time: int = 1

    def __repr__(self) -> str:
        return f"{self.table}.{self.column.name}: {self.column.facts}"


def measure_bounds(
    session: Session,
    name: str,
    *,
    price: Price = DEFAULT_PRICE,
    purpose: str = "exploration",
    on_phase: OnPhase | None = None,
    again: int | bool = False,
) -> Bounds:
    """Buy the sizes of ``table.column``; questions without a clip have bounds from then on.

    What was found first stays, however often this is asked; a price that was paid
    before is free.  again: have them measured anew and replaced, which is paid in full;
    2 to 9, which time it is, is free when it was paid before; True is the next time.

    :raises BadQuery: PL102 no such table, PL104 no such column, PL112 no name of both, or
        the contract states the column's range, so that nothing is to be measured, or
        that time is not the next.
    :raises PrivlabError: as `Session.ask`.
    """
    text = histogram(session, name, again)
    release = session.ask(text, price=price, purpose=purpose, on_phase=on_phase)
    table, column = _split(name)
    known = _column(session.describe(table), column)
    return Bounds(table, known, release, known.measured if again is True else int(again) or 1)


def histogram(session: Session, name: str, again: int | bool = False) -> str:
    """The question that measures the bounds of ``table.column``; ``again`` as there.

    :raises BadQuery: as `measure_bounds`.
    """
    table, column = _split(name)
    facts = session.describe(table)
    known = _column(facts, column)
    which = known.measured + 1 if again is True else int(again) or 1
    asked = question((facts.dataset, facts.name), column, facts.unit, which)
    if known.stated:
        raise BadQuery(
            f"the contract states the range of {name} already",
            code="PL112",
            hint=f"ask about it as it is; how its values lie shows: {asked}",
        )
    if not 1 <= which <= min(known.measured + 1, MOST_TIMES):
        raise BadQuery(
            f"the bounds of {name} were measured {known.measured} times so far, of {MOST_TIMES} at most",
            code="PL112",
            hint=f"--again {known.measured + 1} is the next"
            if known.measured < MOST_TIMES
            else "write them into the question: LEAST(GREATEST(x, 0), 60)",
        )
    return asked


def _split(name: str) -> tuple[str, str]:
    table, _, column = name.rpartition(".")
    if table and column:
        return table, column
    raise BadQuery(
        f"{name!r} is not a column of a table", code="PL112", hint=f"name both: TABLE.{name}"
    )


def question(table: tuple[str, str], column: str, unit: str, which: int = 1) -> str:
    """The SQL of it, for a table by dataset and name; every name in quotes."""
    of, by, *names = ('"' + one.replace('"', '""') + '"' for one in (column, unit, *table))
    anew = f", {which}" if which > 1 else ""
    columns = f"MAGNITUDE({of}{anew}) AS bin, COUNT(DISTINCT {by}) AS n"
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
