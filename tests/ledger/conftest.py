"""A ledger in a folder of its own, with a clock that tests move."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from privlab.ledger.accounts import ChargeRequest
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import Loss

DELTA = Fraction(1, 10**6)


class Clock:
    """Starts at a fixed time and stands still until moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


Ask = Callable[..., ChargeRequest]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path, clock: Clock) -> Iterator[Ledger]:
    """ana has 100 units on clinic, bob has 50, and the cap is 120."""
    opened = Ledger.open(path, clock=clock)
    opened.set_cap("clinic", Loss(120), DELTA, "sam")
    opened.grant("ana", "clinic", Loss(100), "sam")
    opened.grant("bob", "clinic", Loss(50), "sam")
    yield opened
    opened.close()


@pytest.fixture
def ask() -> Ask:
    """A charge request of ana's, with what differs given by name."""

    def make(request_id: str = "request-1", cost: int = 10, **facts: object) -> ChargeRequest:
        text = str(facts.get("text", "SELECT COUNT(*) FROM visits"))
        base: dict[str, object] = {
            "principal": "ana",
            "request_id": request_id,
            "body": hashlib.sha256(text.encode()).digest(),
            "dataset": "clinic",
            "question_id": "question",
            "cost": Loss(cost),
            "purpose": "care",
        }
        return ChargeRequest(**(base | facts))  # type: ignore[arg-type]

    return make
