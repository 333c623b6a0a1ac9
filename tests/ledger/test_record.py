"""The record: one entry per deed, time that never runs backwards."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from privlab.errors import BudgetExceeded
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import Loss

from .conftest import Ask, Clock


def deeds(ledger: Ledger) -> list[tuple[str, str, str, str, str, int]]:
    return [
        (e.actor, e.action, e.subject, e.outcome, e.code, e.amount.units)
        for e in reversed(ledger.entries(100))
    ]


def test_every_deed_has_its_entry(ledger: Ledger, ask: Ask) -> None:
    """In order, with actor, amount and outcome; no question text."""
    ledger.charge(ask(text="SELECT secret"))
    ledger.fail("ana", "request-1")
    ledger.charge(ask(text="SELECT secret"))
    ledger.settle("ana", "request-1", [], "b", b"a")
    ledger.register_table("clinic", "visits", 1, "patient_id", "11" * 32, "ola")
    ledger.deny("bob", "query", "clinic", "PL201", subject="request-9", amount=Loss(4))

    assert deeds(ledger) == [
        ("sam", "budget", "", "done", "", 120),
        ("sam", "grant", "ana", "done", "", 100),
        ("sam", "grant", "bob", "done", "", 50),
        ("ana", "query", "request-1", "done", "", 10),
        ("ana", "query", "request-1", "failed", "PL500", 0),
        ("ana", "resume", "request-1", "done", "", 0),
        ("ana", "release", "request-1", "done", "", 0),
        ("ola", "register", "visits 1", "done", "", 0),
        ("bob", "query", "request-9", "denied", "PL201", 4),
    ]
    assert "secret" not in str(ledger.entries(100))
    assert [e.seq for e in ledger.entries(2)] == [9, 8]


def test_the_sequence_rises_with_every_change_and_only_then(ledger: Ledger, ask: Ask) -> None:
    """A watcher that compares two numbers misses nothing."""
    start = ledger.sequence()
    ledger.charge(ask())
    assert ledger.sequence() == start + 1
    with pytest.raises(BudgetExceeded):
        ledger.charge(ask("request-2", cost=1000))
    ledger.find("ana", "request-1")
    ledger.held("ana", "view")
    assert ledger.sequence() == start + 1


def test_a_refused_amount_of_any_size_can_be_recorded(ledger: Ledger) -> None:
    """More than 64 bits is written as the most there is."""
    ledger.deny("ana", "query", "clinic", "PL210", amount=Loss(2**90))

    assert ledger.entries(1)[0].amount == Loss(2**63 - 1)


def test_time_in_the_record_never_runs_backwards(ledger: Ledger, clock: Clock, path: Path) -> None:
    """A clock that is set back is not believed, after a restart neither."""
    ledger.deny("ana", "query", "clinic", "PL200")
    latest = ledger.entries(1)[0].at
    clock.move(-3600)
    ledger.deny("ana", "query", "clinic", "PL200")
    assert ledger.entries(1)[0].at == latest
    ledger.close()

    reopened = Ledger.open(path, clock=clock)
    reopened.deny("ana", "query", "clinic", "PL200")
    assert reopened.entries(1)[0].at == latest
    reopened.close()


def test_a_clock_without_a_zone_is_a_bug(path: Path) -> None:
    """And leaves nothing behind."""
    ledger = Ledger.open(path, clock=lambda: datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        ledger.grant("ana", "clinic", Loss(1), "sam")
    assert (ledger.sequence(), ledger.account("ana", "clinic")) == (0, None)
    ledger.close()
