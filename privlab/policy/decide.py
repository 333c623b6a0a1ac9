"""Permit or deny, with reasons: pure, and closed on every error.

Cedar skips a ``forbid`` that fails to evaluate and lets the permits stand
(cedar-policy/cedar#2428, closed as intended), so a decision with any error in
its diagnostics is a denial here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol, get_args

import cedarpy

from privlab.errors import BadContract, PolicyDenied
from privlab.policy.store import CheckedPolicies, check, read_set
from privlab.terms.loss import CERTAIN, NOTHING, Delta, Loss
from privlab.terms.principal import Principal, Role, Tier

Action = Literal["query", "describe", "grant", "register", "budget", "audit", "keys"]
"""query: put a question to a table, or see a stored answer to one.
describe: read a table's contract.  grant: set an analyst's account.
budget: set a dataset's cap.  register: add a table version.
audit: read a dataset's accounts and record.  keys: list, rotate or shred keys."""

WITHHELD = "withheld-columns"
"""The rule whose denial has a code of its own, PL201."""

_MAX_LONG = (1 << 63) - 1
_CEDAR_NAME = re.compile(r"policy[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One wish and every public fact a rule may speak of.

    columns: all columns the question reads.  withheld, purposes, sensitivity:
    the table's contract.  charge: what it costs now; held_after: all the asker
    then holds on this question, also when ``charge`` is nothing.
    grantee, amount: whom a grant is for, and the total of a grant or a cap.  delta:
    what thresholds cost of it now, or may use up of a grant or a cap in all.
    """

    principal: Principal
    action: Action
    dataset: str
    table: str = ""
    purpose: str = ""
    columns: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()
    purposes: tuple[str, ...] = ()
    sensitivity: int = 0
    charge: Loss = NOTHING
    held_after: Loss = NOTHING
    grantee: str = ""
    amount: Loss = NOTHING
    delta: Delta = CERTAIN

    def __post_init__(self) -> None:
        if self.action in ("query", "describe") and not self.table:
            raise ValueError(f"{self.action} needs a table")
        if self.action == "grant" and not self.grantee:
            raise ValueError("a grant needs a grantee")
        if self.held_after < self.charge:
            raise ValueError("held_after includes the charge")


@dataclass(frozen=True, slots=True)
class Permit:
    """The rules that allowed it, sorted, and the SHA-256 of the policy in hex."""

    rules: tuple[str, ...]
    policy: str


class PolicyEngine(Protocol):
    """What the curator needs of a policy."""

    def decide(self, request: Request, now: datetime) -> Permit:
        """Return a Permit.

        :raises PolicyDenied: PL200 a rule says no, or none says yes; PL201 a
            column is withheld; PL202 a rule failed to evaluate.
        """


class PolicySet:
    """Cedar policies that decide.  Safe to share between threads."""

    def __init__(self, checked: CheckedPolicies) -> None:
        self._checked = checked

    @classmethod
    def load(cls, schema_text: str, policy_text: str) -> PolicySet:
        """Check both texts and probe that the schema knows every action.

        :raises BadContract: PL152 with each problem.
        """
        found = cls(check(schema_text, policy_text))
        found._probe()
        return found

    @classmethod
    def named(cls, name: str) -> PolicySet:
        """A shipped set: "personal" or "team".

        :raises BadContract: PL152, another name.
        """
        return cls.load(*read_set(name))

    @property
    def sha256(self) -> str:
        """Names schema and policies together, in hex."""
        return self._checked.sha256

    @property
    def rules(self) -> tuple[str, ...]:
        """Every policy's @id, in the text's order."""
        return tuple(self._checked.ids.values())

    @property
    def text(self) -> str:
        """The policies as they are written."""
        return self._checked.policy_text

    def decide(self, request: Request, now: datetime) -> Permit:
        """See `PolicyEngine.decide`.  ``now`` must know its time zone."""
        result = self._ask(request, now)
        if result.diagnostics.errors:
            raise self._failed(result.diagnostics.errors)
        rules = tuple(sorted(self._checked.ids[name] for name in result.diagnostics.reasons))
        if result.decision is not cedarpy.Decision.Allow:
            raise self._denied(request, rules)
        return Permit(rules, self.sha256)

    def _ask(self, request: Request, now: datetime) -> cedarpy.AuthzResult:
        return cedarpy.is_authorized(
            {
                "principal": _uid("User", request.principal.name),
                "action": _uid("Action", request.action),
                "resource": _resource(request),
                "context": _context(request, now),
            },
            self._checked.policies,
            _entities(request),
            self._checked.schema,
        )

    def _denied(self, request: Request, rules: tuple[str, ...]) -> PolicyDenied:
        who, what = request.principal.name, _words(request)
        advice = "; ".join(filter(None, (self._checked.advice[rule] for rule in rules)))
        if not rules:
            roles = ", ".join(sorted(request.principal.roles)) or "none"
            return PolicyDenied(
                f"no rule lets {who} {what}",
                facts={"roles": roles},
                hint="ask the steward which role this needs",
            )
        facts = {"rules": ", ".join(rules)}
        if "stated-purpose" in rules:
            facts["purposes"] = ", ".join(request.purposes) or "none stated"
        if WITHHELD in rules:
            names = ", ".join(sorted(request.columns & request.withheld))
            return PolicyDenied(
                f"{request.table} withholds {names}", code="PL201", facts=facts, hint=advice
            )
        return PolicyDenied(f"policy does not let {who} {what}", facts=facts, hint=advice)

    def _failed(self, errors: list[str]) -> PolicyDenied:
        """Name the rules that failed; Cedar's own words may quote the request."""
        names = sorted({name for error in errors for name in _CEDAR_NAME.findall(error)})
        rules = [self._checked.ids[name] for name in names if name in self._checked.ids]
        return PolicyDenied(
            "a policy rule could not be evaluated, which counts as no",
            code="PL202",
            facts={"rules": ", ".join(rules) or "the request does not fit the policy's schema"},
            hint="tell the steward: the policy needs mending",
        )

    def _probe(self) -> None:
        """See that every action of ours is a valid request under this schema."""
        who = Principal("probe", frozenset(Role), Tier.IN_PROCESS)
        unknown = {}
        for action in get_args(Action):
            probe = Request(
                principal=who, action=action, dataset="probe", table="probe", grantee="probe"
            )
            result = self._ask(probe, datetime(2000, 1, 1, tzinfo=UTC))
            if result.decision is cedarpy.Decision.NoDecision:
                unknown[action] = "the schema does not fit what the curator says of it"
        if unknown:
            raise BadContract("the policy's schema cannot be used", code="PL152", facts=unknown)


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": f"Privlab::{kind}", "id": name}


def _resource(request: Request) -> dict[str, str]:
    if request.action in ("query", "describe"):
        return _uid("Table", f"{request.dataset}.{request.table}")
    return _uid("Dataset", request.dataset)


def _entities(request: Request) -> list[dict[str, object]]:
    dataset = _uid("Dataset", request.dataset)
    return [
        {
            "uid": _uid("User", request.principal.name),
            "attrs": {},
            "parents": [_uid("Role", role.value) for role in sorted(request.principal.roles)],
        },
        {"uid": dataset, "attrs": {}, "parents": []},
        {
            "uid": _uid("Table", f"{request.dataset}.{request.table}"),
            "attrs": {
                "sensitivity": request.sensitivity,
                "purposes": sorted(set(request.purposes)),
                "withheld": sorted(request.withheld),
            },
            "parents": [dataset],
        },
    ]


def _context(request: Request, now: datetime) -> dict[str, object]:
    if now.tzinfo is None:
        raise ValueError("the clock needs a time zone")
    utc = now.astimezone(UTC)
    stamp = utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"
    context: dict[str, object] = {
        "clock": {
            "utc": {"__extn": {"fn": "datetime", "arg": stamp}},
            "weekday": utc.isoweekday(),
            "minute_of_day": utc.hour * 60 + utc.minute,
        },
        "tier": int(request.principal.tier),
    }
    match request.action:
        case "query":
            context |= {
                "purpose": request.purpose,
                "columns": sorted(request.columns),
                "charge": _long(request.charge),
                "held_after": _long(request.held_after),
                "delta": request.delta.units,
            }
        case "grant":
            context |= {
                "grantee": {"__entity": _uid("User", request.grantee)},
                "amount": _long(request.amount),
                "delta": request.delta.units,
            }
        case "budget":
            context |= {"amount": _long(request.amount), "delta": request.delta.units}
        case _:
            pass
    return context


def _long(amount: Loss) -> int:
    """Units as Cedar's 64-bit Long; more than fits compares as the most that fits."""
    return min(amount.units, _MAX_LONG)


def _words(request: Request) -> str:
    match request.action:
        case "query":
            return f"ask {request.table} for {request.purpose or 'no stated purpose'}"
        case "describe":
            return f"read the contract of {request.table}"
        case "grant":
            return f"set the account of {request.grantee} on {request.dataset}"
        case "budget":
            return f"set the cap of {request.dataset}"
        case "register":
            return f"register a table version of {request.dataset}"
        case "audit":
            return f"read the record of {request.dataset}"
        case "keys":
            return f"look after the keys of {request.dataset or 'this workspace'}"
