"""What the policy is asked about a question: each table it reads, on its own.

A rule speaks of one table: who may ask it, for which purposes, which columns it
withholds, how sensitive it is.  So a question of several is allowed when every table
is, each with the columns that are read from it.  The charge and what is held
afterwards are the question's, and are said for every table in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from privlab.policy.decide import Permit, PolicyEngine, Request
from privlab.terms.catalog import Catalog
from privlab.terms.loss import CERTAIN, NOTHING, Delta, Loss
from privlab.terms.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants to ask, what for, what it comes to in mu^2, and what it reads.

    reads: per table of ``dataset``, at least one, the columns that are read.  delta:
    what its threshold costs.
    """

    principal: Principal
    dataset: str
    reads: Mapping[str, frozenset[str]]
    purpose: str
    held_after: Loss
    charge: Loss = NOTHING
    delta: Delta = CERTAIN

    def permitted(self, policy: PolicyEngine, catalog: Catalog, now: datetime) -> Permit:
        """Permission for every table: all rules that gave it.

        A table that is not in ``catalog`` any more has no purposes, as the policy sees it.

        :raises PolicyDenied: as `PolicyEngine.decide`, of the first table that is not allowed.
        """
        permits = [policy.decide(self._of(name, catalog), now) for name in self.reads]
        rules = {rule for permit in permits for rule in permit.rules}
        return Permit(tuple(sorted(rules)), permits[0].policy)

    def _of(self, name: str, catalog: Catalog) -> Request:
        table = catalog.table(f"{self.dataset}.{name}")
        columns = () if table is None else table.columns
        return Request(
            principal=self.principal,
            action="query",
            dataset=self.dataset,
            table=name,
            purpose=self.purpose,
            columns=self.reads[name],
            withheld=frozenset(c.name for c in columns if c.withheld),
            purposes=() if table is None else table.purposes,
            sensitivity=0 if table is None else table.sensitivity,
            charge=self.charge,
            held_after=self.held_after,
            delta=self.delta,
        )
