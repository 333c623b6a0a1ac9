"""What the parts of the ledger share: the file, the record, and one kind of deed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from privlab.ledger.record import Record
from privlab.ledger.sqlite import Database
from privlab.terms.loss import NOTHING, Loss


class Book:
    """A file and its record."""

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
