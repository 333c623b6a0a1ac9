"""kill -9 at each stop: never an answer without a durable charge, never two for one id."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import Any

import apsw
import pytest

from privlab.client.session import Session
from privlab.wire import locate
from privlab.wire.messages import Ask, Event, Phase, Price

QUESTION = "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"
STOPS = ("sent", "read", "policy", "charge", "compute", "seal", "answered", "replayed")


def connect(place: Any) -> Session:
    where = locate.find(env={**os.environ, **place.env})
    locate.start(where)
    return Session(where)


def charges(place: Any) -> tuple[int, int, int]:
    """Charges, sealed releases, and what the account has spent; the curator is dead."""
    database = apsw.Connection(str(place.folder / "ledger.sqlite"))
    try:
        return (
            *next(database.execute("SELECT (SELECT count(*) FROM charge), count(*) FROM release")),
            *next(database.execute("SELECT spent FROM account")),
        )
    finally:
        database.close()


@pytest.mark.parametrize("stop", STOPS)
def test_a_curator_killed_at_any_stop_charges_once_and_answers_once(
    fresh_workspace: Callable[[], Any], stop: str
) -> None:
    """The client restarts it and sends the same id; the numbers are one set of numbers."""
    place = fresh_workspace()
    killed: list[int] = []
    session = connect(place)

    def strike(phase: Phase) -> None:
        if phase.phase == stop and not killed:
            killed.append(place.kill())

    if stop == "sent":
        killed.append(place.kill())
    release = session.ask(QUESTION, price=Price(share="3"), on_phase=strike)
    if stop in ("answered", "replayed"):
        killed.append(place.kill())
        charged, sealed, spent = charges(place)
        assert (charged, sealed) == (1, 1), "an answer was seen that is not durable"
        assert spent == int(release.receipt.charged if release.receipt else 0)
        again = connect(place).ask(QUESTION, price=Price(share="3"))
        assert again.bundle == release.bundle
        assert again.receipt is not None
        assert again.receipt.free

    assert killed, "the test did not strike"
    place.kill()
    charged, sealed, spent = charges(place)
    assert release.receipt is not None
    assert spent == int(release.receipt.charged), "one question is charged once"
    assert sealed <= charged


def test_one_id_has_one_answer_however_often_it_is_sent(
    fresh_workspace: Callable[[], Any],
) -> None:
    place = fresh_workspace()
    session = connect(place)
    ask = Ask(id="the-very-same-id", text=QUESTION)

    answers = {_bundle(session, ask) for _ in range(3)}
    place.kill()
    answers.add(_bundle(connect(place), ask))

    assert len(answers) == 1


def test_one_id_with_another_question_is_refused(fresh_workspace: Callable[[], Any]) -> None:
    session = connect(fresh_workspace())
    _bundle(session, Ask(id="the-very-same-id", text=QUESTION))

    told = _event(session, Ask(id="the-very-same-id", text=QUESTION + " LIMIT 1"))

    assert told.problem is not None
    assert told.problem.code == "PL302"


@pytest.mark.slow
def test_a_hundred_kills_at_any_moment_leave_the_ledger_right(
    fresh_workspace: Callable[[], Any],
) -> None:
    """Delays are spread by a hash, so that a failure repeats."""
    place = fresh_workspace()
    expected = 0
    for turn in range(100):
        session = connect(place)
        stop = STOPS[1 + turn % 5]
        delay = hashlib.sha256(str(turn).encode()).digest()[0] / 255 * 0.03
        struck: list[int] = []

        def strike(
            phase: Phase, stop: str = stop, delay: float = delay, struck: list[int] = struck
        ) -> None:
            if phase.phase == stop and not struck:
                time.sleep(delay)
                struck.append(place.kill())

        release = session.ask(
            "SELECT COUNT(*) AS n FROM visits WHERE age < :below",
            parameters={"below": 10 + turn},
            price=Price(share="0.5"),
            on_phase=strike,
        )
        assert release.receipt is not None
        expected += int(release.receipt.charged)
        session.close()
    place.kill()
    charged, sealed, spent = charges(place)
    assert spent == expected
    assert charged == sealed == 100


def _event(session: Session, ask: Ask) -> Event:
    response = session._http.put(f"/v1/queries/{ask.id}", json=ask.model_dump(mode="json"))
    return Event.model_validate_json(response.text.splitlines()[-1])


def _bundle(session: Session, ask: Ask) -> str:
    event = _event(session, ask)
    assert event.answer is not None, event
    return event.answer.bundle
