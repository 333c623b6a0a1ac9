"""The ledger against a model in Fractions, under any sequence of calls."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from privlab.errors import PrivlabError
from privlab.ledger.accounts import ChargeRequest
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import Loss
from privlab.terms.noise import RoundedGaussian
from privlab.views.measurement import Measurement

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
people = st.sampled_from(["ana", "bob"])
datasets = st.sampled_from(["clinic", "aviation"])
ids = st.sampled_from(["request-1", "request-2", "request-3", "request-4"])
bodies = st.sampled_from([b"\1" * 32, b"\2" * 32])
mu2 = st.fractions(min_value=0, max_value=Fraction(1, 3), max_denominator=97)

OPEN, RUNNING, SEALED = "open", "running", "sealed"


class LedgerMachine(RuleBasedStateMachine):
    """Amounts are mu^2 in the model and rounded units in the ledger.

    The promises: what is charged never passes a grant or a cap; a refusal
    changes nothing; one id has one charge, at most two runs and one answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledger = Ledger.open(self.folder / "ledger.sqlite", clock=lambda: NOW)
        self.grants: dict[tuple[str, str], Fraction] = {}
        self.caps: dict[str, Fraction] = {}
        self.charges: dict[tuple[str, str], tuple[str, bytes, Fraction]] = {}
        self.state: dict[tuple[str, str], str] = {}
        self.runs: dict[tuple[str, str], int] = {}
        self.answers: dict[tuple[str, str], bytes] = {}
        self.changes = 0

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)

    def spent(self, dataset: str, principal: str | None = None) -> Fraction:
        return sum(
            (
                cost
                for (who, _), (where, _, cost) in self.charges.items()
                if where == dataset and principal in (None, who)
            ),
            Fraction(0),
        )

    def attempt(self, allowed: bool, call: object) -> bool:
        """Call the ledger; it must agree with the model on whether that is allowed."""
        try:
            call()  # type: ignore[operator]
        except PrivlabError:
            assert not allowed
            return False
        assert allowed
        self.changes += 1
        return True

    @initialize(grant=mu2, cap=mu2)
    def start(self, grant: Fraction, cap: Fraction) -> None:
        self.set_cap("clinic", cap)
        self.grant("ana", "clinic", grant)

    @rule(dataset=datasets, cap=mu2)
    def set_cap(self, dataset: str, cap: Fraction) -> None:
        kept = Loss.budget(cap)
        if self.attempt(
            kept.mu2 >= self.spent(dataset),
            lambda: self.ledger.set_cap(dataset, kept, Fraction(1, 10**6), "sam"),
        ):
            self.caps[dataset] = kept.mu2

    @rule(principal=people, dataset=datasets, amount=mu2)
    def grant(self, principal: str, dataset: str, amount: Fraction) -> None:
        kept = Loss.budget(amount)
        if self.attempt(
            kept.mu2 >= self.spent(dataset, principal),
            lambda: self.ledger.grant(principal, dataset, kept, "sam"),
        ):
            self.grants[principal, dataset] = kept.mu2

    @rule(principal=people, request_id=ids, dataset=datasets, body=bodies, cost=mu2 | st.just(0))
    def charge(
        self, principal: str, request_id: str, dataset: str, body: bytes, cost: Fraction
    ) -> None:
        key = principal, request_id
        paid = Loss.charge(Fraction(cost))
        if key in self.charges:
            allowed = (
                (dataset, body) == self.charges[key][:2]
                and self.state[key] == OPEN
                and self.runs[key] < 2
                and paid.mu2 <= self.charges[key][2]
            )
        else:
            granted = self.grants.get((principal, dataset), Fraction(-1))
            cap = self.caps.get(dataset, Fraction(-1))
            allowed = (
                self.spent(dataset, principal) + paid.mu2 <= granted
                and self.spent(dataset) + paid.mu2 <= cap
            )
        request = ChargeRequest(
            principal=principal,
            request_id=request_id,
            body=body,
            dataset=dataset,
            question_id="question",
            cost=paid,
            purpose="care",
        )
        if self.attempt(allowed, lambda: self.ledger.charge(request)):
            self.charges.setdefault(key, (dataset, body, paid.mu2))
            self.runs[key] = self.runs.get(key, 0) + 1
            self.state[key] = RUNNING

    @rule(principal=people, request_id=ids, value=st.integers(-(2**63), 2**63 - 1))
    def settle(self, principal: str, request_id: str, value: int) -> None:
        key = principal, request_id
        answer = str(value).encode()
        found = [("view", Measurement(RoundedGaussian(3, 1), (value,)))]
        if self.attempt(
            self.state.get(key) == RUNNING,
            lambda: self.ledger.settle(principal, request_id, found, "bundle", answer),
        ):
            self.state[key] = SEALED
            self.answers[key] = answer

    @rule(principal=people, request_id=ids)
    def fail(self, principal: str, request_id: str) -> None:
        key = principal, request_id
        if self.attempt(
            self.state.get(key) == RUNNING, lambda: self.ledger.fail(principal, request_id)
        ):
            self.state[key] = OPEN

    @rule()
    def reopen(self) -> None:
        """A restart ends what was running."""
        self.ledger.close()
        self.ledger = Ledger.open(self.folder / "ledger.sqlite", clock=lambda: NOW)
        self.state = {key: OPEN if s == RUNNING else s for key, s in self.state.items()}

    @invariant()
    def the_ledger_agrees_with_the_model(self) -> None:
        assert self.ledger.sequence() == self.changes
        for dataset, limit in self.caps.items():
            cap = self.ledger.cap(dataset)
            assert cap is not None
            assert (cap.cap.mu2, cap.spent.mu2) == (limit, self.spent(dataset))
            assert cap.spent.mu2 <= limit
        for (principal, dataset), limit in self.grants.items():
            account = self.ledger.account(principal, dataset)
            assert account is not None
            assert account.granted.mu2 == limit
            assert account.spent.mu2 == self.spent(dataset, principal) <= limit
        for key, (_, body, cost) in self.charges.items():
            found = self.ledger.find(*key)
            assert found is not None
            assert (found.body_hash, found.cost.mu2) == (body, cost)
            assert found.answer == self.answers.get(key)
        for principal in ("ana", "bob"):
            sealed = [key for key in self.answers if key[0] == principal]
            assert len(self.ledger.held(principal, "view")) == len(sealed)


LedgerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
test_the_ledger_is_its_model = LedgerMachine.TestCase
