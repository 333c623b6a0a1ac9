"""A job on invented rows: what an engine child is told when nobody's rows are asked for.

It holds a plan, its noise and the text of a contract: no folder, no part and no
key, so there is nothing that could be opened with it.  What the rows are is
`privlab.engine.invented`; this half knows no Polars.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from privlab.connector.contract import parse
from privlab.engine.job import check_noises
from privlab.query.canonical import decode_plan, encode_plan
from privlab.query.plan import Plan
from privlab.terms.catalog import Table
from privlab.terms.noise import Mechanism, law_name, mechanism_of

_MARK = b'{"practice": 1, '
"""How a practice job begins, and no other message does."""


@dataclass(frozen=True, slots=True)
class Practice:
    """One run.  ``noises`` as in `Job`; contract: the TOML text of the plan's table."""

    plan: Plan
    noises: tuple[Mechanism, ...]
    contract: str

    def __post_init__(self) -> None:
        check_noises(self.plan, self.noises)

    @property
    def rows(self) -> int:
        """No step of it has more rows."""
        return self.plan.row_cap

    @staticmethod
    def is_encoded(raw: bytes) -> bool:
        """Whether ``raw`` is a practice job rather than a `Job`."""
        return raw.startswith(_MARK)

    def table(self) -> Table:
        """The table as its contract states it.

        :raises ValueError: the plan is of another table.
        """
        table = parse(self.contract).table(self.plan.version)
        if (table.dataset, table.name) != (self.plan.dataset, self.plan.table):
            raise ValueError("the plan and the contract are of different tables")
        return table

    def encode(self) -> bytes:
        """JSON, for the socket to the child."""
        return json.dumps(
            {
                "practice": 1,
                "plan": encode_plan(self.plan),
                "noises": [[law_name(one), one.multiplier, one.shift] for one in self.noises],
                "contract": self.contract,
            }
        ).encode("ascii")

    @classmethod
    def decode(cls, raw: bytes) -> Practice:
        """Read `encode` back, strictly.

        :raises ValueError: not a practice job.
        """
        try:
            value = json.loads(raw)
            if set(value) != {"practice", "plan", "noises", "contract"} or value["practice"] != 1:
                raise ValueError("fields")
            noises = tuple(mechanism_of(law, int(m), int(s)) for law, m, s in value["noises"])
            return cls(decode_plan(value["plan"]), noises, str(value["contract"]))
        except Exception:  # noqa: BLE001  whatever is wrong with it, it is not a job
            raise ValueError("this is not a practice job") from None
