"""Decisions: each rule allows and denies, and none can be taken out unseen."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import cedarpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.errors import PolicyDenied
from privlab.policy.decide import Permit, PolicySet, Request
from privlab.policy.store import SETS, read_set
from privlab.terms.loss import UNITS_PER_ONE, Loss
from privlab.terms.principal import Principal, Role, Tier

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
ENGINES = {name: PolicySet.named(name) for name in SETS}


def person(name: str, *roles: Role, tier: Tier = Tier.OTHER_UID) -> Principal:
    return Principal(name, frozenset(roles), tier)


ANA = person("ana", Role.ANALYST)
SAM = person("sam", Role.STEWARD)
OLA = person("ola", Role.OWNER)
AUD = person("aud", Role.AUDITOR)
SOLO = person("eva", Role.ANALYST, Role.OWNER, Role.STEWARD, tier=Tier.SAME_UID)
NOBODY = person("eve")


def ask(who: Principal, **facts: object) -> Request:
    """A question that every set permits to an analyst, changed by ``facts``."""
    base = Request(
        principal=who,
        action="query",
        dataset="clinic",
        table="visits",
        purpose="care",
        columns=frozenset({"ward", "stay"}),
        withheld=frozenset({"name"}),
        purposes=("care", "research"),
        charge=Loss(5),
        held_after=Loss(9),
    )
    return replace(base, **facts)  # type: ignore[arg-type]


def wish(who: Principal, action: str, **facts: object) -> Request:
    return Request(principal=who, action=action, dataset="clinic", **facts)  # type: ignore[arg-type]


def outcome(engine: PolicySet, request: Request) -> tuple[str, ...]:
    """The permitting rules, or "no" and the denying rules."""
    try:
        return engine.decide(request, NOW).rules
    except PolicyDenied as denial:
        return ("no", *filter(None, denial.facts.get("rules", "").split(", ")))


ONE, QUARTER, SIXTEENTH = (Loss(UNITS_PER_ONE // n) for n in (1, 4, 16))
OVER = Loss(1)

CASES: dict[str, list[tuple[Request, tuple[str, ...]]]] = {
    "personal": [
        (ask(SOLO), ("analyst-asks",)),
        (ask(NOBODY), ("no",)),
        (ask(SOLO, columns=frozenset({"name"})), ("no", "withheld-columns")),
        (ask(SOLO, purpose="fun"), ("no", "stated-purpose")),
        (ask(SOLO, purposes=()), ("no", "stated-purpose")),
        (ask(SOLO, held_after=ONE), ("analyst-asks",)),
        (ask(SOLO, charge=Loss(0), held_after=ONE + OVER), ("no", "question-cap")),
        (ask(SOLO, sensitivity=3), ("analyst-asks",)),
        (wish(SOLO, "describe", table="visits"), ("analyst-describes",)),
        (wish(NOBODY, "describe", table="visits"), ("no",)),
        (wish(SOLO, "grant", grantee="eva", amount=ONE), ("steward-budgets",)),
        (wish(SOLO, "budget", amount=ONE), ("steward-budgets",)),
        (wish(SOLO, "audit"), ("steward-budgets",)),
        (wish(ANA, "grant", grantee="ana"), ("no",)),
        (wish(SOLO, "register"), ("owner-registers",)),
        (wish(SAM, "register"), ("no",)),
    ],
    "team": [
        (ask(ANA), ("analyst-asks",)),
        (ask(OLA), ("no",)),
        (ask(NOBODY), ("no",)),
        (ask(ANA, columns=frozenset({"ward", "name"})), ("no", "withheld-columns")),
        (ask(ANA, purpose="fun"), ("no", "stated-purpose")),
        (ask(ANA, held_after=QUARTER), ("analyst-asks",)),
        (ask(ANA, held_after=QUARTER + OVER), ("no", "question-cap")),
        (ask(ANA, sensitivity=1, held_after=SIXTEENTH + OVER), ("analyst-asks",)),
        (ask(ANA, sensitivity=2, held_after=SIXTEENTH), ("analyst-asks",)),
        (ask(ANA, sensitivity=2, held_after=SIXTEENTH + OVER), ("no", "sensitive-question-cap")),
        (ask(replace(ANA, tier=Tier.SAME_UID)), ("analyst-asks",)),
        (
            ask(replace(ANA, tier=Tier.SANDBOXED_KERNEL), sensitivity=2),
            ("no", "sensitive-needs-a-boundary"),
        ),
        (ask(person("x", Role.ANALYST, Role.STEWARD)), ("no", "steward-never-asks")),
        (ask(person("x", Role.ANALYST, Role.AUDITOR)), ("no", "auditor-only-reads")),
        (wish(ANA, "describe", table="visits"), ("analyst-describes",)),
        (wish(AUD, "describe", table="visits"), ("auditor-reads",)),
        (wish(OLA, "describe", table="visits"), ("owner-registers",)),
        (wish(AUD, "audit"), ("auditor-reads",)),
        (wish(ANA, "audit"), ("no",)),
        (wish(AUD, "budget"), ("no", "auditor-only-reads")),
        (wish(SAM, "grant", grantee="ana", amount=ONE), ("steward-budgets",)),
        (wish(SAM, "grant", grantee="sam", amount=ONE), ("no", "nobody-grants-herself")),
        (wish(ANA, "grant", grantee="bob", amount=ONE), ("no",)),
        (wish(SAM, "budget", amount=ONE), ("steward-budgets",)),
        (wish(OLA, "budget", amount=ONE), ("no",)),
        (wish(OLA, "register"), ("owner-registers",)),
        (wish(SAM, "register"), ("no",)),
    ],
}


@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name in SETS for i in range(len(CASES[name]))]
)
def test_each_case_is_decided_as_written(name: str, number: int) -> None:
    """The table above is the policy's meaning."""
    request, expected = CASES[name][number]

    assert outcome(ENGINES[name], request) == expected


@pytest.mark.parametrize(
    ("name", "rule"), [(name, rule) for name in SETS for rule in ENGINES[name].rules]
)
def test_no_rule_can_be_removed_unseen(name: str, rule: str) -> None:
    """Without it, at least one case turns from yes to no or from no to yes."""
    schema, text = read_set(name)
    listing = json.loads(cedarpy.policies_to_json_str(text))
    policies = listing["staticPolicies"]
    listing["staticPolicies"] = {
        key: value for key, value in policies.items() if value["annotations"]["id"] != rule
    }
    without = PolicySet.load(schema, cedarpy.policies_from_json_str(json.dumps(listing)))
    assert set(without.rules) == set(ENGINES[name].rules) - {rule}

    turned = [
        expected
        for request, expected in CASES[name]
        if (outcome(without, request)[0] == "no") != (expected[0] == "no")
    ]

    assert turned


def test_a_withheld_column_has_a_code_of_its_own() -> None:
    """And the message names the column, which the contract makes public."""
    with pytest.raises(PolicyDenied) as caught:
        ENGINES["team"].decide(ask(ANA, columns=frozenset({"name", "ward"})), NOW)
    assert caught.value.code == "PL201"
    assert "name" in caught.value.what
    assert caught.value.hint


def test_a_denial_names_the_rule_and_what_to_do() -> None:
    """The advice comes from the policy's own annotation."""
    with pytest.raises(PolicyDenied) as caught:
        ENGINES["team"].decide(ask(ANA, purpose="fun"), NOW)
    assert caught.value.code == "PL200"
    assert caught.value.facts == {"rules": "stated-purpose", "purposes": "care, research"}
    assert "--purpose" in caught.value.hint


OVERFLOWS = """
@id("fragile") @advice("a rule that cannot be evaluated")
forbid (principal, action == Privlab::Action::"query", resource)
when { context.charge * 9223372036854775807 > 5 };
"""


def test_a_forbid_that_fails_is_a_denial() -> None:
    """Cedar alone says Allow here: it skips a policy whose evaluation fails."""
    schema, text = read_set("personal")
    engine = PolicySet.load(schema, text + OVERFLOWS)
    assert engine._ask(ask(SOLO), NOW).decision is cedarpy.Decision.Allow

    with pytest.raises(PolicyDenied) as caught:
        engine.decide(ask(SOLO), NOW)

    assert caught.value.code == "PL202"
    assert caught.value.facts == {"rules": "fragile"}
    assert "9223372036854775807" not in str(caught.value)


def test_a_request_that_does_not_fit_the_schema_is_a_denial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrongly typed fact is refused by the schema, not ignored."""
    monkeypatch.setattr("privlab.policy.decide._long", lambda amount: "9")

    with pytest.raises(PolicyDenied) as caught:
        ENGINES["personal"].decide(ask(SOLO), NOW)
    assert caught.value.code == "PL202"


def test_an_amount_beyond_64_bits_is_still_over_every_cap() -> None:
    """It compares as the largest Long, and never wraps."""
    huge = Loss(1 << 80)

    assert outcome(ENGINES["team"], ask(ANA, held_after=huge)) == ("no", "question-cap")


def test_names_are_data_and_never_cedar_syntax() -> None:
    """Quotes, newlines and another user's name inside a name change nothing."""
    odd = person('ana"\n::Privlab::User::"sam', Role.ANALYST)

    assert outcome(ENGINES["team"], ask(odd)) == ("analyst-asks",)
    assert outcome(ENGINES["team"], wish(odd, "audit")) == ("no",)


def test_the_clock_is_a_fact_a_rule_may_use() -> None:
    """In UTC, whatever zone the caller's clock shows; a naive clock is a bug."""
    schema, text = read_set("personal")
    engine = PolicySet.load(
        schema,
        text
        + """@id("hours") @advice("ask between 08:00 and 18:00 UTC, Monday to Friday")
        forbid (principal, action == Privlab::Action::"query", resource)
        unless { context.clock.weekday <= 5 && context.clock.minute_of_day >= 480
                 && context.clock.minute_of_day < 1080 };""",
    )
    tuesday = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    assert engine.decide(ask(SOLO), tuesday.astimezone(timezone(timedelta(hours=9))))
    for outside in (tuesday - timedelta(minutes=1), tuesday + timedelta(days=4)):
        with pytest.raises(PolicyDenied):
            engine.decide(ask(SOLO), outside)
    with pytest.raises(ValueError, match="time zone"):
        engine.decide(ask(SOLO), tuesday.replace(tzinfo=None))


@pytest.mark.parametrize(
    "facts",
    [
        {"action": "query"},
        {"action": "describe"},
        {"action": "grant"},
        {"action": "query", "table": "t", "charge": Loss(2), "held_after": Loss(1)},
    ],
)
def test_a_request_that_leaves_out_what_is_judged_is_a_bug(facts: dict[str, object]) -> None:
    """An empty grantee, say, would never equal the principal."""
    with pytest.raises(ValueError, match=r"needs|includes"):
        Request(principal=ANA, dataset="clinic", **facts)  # type: ignore[arg-type]


amounts = st.integers(0, 1 << 66).map(Loss)
requests = st.builds(
    lambda action, held, **facts: Request(
        action=action, dataset="clinic", table="visits", charge=held, held_after=held, **facts
    ),
    action=st.sampled_from(["query", "describe", "grant", "register", "budget", "audit"]),
    held=amounts,
    amount=amounts,
    grantee=st.sampled_from(["ana", "sam", "eva"]),
    principal=st.builds(
        Principal,
        name=st.sampled_from(["ana", "sam", "eva"]),
        roles=st.frozensets(st.sampled_from(list(Role))),
        tier=st.sampled_from(list(Tier)),
    ),
    columns=st.frozensets(st.sampled_from("abc")),
    withheld=st.frozensets(st.sampled_from("abc")),
    purpose=st.sampled_from(["care", "fun"]),
    purposes=st.sampled_from([(), ("care",), ("care", "fun")]),
    sensitivity=st.integers(0, 3),
)


@settings(max_examples=300, deadline=None)
@given(request=requests)
def test_what_the_team_policy_promises_holds_for_every_request(request: Request) -> None:
    """Separation of duties, the contract and the caps, said once more in Python."""
    try:
        permit = ENGINES["team"].decide(request, NOW)
    except PolicyDenied:
        return
    roles = request.principal.roles
    assert permit == Permit(permit.rules, ENGINES["team"].sha256)
    if Role.AUDITOR in roles:
        assert request.action in {"audit", "describe"}
    match request.action:
        case "query":
            assert Role.ANALYST in roles
            assert Role.STEWARD not in roles
            assert not request.columns & request.withheld
            assert request.purpose in request.purposes
            assert request.held_after <= (SIXTEENTH if request.sensitivity >= 2 else QUARTER)
            assert request.sensitivity < 2 or request.principal.tier >= Tier.OTHER_UID
        case "grant":
            assert Role.STEWARD in roles
            assert request.grantee != request.principal.name
        case "budget":
            assert Role.STEWARD in roles
        case "register":
            assert Role.OWNER in roles
        case _:
            assert roles


def test_threads_share_one_engine() -> None:
    """Every answer is the one a single thread gets."""
    cases = CASES["team"] * 8

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda case: outcome(ENGINES["team"], case[0]), cases))

    assert found == [expected for _, expected in cases]
