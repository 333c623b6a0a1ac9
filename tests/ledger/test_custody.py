"""The ledger remembers how far keys have come and what was shredded; it holds none."""

from __future__ import annotations

from pathlib import Path

from privlab.ledger.ledger import Ledger

from .conftest import Clock

PLACES = [("clinic", "visits", 1, "age"), ("clinic", "visits", 1, "")]


def test_the_generation_is_the_highest_that_was_seen(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    assert ledger.keychain_generation() == 0
    for generation in (1, 4, 4, 2):
        ledger.see_keychain(generation)
    ledger.close()

    again = Ledger.open(path, clock=clock)

    assert again.keychain_generation() == 4
    again.close()


def test_a_deed_is_one_entry_with_the_generation_it_left(ledger: Ledger) -> None:
    before = ledger.sequence()

    ledger.key_deed("ola", "key-rotate", 7)

    (entry,) = ledger.entries(1)
    assert (entry.seq, entry.actor, entry.action) == (before + 1, "ola", "key-rotate")
    assert ledger.keychain_generation() == 7


def test_what_is_shredded_is_remembered_once_and_for_good(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    ledger.register_table("clinic", "visits", 1, "patient_id", "11" * 32, "ola")
    for _ in range(2):
        ledger.shred("ola", "clinic", "clinic.visits", PLACES)
    ledger.close()

    again = Ledger.open(path, clock=clock)

    assert again.shredded() == frozenset(PLACES)
    assert [e.subject for e in again.entries(2)] == ["clinic.visits"] * 2
    again.close()
