"""What a principal holds: measurements and answers, unsealed as they are read."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from privlab.errors import IntegrityError
from privlab.ledger.accounts import Sealed
from privlab.ledger.record import Book
from privlab.ledger.rest import InTheClear, Rest, is_shredded
from privlab.ledger.sqlite import Database
from privlab.query.labels import read_labels
from privlab.terms.groups import ShownGroups
from privlab.terms.noise import mechanism_of
from privlab.views.measurement import Measurement

_MEASUREMENTS = """
SELECT seq, source, view_id, release.at, law, multiplier, shift, vector, threshold, labels
FROM measurement
JOIN charge ON seq = measurement.charge
JOIN release ON release.charge = seq
LEFT JOIN shown ON shown.charge = seq
WHERE principal = ? AND view_id IN (SELECT value FROM json_each(?))
ORDER BY"""


class Held(Book):
    """Everything here is without what was shredded: that is held by nobody.

    rest: how it is sealed; `boot` sets it once there are keys.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        super().__init__(database, clock)
        self.rest: Rest = InTheClear()

    def held(self, principal: str, view_id: str) -> tuple[Measurement, ...]:
        """Every sealed measurement of the view that this principal paid for, oldest first.

        :raises IntegrityError: PL404, a row was changed.
        """
        return tuple(found for _, found, _ in self._measured(principal, [view_id], "seq"))

    def sealed(
        self, principal: str, views: Sequence[str]
    ) -> tuple[tuple[str, Measurement, str], ...]:
        """(view id, measurement, time) of all that she has of these views, as they were sealed.

        That order never changes: a charge that was resumed is sealed when it is
        answered, after what was answered before.

        :raises IntegrityError: PL404, a row was changed.
        """
        return tuple(self._measured(principal, views, "measurement.rowid"))

    def released(self, principal: str, question_id: str, purpose: str) -> tuple[Sealed, ...]:
        """This principal's releases of the question for the purpose, newest first.

        :raises IntegrityError: PL404, a row was changed.
        """
        rows = self._db.rows(
            "SELECT request_id, seq, source, texts, bundle, confidence FROM release"
            " JOIN charge ON seq = charge"
            " WHERE principal = ? AND question_id = ? AND purpose = ? ORDER BY seq DESC",
            (
                principal,
                self.rest.name("question", question_id),
                self.rest.name("purpose", purpose),
            ),
        )
        found = []
        for request_id, seq, source, texts, sealed, confidence in rows:
            text = self._unsealed(source, f"bundle {seq}", sealed, texts)
            if text is not None:
                found.append(Sealed(request_id, text.decode("utf-8"), confidence))
        return tuple(found)

    def bundle(self, principal: str, request_id: str) -> str | None:
        """The signed text of one of this principal's releases.

        :raises IntegrityError: PL411, what it was made from was shredded; PL404, it was
            changed.
        """
        row = self._db.row(
            "SELECT seq, source, texts, bundle FROM release JOIN charge ON seq = charge"
            " WHERE principal = ? AND request_id = ?",
            (principal, request_id),
        )
        if row is None:
            return None
        seq, source, texts, sealed = row
        return self.rest.unseal(source, f"bundle {seq}", sealed, texts).decode("utf-8")

    def _measured(
        self, principal: str, views: Sequence[str], order: str
    ) -> Iterator[tuple[str, Measurement, str]]:
        named = {self.rest.name("view", view): view for view in views}
        rows = self._db.rows(f"{_MEASUREMENTS} {order}", (principal, json.dumps(list(named))))
        for seq, source, view, at, *noise, vector, threshold, labels in rows:
            plain = self._unsealed(source, f"vector {seq} {view}", vector)
            if plain is None:
                continue
            groups = None
            if labels is not None:
                shown = self.rest.unseal(source, f"groups {seq}", labels)
                groups = _groups(threshold, shown)
            yield named[view], Measurement(mechanism_of(*noise), _unpack(plain), groups), at

    def _unsealed(self, source: str, label: str, sealed: bytes, texts: str = "") -> bytes | None:
        """The plain bytes; None when what they were made from was shredded."""
        try:
            return self.rest.unseal(source, label, sealed, texts)
        except IntegrityError as error:
            if is_shredded(error):
                return None
            raise


def pack(values: Sequence[int]) -> bytes:
    """A released vector as int64, little-endian."""
    return struct.pack(f"<{len(values)}q", *values)


def _unpack(vector: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(vector) // 8}q", vector)


def _groups(threshold: int, labels: bytes) -> ShownGroups:
    """Which groups a threshold showed, as `Ledger.settle` wrote them.

    :raises IntegrityError: PL400, they are written in another way.
    """
    try:
        return ShownGroups(threshold, read_labels(json.loads(labels)))
    except ValueError:
        raise IntegrityError("the ledger holds groups that it did not write") from None
