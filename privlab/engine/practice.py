"""A job on invented rows: what an engine child is told when nobody's rows are asked for.

It holds a plan, its noise and the texts of contracts: no folder, no part and no
key, so there is nothing that could be opened with it.  What the rows are is
`privlab.engine.invented`; this half knows no Polars.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from privlab.connector.contract import parse
from privlab.engine.job import check_noises, threshold_of
from privlab.engine.stored import text
from privlab.query.canonical import decode_plan, encode_plan
from privlab.query.plan import Plan
from privlab.query.relation_size import check_plan
from privlab.terms.catalog import Table
from privlab.terms.noise import Mechanism, law_name, mechanism_of

_MARK = b'{"practice": 2, '
"""How a practice job begins, and no other message does."""

_FIELDS = {"practice", "plan", "noises", "contracts", "threshold"}


@dataclass(frozen=True, slots=True)
class Practice:
    """One run.  ``noises`` and ``threshold`` as in `Job`.

    contracts: the TOML texts of the plan's tables, in order.
    """

    plan: Plan
    noises: tuple[Mechanism, ...]
    contracts: tuple[str, ...]
    threshold: int | None = None

    def __post_init__(self) -> None:
        check_noises(self.plan, self.noises, self.threshold)

    @property
    def rows(self) -> int:
        """No step of it has more rows."""
        return self.plan.row_cap

    @staticmethod
    def is_encoded(raw: bytes) -> bool:
        """Whether ``raw`` is a practice job rather than a `Job`."""
        return raw.startswith(_MARK)

    def tables(self) -> tuple[Table, ...]:
        """The tables as their contracts state them.

        :raises ValueError: the plan is of other tables, or cannot be computed.
        """
        scans = self.plan.tables
        found = tuple(
            parse(contract).table(scan.version)
            for contract, scan in zip(self.contracts, scans, strict=True)
        )
        if [(one.dataset, one.name) for one in found] != [
            (self.plan.dataset, scan.table) for scan in scans
        ]:
            raise ValueError("the plan and the contracts are of different tables")
        check_plan(self.plan, {one.name: one.row_cap for one in found})
        return found

    def encode(self) -> bytes:
        """JSON, for the socket to the child."""
        return json.dumps(
            {
                "practice": 2,
                "plan": encode_plan(self.plan),
                "noises": [[law_name(one), one.multiplier, one.shift] for one in self.noises],
                "contracts": list(self.contracts),
                "threshold": self.threshold,
            }
        ).encode("ascii")

    @classmethod
    def decode(cls, raw: bytes) -> Practice:
        """Read `encode` back, strictly.

        :raises ValueError: not a practice job.
        """
        try:
            value = json.loads(raw)
            if set(value) != _FIELDS or value["practice"] != 2:
                raise ValueError("fields")
            noises = tuple(mechanism_of(law, int(m), int(s)) for law, m, s in value["noises"])
            contracts, threshold = tuple(map(text, value["contracts"])), value["threshold"]
            return cls(decode_plan(value["plan"]), noises, contracts, threshold_of(threshold))
        except Exception:  # noqa: BLE001  whatever is wrong with it, it is not a job
            raise ValueError("this is not a practice job") from None
