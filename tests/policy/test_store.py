"""Policy texts are refused at start for every fault we know of."""

from __future__ import annotations

import pytest

from privlab.errors import BadContract
from privlab.policy.decide import PolicySet
from privlab.policy.store import SETS, check, read_set

SCHEMA, PERSONAL = read_set("personal")
PERMIT = '@id("all") permit (principal, action, resource);'


@pytest.mark.parametrize("name", SETS)
def test_the_shipped_sets_pass_their_own_checks(name: str) -> None:
    """Validator, lint and probe; each rule's id is unique."""
    policies = PolicySet.named(name)

    assert len(set(policies.rules)) == len(policies.rules) > 5
    assert len(policies.sha256) == 64


@pytest.mark.parametrize(
    ("policy", "about"),
    [
        ("permit (principal, action, resource", "policies"),
        ("", "policies"),
        ("permit (principal, action, resource);", "policy0"),
        ('@id("Not Good") permit (principal, action, resource);', "policy0"),
        (PERMIT + PERMIT, "all"),
        ('@id("no") forbid (principal, action, resource);' + PERMIT, "no"),
        ('@id("t") permit (principal == ?principal, action, resource);', "templates"),
        # The validator's own finds: a typo, a type error, an impossible scope.
        (PERMIT[:-1] + " when { context.purpse == 1 };", "all"),
        ('@id("all") permit (principal in Privlab::Rolle::"x", action, resource);', "all"),
        (
            (
                '@id("all") permit (principal, action == Privlab::Action::"query", resource)'
                ' when { context.charge == "1" };'
            ),
            "all",
        ),
    ],
)
def test_a_faulty_policy_is_refused_by_name(policy: str, about: str) -> None:
    """The fact that names the faulty policy is there."""
    with pytest.raises(BadContract) as caught:
        check(SCHEMA, policy)
    assert caught.value.code == "PL152"
    assert about in caught.value.facts


def test_a_schema_that_does_not_parse_is_refused() -> None:
    """Without a schema, a typo would only show when somebody asks."""
    with pytest.raises(BadContract) as caught:
        check("namespace {", PERMIT)
    assert caught.value.code == "PL152"


def test_a_schema_that_does_not_know_the_curators_requests_is_refused() -> None:
    """It may be valid Cedar and still expect another context."""
    other = SCHEMA.replace("held_after: Long, ", "held_before: Long,")

    check(other, PERMIT)
    with pytest.raises(BadContract) as caught:
        PolicySet.load(other, PERMIT)
    assert set(caught.value.facts) == {"query"}


def test_an_unknown_set_is_refused() -> None:
    """By name, with the names there are."""
    with pytest.raises(BadContract) as caught:
        PolicySet.named("enterprise")
    assert caught.value.code == "PL152"


def test_the_hash_names_schema_and_policies() -> None:
    """A changed comment is a changed policy: people read comments."""
    assert check(SCHEMA, PERMIT).sha256 != check(SCHEMA, PERMIT + "//").sha256
    assert check(SCHEMA, PERMIT).sha256 != check(SCHEMA + "//", PERMIT).sha256
