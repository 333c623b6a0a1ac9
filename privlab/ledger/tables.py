"""Which table versions exist, and what each dataset's privacy unit is."""

from __future__ import annotations

from privlab.errors import BadContract, IntegrityError
from privlab.ledger.record import Book


class Tables(Book):
    """Versions only rise, and a dataset's unit never changes."""

    def register_table(
        self, dataset: str, table: str, version: int, unit: str, manifest_sha256: str, by: str
    ) -> None:
        """Record a table version.  The same version with the same manifest is no change.

        unit: the privacy unit, the same for all tables of a dataset and for ever.
        manifest_sha256: 64 hex digits.

        :raises BadContract: PL150, another unit.
        :raises IntegrityError: PL405, the version is not newer than all before.
        """
        manifest = bytes.fromhex(manifest_sha256)
        if (version, manifest) == self._latest(dataset, table) and self._unit(dataset) == unit:
            return
        with self._deed(by, "register", dataset, subject=f"{table} {version}"):
            old = self._unit(dataset)
            if old is not None and old != unit:
                raise BadContract(
                    f"the privacy unit of {dataset} is {old} and stays {old}",
                    facts={"in the contract": unit, "registered": old},
                    hint="a table about other units belongs to another dataset",
                )
            if old is None:
                self._db.execute("INSERT INTO dataset VALUES (?, ?)", (dataset, unit))
            newest, _ = self._latest(dataset, table) or (0, b"")
            if version <= newest:
                raise IntegrityError(
                    f"version {version} of {table} is not newer than version {newest}",
                    code="PL405",
                    hint="a version is never replaced: protect the file again",
                )
            self._db.execute(
                "INSERT INTO table_version VALUES (?, ?, ?, ?)", (dataset, table, version, manifest)
            )

    def versions(self) -> dict[tuple[str, str], int]:
        """The newest version of every table, by (dataset, table)."""
        return {name: version for name, (version, _) in self._newest().items()}

    def manifests(self) -> dict[tuple[str, str], str]:
        """The SHA-256 of every newest version's manifest in hex, by (dataset, table)."""
        return {name: manifest.hex() for name, (_, manifest) in self._newest().items()}

    def _newest(self) -> dict[tuple[str, str], tuple[int, bytes]]:
        rows = self._db.rows(
            "SELECT dataset, name, version, manifest FROM table_version"
            " ORDER BY dataset, name, version"
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    def _unit(self, dataset: str) -> str | None:
        row = self._db.row("SELECT unit FROM dataset WHERE name = ?", (dataset,))
        return row[0] if row else None

    def _latest(self, dataset: str, table: str) -> tuple[int, bytes] | None:
        row = self._db.row(
            "SELECT version, manifest FROM table_version WHERE dataset = ? AND name = ?"
            " ORDER BY version DESC LIMIT 1",
            (dataset, table),
        )
        return (row[0], row[1]) if row else None
