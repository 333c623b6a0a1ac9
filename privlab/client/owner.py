"""What an owner or a steward asks of the curator: register tables, set budgets."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from privlab._version import __version__
from privlab.client.session import Session
from privlab.errors import BadQuery
from privlab.terms.loss import Delta, Loss
from privlab.wire.catalog import CameFrom, CheckedAll, SourceOf, Stores
from privlab.wire.keys import KeyDeed, Keys, Rotate, Rotated, Shred, Shredded
from privlab.wire.owner import (
    Append,
    AppendPrepared,
    Budgets,
    DatasetFacts,
    File,
    Forget,
    ForgetPrepared,
    Forgotten,
    Part,
    Prepare,
    PrepareAppend,
    PrepareForget,
    Register,
    Registered,
)
from privlab.wire.owner import DataKeys as KeysMessage
from privlab.wire.owner import Prepared as PreparedMessage


class FileFacts(Protocol):
    """One written file."""

    @property
    def size(self) -> int: ...
    @property
    def footer_sha256(self) -> str: ...


class PartFacts(Protocol):
    """One written part; `connector.protect` makes them."""

    @property
    def bucket(self) -> int: ...
    @property
    def rows(self) -> FileFacts: ...
    @property
    def units(self) -> FileFacts: ...


class DataKeys(Protocol):
    """The keys of what was written; `connector.datakeys` makes them."""

    @property
    def columns(self) -> Mapping[str, bytes]: ...
    @property
    def buckets(self) -> Mapping[int, bytes]: ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """What protecting needs: the version's number, two secret keys, a folder."""

    dataset: str
    table: str
    version: int
    unit_key: bytes
    order_key: bytes
    folder: Path


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What naming units needs.  tables: by name, the kind of the unit's column."""

    dataset: str
    unit_key: bytes
    tables: Mapping[str, str]


class Owner:
    """A session of somebody who owns data or gives budgets; the policy decides who may."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @classmethod
    def connect(cls, url: str | None = None) -> Owner:
        """As `Session.connect`."""
        return cls(Session.connect(url))

    def prepare(self, contract_text: str) -> Prepared:
        """The next version's number, keys and folder.

        :raises BadContract: PL150, with every problem of the contract at once.
        """
        got = self.session.call(
            "POST", "/v1/owner/prepare", PreparedMessage, Prepare(contract=contract_text)
        )
        return _prepared(got)

    def register(
        self,
        prepared: Prepared,
        contract_text: str,
        parts: Iterable[PartFacts],
        keys: DataKeys,
        source: str = "",
    ) -> Registered:
        """Have the data keys wrapped and the manifest signed; the version is then live.

        source: the SHA-256 of what was read, in hex, if it has bytes of its own.

        :raises IntegrityError: a part on disk is not what ``parts`` says.
        """
        return self.session.call(
            "POST",
            "/v1/owner/register",
            Registered,
            Register(
                contract=contract_text,
                version=prepared.version,
                parts=parts_message(parts),
                keys=keys_message(keys),
                tool=f"privlab {__version__}",
                source=source,
            ),
        )

    def prepare_append(self, table: str) -> tuple[Prepared, str]:
        """What protecting more rows of a table needs, and the contract they are protected by.

        table: NAME or DATASET.NAME.

        :raises BadContract: PL152, there is none.
        """
        got = self.session.call(
            "POST", "/v1/owner/append/prepare", AppendPrepared, PrepareAppend(table=table)
        )
        return _prepared(got.prepared), got.contract

    def append(
        self,
        prepared: Prepared,
        parts: Iterable[PartFacts],
        keys: DataKeys,
        source: str = "",
    ) -> Registered:
        """Have the rows in these parts added to those there are, as the next version.

        source: as for `register`.

        :raises BadContract: PL151, together they are more than the row cap; PL153, the
            disk is full.
        """
        body = Append(
            table=f"{prepared.dataset}.{prepared.table}",
            version=prepared.version,
            parts=parts_message(parts),
            keys=keys_message(keys),
            tool=f"privlab {__version__}",
            source=source,
        )
        return self.session.call("POST", "/v1/owner/append", Registered, body, patient=True)

    def prepare_forget(self, table: str | None, dataset: str | None) -> Forgetting:
        """What naming units needs, of one table or of all of a dataset's."""
        body = PrepareForget(table=table, dataset=dataset)
        got = self.session.call("POST", "/v1/owner/forget/prepare", ForgetPrepared, body)
        return Forgetting(got.dataset, base64.b64decode(got.unit_key), got.tables)

    def forget(self, dataset: str, tables: Mapping[str, Iterable[bytes]]) -> Forgotten:
        """Have the units of these pseudonyms taken out of tables, and the keys to them destroyed.

        :raises BadContract: PL153, the disk is full.
        """
        body = Forget(
            dataset=dataset,
            tables={
                name: tuple(base64.b64encode(one).decode() for one in units)
                for name, units in tables.items()
            },
        )
        return self.session.call("POST", "/v1/owner/forget", Forgotten, body, patient=True)

    def set_budget(
        self,
        dataset: str,
        cap: Loss,
        delta: Fraction,
        grants: Mapping[str, Loss],
        thresholds: Delta | None = None,
    ) -> DatasetFacts:
        """Set the dataset's cap and the analysts' grants, once the policy allows all of them.

        delta: 0 for a pure dataset, and for no other.  thresholds: the part of it that
        showing groups of unknown keys may use up, shared out as the cap is; None leaves
        it as it is, which is nothing at first.

        :raises BadQuery: PL108, delta is not a probability.
        :raises Refused: the policy forbids it, or an amount is below what is spent.
        """
        if not 0 <= delta < 1:
            raise BadQuery(
                f"delta lies between 0 and 1, not at {delta}",
                code="PL108",
                hint="one in a million is usual: 1/1000000",
            )
        return self.session.call(
            "POST",
            "/v1/owner/budgets",
            DatasetFacts,
            Budgets(
                dataset=dataset,
                cap=cap.text(),
                delta=str(delta),
                grants={name: grant.text() for name, grant in grants.items()},
                thresholds=None if thresholds is None else str(thresholds.units),
            ),
        )

    def dataset(self, name: str) -> DatasetFacts:
        """What a budget is planned from; metadata alone."""
        return self.session.call("GET", f"/v1/owner/datasets/{name}", DatasetFacts)

    def stored(self, table: str = "") -> Stores:
        """What is stored of a table, or of all: from manifests, never from rows."""
        return self.session.call("GET", f"/v1/owner/catalog?table={quote(table)}", Stores)

    def came_from(self, table: str, source: str) -> CameFrom:
        """Which versions' rows are from the source with this SHA-256, in hex."""
        body = SourceOf(table=table, source=source)
        return self.session.call("POST", "/v1/owner/catalog/source", CameFrom, body)

    def checked(self, table: str = "") -> CheckedAll:
        """Every page of a table, or of all, opened and compared with what was signed."""
        path = f"/v1/owner/catalog/verify?table={quote(table)}"
        return self.session.call("POST", path, CheckedAll)

    def keys(self) -> Keys:
        """Every table version with its keys' names; no key."""
        return self.session.call("GET", "/v1/owner/keys", Keys)

    def rotate(self, older_than_days: int = 0) -> Rotated:
        """Seal the keychain under a new master, if this one is older than so many days."""
        body = Rotate(older_than_days=older_than_days)
        return self.session.call("POST", "/v1/owner/keys/rotate", Rotated, body)

    def shred(self, scope: str | None, *, dry: bool = False) -> Shredded:
        """Destroy the keys of a scope; None: of all that is past its retention.

        dry: only say what would go.
        """
        body = Shred(scope=scope, dry=dry)
        return self.session.call("POST", "/v1/owner/keys/shred", Shredded, body)

    def kit_made(self) -> None:
        """Have it recorded that a recovery kit was made."""
        body = KeyDeed(deed="key-recovery-kit")
        self.session.call("POST", "/v1/owner/keys/deeds", Keys, body)


def _prepared(got: PreparedMessage) -> Prepared:
    return Prepared(
        got.dataset,
        got.table,
        got.version,
        base64.b64decode(got.unit_key),
        base64.b64decode(got.order_key),
        Path(got.folder),
    )


def parts_message(parts: Iterable[PartFacts]) -> tuple[Part, ...]:
    """Written parts as the wire has them."""

    def file(facts: FileFacts) -> File:
        return File(size=facts.size, footer_sha256=facts.footer_sha256)

    return tuple(Part(bucket=p.bucket, rows=file(p.rows), units=file(p.units)) for p in parts)


def keys_message(keys: DataKeys) -> KeysMessage:
    """Data keys as the wire has them."""

    def text(key: bytes) -> str:
        return base64.b64encode(key).decode()

    return KeysMessage(
        columns={name: text(key) for name, key in keys.columns.items()},
        buckets={str(number): text(key) for number, key in keys.buckets.items()},
    )
