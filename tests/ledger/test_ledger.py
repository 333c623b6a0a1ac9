"""The life of a charge: once, durable, sealed once, replayed for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from privlab.errors import (
    BudgetExceeded,
    CuratorUnreachable,
    IntegrityError,
    PolicyDenied,
    PrivlabError,
)
from privlab.ledger.accounts import ChargeRequest, Recorded, Sealed
from privlab.ledger.ledger import Ledger
from privlab.terms.loss import Loss
from privlab.terms.noise import RoundedGaussian
from privlab.views.measurement import Measurement

from .conftest import Ask, Clock

NOISE = RoundedGaussian(5, 1)
VECTOR = Measurement(NOISE, (0, -1, 2**63 - 1, -(2**63)))


def spent(ledger: Ledger) -> tuple[int, int]:
    """Of ana's account and of the dataset."""
    account, cap = ledger.account("ana", "clinic"), ledger.cap("clinic")
    assert account is not None
    assert cap is not None
    return account.spent.units, cap.spent.units


def refused(code: str, kind: type[PrivlabError], ledger: Ledger, request: ChargeRequest) -> str:
    """The words of a charge that is refused and changes nothing."""
    before = spent(ledger), ledger.sequence(), ledger.find(request.principal, request.request_id)
    with pytest.raises(kind) as caught:
        ledger.charge(request)
    assert caught.value.code == code
    assert before == (
        spent(ledger),
        ledger.sequence(),
        ledger.find(request.principal, request.request_id),
    )
    return str(caught.value)


def test_a_charge_is_spent_from_account_and_cap(ledger: Ledger, ask: Ask) -> None:
    """Once, in integers."""
    assert ledger.charge(ask(cost=30)) == "new"

    assert spent(ledger) == (30, 30)
    assert ledger.find("ana", "request-1") == Recorded(ask().body, "charged", None, Loss(30))


def test_a_sealed_answer_is_replayed_and_never_charged_again(ledger: Ledger, ask: Ask) -> None:
    """The bytes are the ones that were sealed."""
    ledger.charge(ask())
    ledger.settle("ana", "request-1", [("view", VECTOR)], "the bundle", b"the answer")

    found = ledger.find("ana", "request-1")
    assert found == Recorded(ask().body, "released", b"the answer", Loss(10))
    refused("PL406", IntegrityError, ledger, ask())
    with pytest.raises(IntegrityError):
        ledger.settle("ana", "request-1", [], "another", b"another")
    assert ledger.find("ana", "request-1") == found
    assert ledger.bundle("ana", "request-1") == "the bundle"


def test_the_same_id_with_another_body_is_a_conflict(ledger: Ledger, ask: Ask) -> None:
    """Before and after sealing."""
    ledger.charge(ask())
    refused("PL302", CuratorUnreachable, ledger, ask(text="another"))
    ledger.settle("ana", "request-1", [], "b", b"a")
    refused("PL302", CuratorUnreachable, ledger, ask(text="another"))


def test_ids_belong_to_their_principal(ledger: Ledger, ask: Ask) -> None:
    """Two people may draw the same id; neither sees the other's answer."""
    ledger.charge(ask())
    ledger.settle("ana", "request-1", [("view", VECTOR)], "ana's", b"ana's")

    assert ledger.find("bob", "request-1") is None
    assert ledger.bundle("bob", "request-1") is None
    assert ledger.held("bob", "view") == ()
    assert ledger.charge(ask(principal="bob", text="other")) == "new"


def test_an_unsealed_charge_is_resumed_once_and_not_charged_again(
    ledger: Ledger, ask: Ask, path: Path, clock: Clock
) -> None:
    """After a crash between charge and seal, and after that never a third time."""
    ledger.charge(ask())
    refused("PL406", IntegrityError, ledger, ask())  # it is being computed
    ledger.close()

    reopened = Ledger.open(path, clock=clock)
    assert [past.request_id for past in reopened.interrupted("ana")] == ["request-1"]
    assert reopened.charge(ask()) == "resume"
    assert reopened.interrupted("ana") == ()
    assert spent(reopened) == (10, 10)
    reopened.close()

    again = Ledger.open(path, clock=clock)
    refused("PL409", IntegrityError, again, ask())
    assert spent(again) == (10, 10)
    again.close()


def test_a_resumed_request_may_be_sealed(
    ledger: Ledger, ask: Ask, path: Path, clock: Clock
) -> None:
    """The answer of the second run is the only one there ever is."""
    ledger.charge(ask())
    ledger.close()
    reopened = Ledger.open(path, clock=clock)
    reopened.charge(ask())
    reopened.settle("ana", "request-1", [("view", VECTOR)], "b", b"a")

    assert reopened.held("ana", "view") == (VECTOR,)
    reopened.close()


def test_a_resumed_request_may_not_cost_more_than_was_charged(ledger: Ledger, ask: Ask) -> None:
    """A grant raised in between would turn the same share into more loss."""
    ledger.charge(ask(cost=10))
    ledger.fail("ana", "request-1")

    refused("PL302", CuratorUnreachable, ledger, ask(cost=11))
    assert ledger.charge(ask(cost=9)) == "resume"
    assert spent(ledger) == (10, 10)


@pytest.mark.parametrize("facts", [{"question_id": "of version 2"}, {"dataset": "elsewhere"}])
def test_a_resumed_request_is_the_question_that_was_charged(
    ledger: Ledger, ask: Ask, facts: dict[str, str]
) -> None:
    """The same text is another question once its table has a new version."""
    ledger.charge(ask())
    ledger.fail("ana", "request-1")

    words = refused("PL302", CuratorUnreachable, ledger, ask(**facts))

    assert "new version" in words
    assert "new id" in words
    assert ledger.charge(ask()) == "resume"


def test_a_failure_keeps_the_charge(ledger: Ledger, ask: Ask) -> None:
    """And allows one more run; after that the id is used up."""
    ledger.charge(ask())
    ledger.fail("ana", "request-1")
    found = ledger.find("ana", "request-1")
    assert found is not None
    assert found.state == "failed"
    assert spent(ledger) == (10, 10)

    assert ledger.charge(ask()) == "resume"
    found = ledger.find("ana", "request-1")
    assert found is not None
    assert found.state == "charged"
    ledger.fail("ana", "request-1")
    refused("PL409", IntegrityError, ledger, ask())


def test_only_a_running_request_can_be_ended(ledger: Ledger, ask: Ask) -> None:
    """Neither sealing nor failing works without a charge, or twice."""
    for end in (
        lambda: ledger.fail("ana", "request-1"),
        lambda: ledger.settle("ana", "request-1", [], "b", b"a"),
    ):
        with pytest.raises(IntegrityError) as caught:
            end()
        assert caught.value.code == "PL406"
    ledger.charge(ask())
    ledger.fail("ana", "request-1")
    with pytest.raises(IntegrityError):
        ledger.fail("ana", "request-1")


def test_a_seal_that_cannot_be_recorded_leaves_nothing(ledger: Ledger, ask: Ask) -> None:
    """Two measurements of one view in one answer, say: all or nothing."""
    ledger.charge(ask())
    before = ledger.sequence()

    with pytest.raises(IntegrityError) as caught:
        ledger.settle("ana", "request-1", [("view", VECTOR), ("view", VECTOR)], "b", b"a")

    assert caught.value.code == "PL406"
    assert ledger.held("ana", "view") == ()
    assert ledger.sequence() == before
    assert ledger.charge(ask()) == "resume"


def test_a_charge_beyond_the_account_is_refused_in_shares_of_the_grant(
    ledger: Ledger, ask: Ask
) -> None:
    """With what is needed, what is left, and what to type."""
    ledger.charge(ask(cost=70))

    words = refused("PL210", BudgetExceeded, ledger, ask("request-2", cost=31))

    assert "needs: 31 % of the grant" in words
    assert "left: 30 % of the grant" in words
    assert "--share 30%" in words
    assert ledger.charge(ask("request-3", cost=30)) == "new"
    assert "steward" in refused("PL210", BudgetExceeded, ledger, ask("request-4", cost=1))


def test_a_charge_beyond_the_cap_says_no_number(ledger: Ledger, ask: Ask) -> None:
    """How much the others have spent is not an analyst's to know."""
    ledger.charge(ask(cost=100))

    words = refused("PL211", BudgetExceeded, ledger, ask("request-2", cost=21, principal="bob"))

    assert not any(digit in words.removeprefix("PL211") for digit in "0123456789")
    assert ledger.charge(ask("request-3", cost=20, principal="bob")) == "new"


def test_without_a_grant_nothing_is_charged_not_even_nothing(ledger: Ledger, ask: Ask) -> None:
    """A free question is still a question."""
    for cost in (0, 1):
        refused("PL203", PolicyDenied, ledger, ask(cost=cost, principal="eve"))
        refused("PL203", PolicyDenied, ledger, ask(cost=cost, dataset="aviation"))
    ledger.grant("ana", "aviation", Loss(5), "sam")
    refused("PL211", BudgetExceeded, ledger, ask(cost=0, dataset="aviation"))  # it has no cap


def test_a_free_question_is_recorded_too(ledger: Ledger, ask: Ask) -> None:
    """It has an id, an answer and a line in the history."""
    assert ledger.charge(ask(cost=0)) == "new"
    ledger.settle("ana", "request-1", [], "b", b"a")

    assert spent(ledger) == (0, 0)
    assert [past.cost for past in ledger.history("ana", 9)] == [Loss(0)]


def test_what_is_held_is_what_was_paid_for_and_sealed(ledger: Ledger, ask: Ask) -> None:
    """Oldest first, exact to the last integer of 64 bits."""
    second = Measurement(RoundedGaussian(2**32, 62), ())
    for number, found in enumerate((VECTOR, second), 1):
        ledger.charge(ask(f"request-{number}"))
        assert len(ledger.held("ana", "view")) == number - 1
        ledger.settle("ana", f"request-{number}", [("view", found)], "b", b"a")

    assert ledger.held("ana", "view") == (VECTOR, second)
    assert ledger.held("ana", "another") == ()


def test_releases_are_found_by_question_and_purpose(ledger: Ledger, ask: Ask) -> None:
    """Newest first; another purpose is another release."""
    for number, purpose in enumerate(("care", "research", "care"), 1):
        ledger.charge(ask(f"request-{number}", purpose=purpose, confidence="90"))
        ledger.settle("ana", f"request-{number}", [], f"bundle {number}", b"a")
    ledger.charge(ask("request-4"))

    assert ledger.released("ana", "question", "care") == (
        Sealed("request-3", "bundle 3", "90"),
        Sealed("request-1", "bundle 1", "90"),
    )
    assert ledger.released("bob", "question", "care") == ()


def test_the_history_is_the_principals_own(ledger: Ledger, ask: Ask, clock: Clock) -> None:
    """Newest first, at most as many as asked for, only what was released."""
    for number in (1, 2, 3):
        clock.move(1)
        ledger.charge(ask(f"request-{number}", title=f"t{number}", text=f"q{number}"))
        if number < 3:
            ledger.settle("ana", f"request-{number}", [], "b", b"a")

    first, second = ledger.history("ana", 9)
    assert (first.title, first.text, first.dataset, first.cost) == ("t2", "q2", "clinic", Loss(10))
    assert (first.at, second.at) == ("2026-11-24T05:00:02.000000Z", "2026-11-24T05:00:01.000000Z")
    assert ledger.history("ana", 1) == (first,)
    assert ledger.history("bob", 9) == ()
