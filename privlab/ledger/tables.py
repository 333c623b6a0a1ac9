"""Which table versions exist, and what each dataset's privacy unit and currency are."""

from __future__ import annotations

from collections.abc import Iterable

from privlab.errors import BadContract, IntegrityError
from privlab.ledger.custody import Place
from privlab.ledger.record import Book
from privlab.terms.loss import Currency


class Tables(Book):
    """Versions only rise, and a dataset's unit and currency never change."""

    def register_table(
        self,
        dataset: str,
        table: str,
        version: int,
        unit: str,
        manifest_sha256: str,
        by: str,
        currency: Currency = Currency.GDP,
    ) -> None:
        """Record a table version.  The same version with the same manifest is no change.

        unit: the privacy unit, and currency: what losses are counted in, the same
        for all tables of a dataset and for ever.  manifest_sha256: 64 hex digits.

        :raises BadContract: PL150, another unit or another currency.
        :raises IntegrityError: PL405, the version is not newer than all before.
        """
        manifest = bytes.fromhex(manifest_sha256)
        fixed = (unit, str(currency))
        if (version, manifest) == self._latest(dataset, table) and self._fixed(dataset) == fixed:
            return
        with self._deed(by, "register", dataset, subject=f"{table} {version}"):
            self.check_dataset(dataset, unit, currency)
            if self._fixed(dataset) is None:
                self._db.execute("INSERT INTO dataset VALUES (?, ?, ?)", (dataset, *fixed))
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

    def succeed(
        self,
        by: str,
        action: str,
        dataset: str,
        versions: Iterable[tuple[str, int, str]],
        subject: str,
        shredded: Iterable[Place] = (),
    ) -> None:
        """Record versions that were made of earlier ones, all or none, and what goes with it.

        versions: table, version and the manifest's SHA-256 in hex.  shredded: places whose
        keys are destroyed next, or at the next start.

        :raises IntegrityError: PL405, a version is not the next one of a table that there is.
        """
        with self._deed(by, action, dataset, subject=subject):
            for table, version, digest in versions:
                newest = self._latest(dataset, table)
                if newest is None or version != newest[0] + 1:
                    raise IntegrityError(
                        f"version {version} of {table} does not follow the newest one",
                        code="PL405",
                        hint="a version is never replaced: do it again",
                    )
                row = (dataset, table, version, bytes.fromhex(digest))
                self._db.execute("INSERT INTO table_version VALUES (?, ?, ?, ?)", row)
            for place in shredded:
                self._db.execute("INSERT OR IGNORE INTO shredded VALUES (?, ?, ?, ?)", place)

    def check_dataset(self, dataset: str, unit: str, currency: Currency) -> None:
        """Return when a table of this unit and currency may belong to the dataset.

        :raises BadContract: PL150, another unit or another currency.
        """
        old_unit, old_currency = self._fixed(dataset) or (unit, str(currency))
        if old_unit != unit:
            raise BadContract(
                f"the privacy unit of {dataset} is {old_unit} and stays {old_unit}",
                facts={"in the contract": unit, "registered": old_unit},
                hint="a table about other units belongs to another dataset",
            )
        if old_currency != currency:
            raise BadContract(
                f"the privacy of {dataset} is {old_currency} and stays {old_currency}",
                facts={"in the contract": str(currency), "registered": old_currency},
                hint=f'write privacy = "{old_currency}" under [table]; losses of the two kinds '
                "do not add up, so a dataset has one of them for its life",
            )

    def versions(self) -> dict[tuple[str, str], int]:
        """The newest version of every table, by (dataset, table)."""
        return {name: version for name, (version, _) in self._newest().items()}

    def manifests(self) -> dict[tuple[str, str], str]:
        """The SHA-256 of every newest version's manifest in hex, by (dataset, table)."""
        return {name: manifest.hex() for name, (_, manifest) in self._newest().items()}

    def every_version(self) -> dict[tuple[str, str, int], str]:
        """The SHA-256 of every version's manifest in hex, by (dataset, table, version)."""
        rows = self._db.rows(
            "SELECT dataset, name, version, manifest FROM table_version"
            " ORDER BY dataset, name, version"
        )
        return {(row[0], row[1], row[2]): row[3].hex() for row in rows}

    def _newest(self) -> dict[tuple[str, str], tuple[int, bytes]]:
        rows = self._db.rows(
            "SELECT dataset, name, version, manifest FROM table_version"
            " ORDER BY dataset, name, version"
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    def _fixed(self, dataset: str) -> tuple[str, str] | None:
        """Its unit and its currency; None before its first table."""
        row = self._db.row("SELECT unit, currency FROM dataset WHERE name = ?", (dataset,))
        return (row[0], row[1]) if row else None

    def _latest(self, dataset: str, table: str) -> tuple[int, bytes] | None:
        row = self._db.row(
            "SELECT version, manifest FROM table_version WHERE dataset = ? AND name = ?"
            " ORDER BY version DESC LIMIT 1",
            (dataset, table),
        )
        return (row[0], row[1]) if row else None
