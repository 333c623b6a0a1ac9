"""Threads and kill -9: nothing is overspent, nothing that was promised is lost."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from privlab.errors import BudgetExceeded, IntegrityError
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import Loss

from .conftest import Ask

WRITER = """
import hashlib, sys
from datetime import UTC, datetime
from pathlib import Path
from privlab.ledger.accounts import ChargeRequest
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import Loss
from privlab.terms.noise import RoundedGaussian
from privlab.views.measurement import Measurement

ledger = Ledger.open(Path(sys.argv[1]), clock=lambda: datetime.now(UTC))
print("open", flush=True)
for number in range(100000):
    name = f"{sys.argv[2]}-{number:06}"
    ledger.charge(ChargeRequest(
        principal="ana", request_id=name, body=hashlib.sha256(name.encode()).digest(),
        dataset="clinic", question_id="question", cost=Loss(3), purpose="care"))
    print("charged", name, flush=True)
    answer = name.encode() * 50
    ledger.settle("ana", name, [(name, Measurement(RoundedGaussian(1, 0), (number,)))], name, answer)
    print("sealed", name, flush=True)
"""


def test_eight_threads_spend_exactly_the_cap(ledger: Ledger, ask: Ask) -> None:
    """Two analysts race for a cap that ends in the middle of a charge."""
    ledger.set_cap("clinic", Loss(2_000), Fraction(1, 10**6), "sam")
    for principal in ("ana", "bob"):
        ledger.grant(principal, "clinic", Loss(1_500), "sam")

    def work(worker: int) -> int:
        principal = ("ana", "bob")[worker % 2]
        paid = 0
        for number in range(120):
            name = f"request-{worker}-{number}"
            try:
                ledger.charge(ask(name, cost=7, principal=principal))
            except BudgetExceeded:
                continue
            paid += 7
            ledger.settle(principal, name, [], "b", name.encode())
        return paid

    with ThreadPoolExecutor(8) as pool:
        paid = sum(pool.map(work, range(8)))

    cap = ledger.cap("clinic")
    assert cap is not None
    assert cap.spent == Loss(paid) == Loss(2_000 // 7 * 7)
    assert sum(a.spent.units for a in ledger.holders("clinic")) == paid
    assert all(a.spent <= a.granted for a in ledger.holders("clinic"))


def test_eight_sends_of_one_id_are_one_charge_and_one_answer(ledger: Ledger, ask: Ask) -> None:
    """One computes; the others are told to wait, or find it sealed."""

    def send(worker: int) -> str:
        try:
            ledger.charge(ask())
        except IntegrityError:
            return ""
        ledger.settle("ana", "request-1", [], f"by {worker}", f"by {worker}".encode())
        return f"by {worker}"

    with ThreadPoolExecutor(8) as pool:
        (answer,) = filter(None, pool.map(send, range(8)))

    found, account = ledger.find("ana", "request-1"), ledger.account("ana", "clinic")
    assert found is not None
    assert account is not None
    assert found.answer == answer.encode()
    assert account.spent == Loss(10)


@pytest.mark.parametrize("rounds", [6])
def test_kill_nine_loses_nothing_that_was_promised(path: Path, rounds: int) -> None:
    """What the writer said was charged or sealed is there, exactly once."""
    now = datetime.now(UTC)
    ledger = Ledger.open(path, clock=lambda: now)
    ledger.set_cap("clinic", Loss(10**9), Fraction(1, 10**6), "sam")
    ledger.grant("ana", "clinic", Loss(10**9), "sam")
    ledger.close()
    charged: set[str] = set()
    sealed: set[str] = set()

    for number in range(rounds):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"round{number}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        time.sleep(0.02 + 0.013 * number)
        os.kill(writer.pid, signal.SIGKILL)
        for line in writer.stdout.read().splitlines():
            said, _, name = line.partition(" ")
            if len(name) == len("round0-000000"):
                (charged if said == "charged" else sealed).add(name)
        writer.wait()
        writer.stdout.close()

        reopened = Ledger.open(path, clock=lambda: now)
        account = reopened.account("ana", "clinic")
        assert account is not None
        history = {past.request_id for past in reopened.history("ana", 10**6)}
        open_ones = {past.request_id for past in reopened.interrupted("ana")}
        assert charged <= history | open_ones
        assert sealed <= history
        assert account.spent.units == 3 * len(history | open_ones)
        assert len(open_ones) <= number + 1
        for name in sealed:
            found = reopened.find("ana", name)
            assert found is not None
            assert found.answer == name.encode() * 50
            assert found.body_hash == hashlib.sha256(name.encode()).digest()
            assert len(reopened.held("ana", name)) == 1
        reopened.close()

    assert len(sealed) > rounds
