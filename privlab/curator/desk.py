"""What the curator works with: everything `answer` reaches for, in one place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from privlab.connector import catalog as catalogs
from privlab.connector.keys import Custody
from privlab.connector.manifest import Manifest
from privlab.curator.workspace import Workspace
from privlab.engine.handle import Engine
from privlab.ledger.ledger import Ledger
from privlab.policy.decide import PolicyEngine
from privlab.seal.keys import SigningKey
from privlab.terms.catalog import Catalog, Table


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The registered version of every table, with its manifest, as of one moment."""

    catalog: Catalog = field(default_factory=Catalog)
    manifests: Mapping[tuple[str, str], Manifest] = field(default_factory=dict)

    def table(self, dataset: str, name: str) -> Table:
        """A table the catalog is known to hold.

        :raises KeyError: it does not.
        """
        found = self.catalog.table(f"{dataset}.{name}")
        if found is None:
            raise KeyError(f"{dataset}.{name}")
        return found


@dataclass(slots=True)
class Desk:
    """One per curator process.  Holds no rows.

    ``registered`` is replaced as a whole when a table version comes: who works
    on a question takes it once, and uses no other until the answer is sealed.

    ``buying`` is held by one request of an analyst at a time: the price of her
    next question depends on what she holds after this one.
    """

    workspace: Workspace
    ledger: Ledger
    engine: Engine
    policy: PolicyEngine
    custody: Custody
    signer: SigningKey
    clock: Callable[[], datetime]
    registered: Snapshot = field(default_factory=Snapshot)
    registering: threading.Lock = field(default_factory=threading.Lock)
    """Held while a table version is brought in, so that numbers and lists agree."""
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def buying(self, principal: str) -> threading.Lock:
        """The lock of this analyst's purchases."""
        with self._guard:
            return self._locks.setdefault(principal, threading.Lock())

    @property
    def catalog(self) -> Catalog:
        """The tables of this moment."""
        return self.registered.catalog

    def reload(self) -> None:
        """Read the catalog again, after a table version was registered.

        :raises IntegrityError: a manifest is not what the ledger says it is.
        """
        self.registered = Snapshot(
            *catalogs.load(
                self.workspace.tables,
                self.signer.public,
                self.ledger.versions(),
                self.ledger.manifests(),
            )
        )
