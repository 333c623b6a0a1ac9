"""What was asked lies sealed; when its words go, charges, sums and vectors stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from privlab.errors import IntegrityError
from privlab.ledger.accounts import ChargeRequest
from privlab.ledger.ledger import Ledger
from privlab.terms.noise import RoundedGaussian
from privlab.views.measurement import Measurement

from .conftest import Ask
from .test_held import Sealing

NOVEMBER = "clinic 2026-11"


def settled(ledger: Ledger, request: ChargeRequest) -> None:
    ledger.charge(request)
    found = [("view", Measurement(RoundedGaussian(1, 0), (1, -2)))]
    ledger.settle(request.principal, request.request_id, found, "bundle", b"answer")


@pytest.fixture
def rest(ledger: Ledger) -> Sealing:
    ledger.rest = Sealing()
    return ledger.rest


def test_her_history_has_her_words_again(ledger: Ledger, rest: Sealing, ask: Ask) -> None:
    words = {"title": "by_ward", "text": "SELECT COUNT(*) FROM visits WHERE ward = 'ICU'"}
    settled(ledger, ask("request-1", **words))
    ledger.charge(ask("request-2", text="SELECT 2"))
    ledger.fail("ana", "request-2")

    (past,) = ledger.history("ana", 9)
    (other,) = ledger.interrupted("ana")

    assert (past.title, past.text, past.purpose) == (*words.values(), "care")
    assert other.text == "SELECT 2"
    assert ledger.any_words(NOVEMBER)
    assert not ledger.any_words("clinic 2026-10")
    assert ledger.keychain_generation() == 7, "the key of the month is known to the ledger"


def test_words_that_went_leave_all_the_rest(ledger: Ledger, rest: Sealing, ask: Ask) -> None:
    asked = ask("request-1")
    settled(ledger, asked)
    before, account = ledger.entries(99), ledger.account("ana", "clinic")

    rest.lost = {NOVEMBER}

    (past,) = ledger.history("ana", 9)
    assert (past.title, past.text, past.purpose) == ("", "", "")
    assert past.cost == asked.cost
    assert ledger.entries(99) == before
    assert ledger.account("ana", "clinic") == account
    assert [m.values for m in ledger.held("ana", "view")] == [(1, -2)], "it is held, and free"
    assert ledger.released("ana", "question", "care") == ()
    assert not ledger.any_words(NOVEMBER)
    for act in (ledger.find, ledger.bundle):
        with pytest.raises(IntegrityError) as caught:
            act("ana", "request-1")
        assert caught.value.code == "PL411"
    ledger._check_sums()


def test_a_repeated_id_is_known_by_its_keyed_name(ledger: Ledger, rest: Sealing, ask: Ask) -> None:
    asked = ask("request-1")
    ledger.charge(asked)
    ledger.fail("ana", "request-1")

    found = ledger.find("ana", "request-1")

    assert found is not None
    assert found.body_hash == ledger.body(asked.body) != asked.body
    assert ledger.charge(asked) == "resume"
    ledger.fail("ana", "request-1")
    with pytest.raises(Exception, match="another question"):
        ledger.charge(replace(asked, body=b"x" * 32))


def test_words_that_were_changed_are_an_error(ledger: Ledger, rest: Sealing, ask: Ask) -> None:
    settled(ledger, ask("request-1"))
    with ledger._db.writing():
        ledger._db.execute("DROP TRIGGER charge_is_final")
        ledger._db.execute("UPDATE charge SET words = x'00'")

    with pytest.raises(IntegrityError) as caught:
        ledger.history("ana", 9)

    assert caught.value.code == "PL404"
