"""The record: who did what, one entry per deed, only ever longer.

An entry is written in the transaction of the deed it describes, so there is
never one without the other.  Holds no question text, data or answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from privlab.ledger.accounts import Entry
from privlab.ledger.sqlite import Database, Row
from privlab.terms.loss import NOTHING, Loss

MAX_UNITS = (1 << 63) - 1
"""The largest loss the file can hold: mu^2 or epsilon of nearly 2^15."""


class Record:
    """The entries of one ledger.  Its clock never runs backwards."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._clock = clock

    def append(
        self,
        actor: str,
        action: str,
        dataset: str,
        *,
        subject: str = "",
        outcome: str = "done",
        code: str = "",
        amount: Loss = NOTHING,
    ) -> str:
        """Add an entry inside the transaction that is open; its time as text.

        The time is the clock's, or the last entry's when the clock shows an
        earlier one: a clock set back must not reopen a window of the past.
        """
        last = self._db.row("SELECT seq, at FROM entry ORDER BY seq DESC LIMIT 1")
        seq, latest = last or (0, "")
        at: str = max(_stamp(self._clock()), latest)
        self._db.execute(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                seq + 1,
                at,
                actor,
                action,
                dataset,
                subject,
                outcome,
                code,
                min(amount.units, MAX_UNITS),
            ),
        )
        return at

    def sequence(self) -> int:
        """The number of the last entry; 0 when there is none."""
        row = self._db.row("SELECT coalesce(max(seq), 0) FROM entry")
        return int(row[0]) if row else 0

    def about(self, principal: str) -> int:
        """How many entries are of this principal's deeds, or of grants to her."""
        row = self._db.row(
            "SELECT count(*) FROM entry WHERE actor = ?1 OR (subject = ?1 AND action = 'grant')",
            (principal,),
        )
        return int(row[0]) if row else 0

    def entries(self, limit: int) -> tuple[Entry, ...]:
        """The last ``limit`` entries, newest first."""
        rows = self._db.rows("SELECT * FROM entry ORDER BY seq DESC LIMIT ?", (limit,))
        return tuple(_entry(row) for row in rows)


class Book:
    """A part of the ledger: the file, the record, and the two in one transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._db = database
        self._record = Record(database, clock)

    @contextmanager
    def _deed(
        self, by: str, action: str, dataset: str, *, subject: str = "", amount: Loss = NOTHING
    ) -> Iterator[None]:
        with self._db.writing():
            yield
            self._record.append(by, action, dataset, subject=subject, amount=amount)


def _entry(row: Row) -> Entry:
    seq, at, actor, action, dataset, subject, outcome, code, amount = row
    return Entry(seq, at, actor, action, dataset, subject, outcome, code, Loss(amount))


def _stamp(now: datetime) -> str:
    """RFC 3339 in UTC with six decimals, so that text order is time order."""
    if now.tzinfo is None:
        raise ValueError("the clock needs a time zone")
    return now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
