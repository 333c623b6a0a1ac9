"""What a principal asked, in her words: sealed by month, so that a month's words can go.

The charge, its sums and the record stay when the words are gone; so do the vectors that
were bought.  The signed bundle and the stored reply quote the question, and go with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from privlab.errors import IntegrityError
from privlab.ledger.accounts import ChargeRequest, Past
from privlab.ledger.held import Held
from privlab.ledger.sqlite import Database, Row
from privlab.query.encoding import canonical_text
from privlab.terms.loss import Loss

GONE = {"title": "", "text": "", "purpose": ""}
"""The words of a question that a schedule deleted."""


class Asked(Held):
    """The history of each principal, and what she was interrupted in."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        super().__init__(database, clock)
        self._running: set[tuple[str, str]] = set()

    def history(self, principal: str, limit: int) -> tuple[Past, ...]:
        """The principal's releases, newest first.  Words that were deleted are empty."""
        return tuple(map(self._past, self._db.rows(_HISTORY, (principal, limit))))

    def interrupted(self, principal: str) -> tuple[Past, ...]:
        """Her charged requests that are neither sealed nor running, newest first."""
        with self._db.lock:
            rows = self._db.rows(_INTERRUPTED, (principal,))
            running = set(self._running)
        past = map(self._past, rows)
        return tuple(one for one in past if (principal, one.request_id) not in running)

    def any_words(self, texts: str) -> bool:
        """Whether the words of some question that were sealed under this can be read."""
        row = self._db.row("SELECT seq, words FROM charge WHERE texts = ? LIMIT 1", (texts,))
        return row is not None and self._unsealed("", f"words {row[0]}", row[1], texts) is not None

    def _sealed_words(self, ask: ChargeRequest, seq: int, at: str) -> tuple[str, bytes]:
        """Under what they are sealed, and the sealed words."""
        texts = self.rest.texts(ask.dataset, at)
        words = {"title": ask.title, "text": ask.text, "purpose": ask.purpose}
        plain = canonical_text(words).encode("utf-8")
        return texts, self.rest.seal("", f"words {seq}", plain, texts)

    def _texts(self, seq: int) -> str:
        """Under what the words of a charge are sealed."""
        row = self._db.row("SELECT texts FROM charge WHERE seq = ?", (seq,))
        return str(row[0]) if row else ""

    def _past(self, row: Row) -> Past:
        seq, request_id, at, dataset, cost, texts, sealed = row
        plain = self._unsealed("", f"words {seq}", sealed, texts)
        try:
            words = GONE if plain is None else json.loads(plain)
            return Past(
                request_id,
                at,
                dataset,
                words["title"],
                words["text"],
                Loss(cost),
                words["purpose"],
            )
        except (ValueError, KeyError, TypeError):
            raise IntegrityError("the ledger holds words that it did not write") from None


_HISTORY = """
SELECT seq, request_id, at, dataset, cost, texts, words FROM charge
WHERE principal = ? AND seq IN (SELECT charge FROM release)
ORDER BY seq DESC LIMIT ?"""

_INTERRUPTED = """
SELECT seq, request_id, at, dataset, cost, texts, words FROM charge
WHERE principal = ? AND seq NOT IN (SELECT charge FROM release)
ORDER BY seq DESC"""
