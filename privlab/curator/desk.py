"""What the curator works with: everything `answer` reaches for, in one place."""

from __future__ import annotations

import threading
from collections.abc import Callable
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


@dataclass(slots=True)
class Desk:
    """One per curator process.  Holds no rows.

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
    catalog: Catalog = field(default_factory=Catalog)
    manifests: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    registering: threading.Lock = field(default_factory=threading.Lock)
    """Held while a table version is brought in, so that numbers and lists agree."""
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def buying(self, principal: str) -> threading.Lock:
        """The lock of this analyst's purchases."""
        with self._guard:
            return self._locks.setdefault(principal, threading.Lock())

    def table(self, dataset: str, name: str) -> Table:
        """A table the catalog is known to hold.

        :raises KeyError: it does not.
        """
        found = self.catalog.table(f"{dataset}.{name}")
        if found is None:
            raise KeyError(f"{dataset}.{name}")
        return found

    def reload(self) -> None:
        """Read the catalog again, after a table version was registered.

        :raises IntegrityError: a manifest is not what the ledger says it is.
        """
        catalog, manifests = catalogs.load(
            self.workspace.tables,
            self.signer.public,
            self.ledger.versions(),
            self.ledger.manifests(),
        )
        self.catalog, self.manifests = catalog, manifests
