"""The one connection of a notebook, made when it is first needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from privlab.client.session import Session
from privlab.errors import CuratorUnreachable, PrivlabError
from privlab.wire.messages import TableFacts

TABLES_SECONDS = 60.0
"""How long a list of tables serves completion before it is read again."""

T = TypeVar("T")


class Connection:
    """Remembers the session and, for completion, the tables it offers."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._tables: tuple[TableFacts, ...] = ()
        self._read_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a curator has been found already."""
        return self._session is not None

    def open(self, url: str | None = None) -> Session:
        """The session; found, started and checked if there is none, or if ``url`` is given.

        :raises CuratorUnreachable: PL300, PL303, PL304.
        """
        if self._session is None or url is not None:
            fresh = Session.connect(url)
            self.close()
            self._session = fresh
        return self._session

    def read(self, what: Callable[[Session], T]) -> T:
        """``what`` of the session, which must change nothing.

        A curator that went idle has left its socket; it is started again, once.
        """
        was_open = self.is_open
        try:
            return what(self.open())
        except CuratorUnreachable as away:
            if not was_open or away.code != "PL300":
                raise
        self.close()
        return what(self.open())

    def tables(self) -> tuple[TableFacts, ...]:
        """What may be asked about, for completion: a minute old at most, or empty."""
        if not self._read_at or time.monotonic() - self._read_at > TABLES_SECONDS:
            try:
                found = self.read(Session.tables)
            except PrivlabError:
                found = ()
            self._tables, self._read_at = found, time.monotonic()
        return self._tables

    def close(self) -> None:
        """Forget the session and what it said."""
        if self._session is not None:
            self._session.close()
        self._session = None
        self._tables = ()
        self._read_at = 0.0
