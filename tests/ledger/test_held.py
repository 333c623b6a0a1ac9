"""What is held comes back unsealed; what was shredded is held by nobody and stays paid."""

from __future__ import annotations

import hashlib

import pytest

from privlab.errors import IntegrityError
from privlab.ledger.ledger import Ledger
from privlab.terms.noise import RoundedGaussian
from privlab.views.measurement import Measurement

from .conftest import Ask


class Sealing:
    """Adds a mark where a real one encrypts, and can lose the key of a source."""

    def __init__(self) -> None:
        self.lost: set[str] = set()

    def source(self, bundle: str) -> str:
        return f"made of {bundle}"

    def texts(self, dataset: str, at: str) -> str:
        return f"{dataset} {at[:7]}"

    def generation(self) -> int:
        return 7

    def name(self, kind: str, value: str) -> str:
        return hashlib.sha256(f"{kind} {value}".encode()).hexdigest()

    def seal(self, source: str, label: str, plain: bytes, texts: str = "") -> bytes:
        head = f"{source}|{texts}|{label}|".encode()
        return head + b" " * (-len(head) % 8) + plain

    def unseal(self, source: str, label: str, sealed: bytes, texts: str = "") -> bytes:
        if self.lost & {source, texts}:
            raise IntegrityError("gone", code="PL411")
        head = self.seal(source, label, b"", texts)
        if not sealed.startswith(head):
            raise IntegrityError("not this row's", code="PL404")
        return sealed[len(head) :]


@pytest.fixture
def sealed(ledger: Ledger, ask: Ask) -> tuple[Ledger, Sealing]:
    """ana's request-1, sealed."""
    rest = Sealing()
    ledger.rest = rest
    ledger.charge(ask("request-1"))
    found = [("view", Measurement(RoundedGaussian(1, 0), (1, -2)))]
    ledger.settle("ana", "request-1", found, "bundle", b"answer")
    return ledger, rest


def test_what_was_sealed_comes_back_everywhere(sealed: tuple[Ledger, Sealing]) -> None:
    ledger, _ = sealed

    known = ledger.find("ana", "request-1")
    assert known is not None
    assert known.answer == b"answer"
    assert ledger.bundle("ana", "request-1") == "bundle"
    assert [m.values for m in ledger.held("ana", "view")] == [(1, -2)]
    assert [(v, m.values) for v, m, _ in ledger.sealed("ana", ["view"])] == [("view", (1, -2))]
    (row,) = ledger._db.rows("SELECT source, bundle, answer FROM release")
    assert row[0] == "made of bundle"
    assert b"|clinic 2026-11|bundle 1|" in row[1]
    assert b"|clinic 2026-11|answer 1|" in row[2]


def test_what_was_shredded_is_neither_held_nor_shown_and_stays_paid(
    sealed: tuple[Ledger, Sealing], ask: Ask
) -> None:
    ledger, rest = sealed
    account = ledger.account("ana", "clinic")
    rest.lost = {"made of bundle"}

    assert ledger.held("ana", "view") == ()
    assert ledger.sealed("ana", ["view"]) == ()
    assert ledger.released("ana", ask("request-1").question_id, ask("request-1").purpose) == ()
    for act in (ledger.find, ledger.bundle):
        with pytest.raises(IntegrityError) as caught:
            act("ana", "request-1")
        assert caught.value.code == "PL411"
    assert ledger.account("ana", "clinic") == account
    assert [past.request_id for past in ledger.history("ana", 9)] == ["request-1"]


def test_a_changed_row_is_an_error_and_never_only_missing(sealed: tuple[Ledger, Sealing]) -> None:
    ledger, _ = sealed
    with ledger._db.writing():
        ledger._db.execute("DROP TRIGGER measurement_is_final")
        ledger._db.execute("UPDATE measurement SET vector = zeroblob(16)")

    with pytest.raises(IntegrityError) as caught:
        ledger.held("ana", "view")

    assert caught.value.code == "PL404"
