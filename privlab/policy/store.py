"""Reading and checking policy texts before anything is decided by them.

A text that Cedar's validator, our lint or a probe of every action finds fault
with is refused when the curator starts, not when somebody asks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import cedarpy

from privlab.errors import BadContract
from privlab.seal.digest import digest

POLICY_LABEL = "privlab/policy/v1"
SETS = ("personal", "team")
"""The policy sets that come with privlab."""

_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class CheckedPolicies:
    """Texts that passed, parsed once, and what their annotations say.

    ids: Cedar's own policy names (``policy0``) to ours.
    advice: our ids to what the asker may do about a denial.
    sha256: names the pair of texts, in hex, in every decision.
    """

    schema_text: str
    policy_text: str
    schema: cedarpy.Schema
    policies: cedarpy.PolicySet
    ids: Mapping[str, str]
    advice: Mapping[str, str]
    sha256: str


def read_set(name: str) -> tuple[str, str]:
    """Schema and policy text of a shipped set.

    :raises BadContract: PL152, no set of that name.
    """
    if name not in SETS:
        raise BadContract(
            f"there is no policy set called {name!r}",
            code="PL152",
            hint=f"write policy = one of {', '.join(SETS)}, or name a .cedar file",
        )
    folder = files("privlab.policy") / "sets"
    return (
        (folder / "privlab.cedarschema").read_text("utf-8"),
        (folder / f"{name}.cedar").read_text("utf-8"),
    )


def check(schema_text: str, policy_text: str) -> CheckedPolicies:
    """Parse, validate and lint both texts.

    :raises BadContract: PL152 with every problem as a fact.
    """
    try:
        schema = cedarpy.Schema.from_str(schema_text)
    except ValueError:
        raise _faulty({"schema": "Cedar cannot parse it"}) from None
    try:
        policies = cedarpy.PolicySet.from_str(policy_text)
        listing = json.loads(cedarpy.policies_to_json_str(policy_text))
    except ValueError:
        raise _faulty({"policies": "Cedar cannot parse them"}) from None
    ids, advice, problems = _lint(listing)
    verdict = cedarpy.validate_policies(policy_text, schema)
    for error in verdict.errors:
        problems[ids.get(error.policy_id, error.policy_id or "policies")] = error.error
    if problems or not verdict.validation_passed:
        raise _faulty(problems)
    sha256 = digest(POLICY_LABEL, schema_text.encode(), policy_text.encode()).hex()
    return CheckedPolicies(schema_text, policy_text, schema, policies, ids, advice, sha256)


def _lint(
    listing: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Our ids by Cedar's, the advice by our ids, and what is wrong."""
    ids: dict[str, str] = {}
    advice: dict[str, str] = {}
    problems: dict[str, str] = {}
    if listing["templates"] or listing["templateLinks"]:
        problems["templates"] = "write policies out; templates are not used here"
    if not listing["staticPolicies"]:
        problems["policies"] = "there are none, so nothing would be allowed"
    for cedar_name, policy in listing["staticPolicies"].items():
        annotations = policy.get("annotations") or {}
        own = annotations.get("id") or ""
        if _ID.fullmatch(own) is None:
            problems[cedar_name] = (
                f'needs an @id("...") in small letters, digits and hyphens, not {own!r}'
            )
            continue
        if own in ids.values():
            problems[own] = "two policies have this @id"
        ids[cedar_name] = own
        advice[own] = annotations.get("advice") or ""
        if policy["effect"] == "forbid" and not advice[own]:
            problems[own] = 'a forbid needs an @advice("...") for the one it stops'
    return ids, advice, problems


def _faulty(problems: Mapping[str, str]) -> BadContract:
    return BadContract(
        "the policy cannot be used",
        code="PL152",
        facts=dict(problems),
        hint="nothing is allowed until it is mended; the shipped sets are `personal` and `team`",
    )
