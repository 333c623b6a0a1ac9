"""What the ledger knows of keys: how far the keychain has come, and what was shredded.

No key is here.  The generation catches a keychain that was put back; a shredded
place is remembered before its key is destroyed, so that a deed that was cut short is
ended at the next start.
"""

from __future__ import annotations

from collections.abc import Iterable

from privlab.ledger.record import Book

Place = tuple[str, str, int, str]
"""Dataset, table, version and column; the column "" is the version's footer."""


class Keys(Book):
    """Every deed on keys, and its entry."""

    def keychain_generation(self) -> int:
        """The highest generation that was ever seen; 0 before the first."""
        row = self._db.row("SELECT coalesce(max(generation), 0) FROM keychain")
        return int(row[0]) if row else 0

    def see_keychain(self, generation: int) -> None:
        """Remember a generation, if it is new."""
        with self._db.writing():
            self._see(generation)

    def key_deed(
        self, by: str, action: str, generation: int, *, dataset: str = "", subject: str = ""
    ) -> None:
        """Record a deed on keys: one entry, and the generation it left."""
        with self._deed(by, action, dataset, subject=subject):
            self._see(generation)

    def shred(self, by: str, dataset: str, subject: str, places: Iterable[Place]) -> None:
        """Remember, for good, that these places are shredded.  Comes before their keys go.

        subject: what was named, for the record.
        """
        with self._deed(by, "key-shred", dataset, subject=subject):
            for place in places:
                self._db.execute("INSERT OR IGNORE INTO shredded VALUES (?, ?, ?, ?)", place)

    def shredded(self) -> frozenset[Place]:
        """Everything that was ever to be shredded."""
        rows = self._db.rows("SELECT dataset, name, version, column_name FROM shredded")
        return frozenset((row[0], row[1], row[2], row[3]) for row in rows)

    def _see(self, generation: int) -> None:
        if generation > self.keychain_generation():
            self._db.execute("INSERT INTO keychain VALUES (?)", (generation,))
