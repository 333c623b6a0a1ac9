"""The service refuses what is malformed, in its own words, and counts bytes first."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from privlab.client.session import Session
from privlab.curator import answer, app
from privlab.curator.peer import uid_of
from privlab.errors import CuratorUnreachable
from privlab.wire.messages import PROTOCOL, Ask, Price
from tests.curator.conftest import Inside, question

QUESTION = {"id": "a-request-id", "text": "SELECT COUNT(*) AS n FROM visits"}


@pytest.fixture
def http(session: Session) -> httpx.Client:
    return session._http


def code(response: httpx.Response) -> str:
    return str(response.json()["code"])


def test_it_says_who_it_is_and_whom_it_takes_you_for(session: Session) -> None:
    assert session.hello.protocol == PROTOCOL
    assert session.hello.tier == "same-uid"
    assert "analyst" in session.hello.roles


@pytest.mark.parametrize(
    "body",
    [
        QUESTION | {"surprise": 1},
        QUESTION | {"text": ""},
        QUESTION | {"text": "x" * 100_001},
        QUESTION | {"price": {"share": 1}},
        QUESTION | {"parameters": {"p": {"kind": "code", "text": ["x"]}}},
        {"text": "no id"},
        [],
        "text",
        None,
    ],
)
def test_a_malformed_question_is_refused_before_it_is_read(http: httpx.Client, body: Any) -> None:
    response = http.put("/v1/queries/a-request-id", json=body)

    assert (response.status_code, code(response)) == (400, "PL306")


def test_json_that_is_none_is_refused(http: httpx.Client) -> None:
    response = http.put(
        "/v1/queries/a-request-id",
        content=b"{",
        headers={"content-type": "application/json"},
    )

    assert code(response) == "PL306"


def test_the_path_and_the_body_name_one_request(http: httpx.Client) -> None:
    assert code(http.put("/v1/queries/another-id", json=QUESTION)) == "PL306"


def test_a_body_without_end_is_not_read(http: httpx.Client) -> None:
    big = http.post("/v1/explain", content=b" " * (app.MAX_BODY + 1))
    endless = http.post("/v1/explain", content=iter([b"{}"]))

    assert (code(big), code(endless)) == ("PL306", "PL306")


def test_an_unknown_path_tells_nothing(http: httpx.Client) -> None:
    assert http.get("/v1/rows").status_code == 404
    assert http.get("/docs").status_code == 404


def test_the_watch_answers_at_once_when_the_ledger_has_moved(
    session: Session, http: httpx.Client
) -> None:
    seq = session.state().seq

    told = http.get("/v1/watch", params={"after": seq - 1}).json()

    assert told == {"seq": seq}


def test_every_error_on_the_wire_has_a_known_code(http: httpx.Client) -> None:
    lines = http.put(
        "/v1/queries/one-more-id", json={"id": "one-more-id", "text": "SELECT * FROM visits"}
    ).text.splitlines()

    problem = json.loads(lines[-1])["problem"]
    assert problem["code"] == "PL105"
    assert problem["caret"]


def test_what_is_unforeseen_is_reported_by_its_place_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        uid_of({"client": ("x", object())})
        int("canary-Zephyrine")
    except (CuratorUnreachable, ValueError) as error:
        app.report(error)

    told = capsys.readouterr().err
    assert told.startswith("unforeseen CuratorUnreachable in uid_of, line ")
    assert "canary" not in told


def test_many_questions_at_once_do_not_keep_others_waiting(session: Session) -> None:
    """Streams wait on the event loop, not in a small pool of threads."""
    texts = [f"SELECT COUNT(*) AS n FROM visits WHERE age < {60 + n}" for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(session.ask, text, price=Price(share="0.1")) for text in texts]
        begin = time.monotonic()
        session.state()
        waited = time.monotonic() - begin
        for one in asked:
            assert one.result().frame.height == 1

    assert waited < 5


class Struck(Exception):
    """What nobody foresaw."""


async def _told(inside: Inside, ask: Ask) -> list[Any]:
    request = Request({"type": "http"})
    lines = [line async for line in app._events(inside.desk, inside.who, ask, request)]
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("module", "name", "code", "charged"),
    [
        ("answer", "permitted", "PL501", False),
        ("answer", "prepared", "PL501", False),
        ("answer.opendp", "certify", "PL501", False),
        ("answer", "sealed", "PL500", True),
        ("answer", "_paid", "PL500", True),
    ],
)
def test_what_is_unforeseen_says_whether_a_charge_stands(
    inside: Inside,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    name: str,
    code: str,
    charged: bool,
) -> None:
    def strike(*_: object, **__: object) -> None:
        raise Struck("a value")

    monkeypatch.setattr(f"privlab.curator.{module}.{name}", strike)

    (*_, last) = asyncio.run(_told(inside, question()))

    assert last["problem"]["code"] == code
    assert (inside.spent() > 0) is charged
    assert ("nothing was charged" in last["problem"]["what"]) is not charged


def test_a_ledger_that_cannot_say_may_have_charged(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words that promise nothing, and an id that is kept."""

    def strike(*_: object) -> None:
        raise Struck

    monkeypatch.setattr(inside.desk.ledger, "find", strike)

    (*_, last) = asyncio.run(_told(inside, question()))

    assert last["problem"]["code"] == "PL500"


def test_before_a_second_run_the_first_ones_charge_stands(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strike(*_: object) -> None:
        raise Struck

    with monkeypatch.context() as once:
        once.setattr(answer, "sealed", strike)
        asyncio.run(_told(inside, question()))
    monkeypatch.setattr(answer, "prepared", strike)

    (*_, last) = asyncio.run(_told(inside, question()))

    assert last["problem"]["code"] == "PL500"


def test_a_version_registered_before_the_charge_is_no_failure(inside: Inside) -> None:
    """The question goes on with the version it was asked of."""
    body, prepared = inside.next_version(), answer.prepared

    def register(*given: Any) -> Any:
        inside.register(body)
        return prepared(*given)

    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(answer, "prepared", register)
        (*_, last) = asyncio.run(_told(inside, question()))

    assert "answer" in last
