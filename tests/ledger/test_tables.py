"""Table versions only rise; a unit is fixed for life."""

from __future__ import annotations

import pytest

from privlab.errors import BadContract, IntegrityError
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import Currency

ONE, TWO = "11" * 32, "22" * 32


def test_the_newest_version_is_listed(ledger: Ledger) -> None:
    """By dataset and table."""
    ledger.register_table("clinic", "visits", 1, "patient_id", ONE, "ola")
    ledger.register_table("clinic", "patients", 1, "patient_id", ONE, "ola")
    ledger.register_table("clinic", "visits", 2, "patient_id", TWO, "ola")

    assert ledger.versions() == {("clinic", "visits"): 2, ("clinic", "patients"): 1}
    assert ledger.manifests() == {("clinic", "visits"): TWO, ("clinic", "patients"): ONE}


def test_a_dataset_has_one_unit_for_life(ledger: Ledger) -> None:
    """Another table about other people is another dataset."""
    ledger.register_table("clinic", "visits", 1, "patient_id", ONE, "ola")
    before = ledger.sequence()

    with pytest.raises(BadContract) as caught:
        ledger.register_table("clinic", "staff", 1, "staff_id", ONE, "ola")

    assert caught.value.code == "PL150"
    assert (ledger.sequence(), list(ledger.versions())) == (before, [("clinic", "visits")])


@pytest.mark.parametrize("table", ["staff", "visits"])
@pytest.mark.parametrize("first", list(Currency))
def test_a_dataset_has_one_currency_for_life(ledger: Ledger, first: Currency, table: str) -> None:
    """Another table and a new version alike: losses of two kinds do not add up."""
    second = next(currency for currency in Currency if currency is not first)
    ledger.register_table("clinic", "visits", 1, "patient_id", ONE, "ola", first)
    before = ledger.sequence()

    with pytest.raises(BadContract) as caught:
        ledger.register_table("clinic", table, 2, "patient_id", TWO, "ola", second)

    assert caught.value.code == "PL150"
    assert caught.value.facts == {"in the contract": str(second), "registered": str(first)}
    assert (ledger.sequence(), ledger.versions()) == (before, {("clinic", "visits"): 1})
    assert ledger.currency("clinic") is first
    assert ledger.currency("aviation") is None


@pytest.mark.parametrize(("version", "manifest"), [(1, ONE), (2, ONE), (0, ONE)])
def test_a_version_never_comes_back(ledger: Ledger, version: int, manifest: str) -> None:
    """Neither an older one nor another one under the same number."""
    ledger.register_table("clinic", "visits", 2, "patient_id", TWO, "ola")

    with pytest.raises(IntegrityError) as caught:
        ledger.register_table("clinic", "visits", version, "patient_id", manifest, "ola")
    assert caught.value.code == "PL405"


def test_registering_the_same_again_changes_nothing(ledger: Ledger) -> None:
    """So that an interrupted `protect` can be finished."""
    ledger.register_table("clinic", "visits", 1, "patient_id", ONE, "ola")
    before = ledger.sequence()

    ledger.register_table("clinic", "visits", 1, "patient_id", ONE, "ola")

    assert ledger.sequence() == before


def test_a_new_version_refills_no_budget(ledger: Ledger) -> None:
    before = ledger.caps(), ledger.accounts("ana")
    ledger.register_table("clinic", "visits", 1, "patient_id", ONE, "ola")
    ledger.register_table("clinic", "visits", 2, "patient_id", TWO, "ola")

    assert (ledger.caps(), ledger.accounts("ana")) == before
