"""A question of several tables is allowed when each of them is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from privlab.curator.wish import Wish
from privlab.errors import PolicyDenied
from privlab.policy.decide import PolicySet
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Catalog, Column, Kind, Table
from privlab.terms.loss import Loss
from privlab.terms.principal import Principal, Role, Tier

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
TEAM = PolicySet.named("team")
ANA = Principal("ana", frozenset({Role.ANALYST}), Tier.OTHER_UID)
VISITS = Table(
    dataset="clinic",
    name="visits",
    version=1,
    unit="patient",
    unit_word="patient",
    bound=ContributionBound(4, 4, 4),
    row_cap=100,
    columns=(Column("ward", Kind.TEXT), Column("name", Kind.TEXT, withheld=True)),
    purposes=("care", "research"),
)
PEOPLE = replace(
    VISITS,
    name="people",
    columns=(Column("name", Kind.TEXT), Column("sex", Kind.TEXT, withheld=True)),
    purposes=("care", "billing"),
)
BOTH = Catalog((VISITS, PEOPLE))


def wish(purpose: str = "care", **reads: set[str]) -> Wish:
    return Wish(
        principal=ANA,
        dataset="clinic",
        reads={name: frozenset(columns) for name, columns in reads.items()},
        purpose=purpose,
        charge=Loss(5),
        held_after=Loss(9),
    )


def refused(one: Wish, catalog: Catalog = BOTH) -> PolicyDenied:
    with pytest.raises(PolicyDenied) as caught:
        one.permitted(TEAM, catalog, NOW)
    return caught.value


def test_every_table_is_asked_for_its_own_columns() -> None:
    """A column that one table withholds may be read of another."""
    wish(visits={"ward"}, people={"name"}).permitted(TEAM, BOTH, NOW)

    assert refused(wish(visits={"name"}, people={"name"})).code == "PL201"
    assert refused(wish(visits={"ward"}, people={"sex"})).code == "PL201"


@pytest.mark.parametrize(
    ("purpose", "allowed"), [("care", True), ("research", False), ("billing", False)]
)
def test_a_purpose_must_be_one_of_every_table(purpose: str, *, allowed: bool) -> None:
    both = wish(purpose, visits={"ward"}, people={"name"})
    if allowed:
        assert both.permitted(TEAM, BOTH, NOW).policy == TEAM.sha256
    else:
        assert refused(both).code == "PL200"


def test_a_rule_about_one_table_holds_whatever_it_is_joined_to() -> None:
    """As strict as the most sensitive of them."""
    schema, policies = TEAM._checked.schema_text, TEAM.text
    strict = PolicySet.load(
        schema,
        policies
        + '\n@id("sensitive")\n@advice("ask another")\nforbid (principal, action == Privlab::Action::"query", resource)\n'
        "when { resource.sensitivity >= 2 };\n",
    )
    catalog = Catalog((VISITS, replace(PEOPLE, sensitivity=2)))
    both = wish(visits={"ward"}, people={"name"})

    wish(visits={"ward"}).permitted(strict, catalog, NOW)
    with pytest.raises(PolicyDenied) as caught:
        both.permitted(strict, catalog, NOW)

    assert caught.value.facts["rules"] == "sensitive"


def test_a_table_that_is_gone_has_no_purposes() -> None:
    assert refused(wish(visits={"ward"}, people={"name"}), Catalog((VISITS,))).code == "PL200"
