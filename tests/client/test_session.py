"""A session checks whom it talks to, and never pays twice for a broken line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from privlab.client.session import Session, raised
from privlab.errors import (
    BadContract,
    BadQuery,
    BudgetExceeded,
    CuratorUnreachable,
    IntegrityError,
    PolicyDenied,
    PrivlabError,
)
from privlab.wire import locate
from privlab.wire.messages import Problem


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("PL101", BadQuery),
        ("PL150", BadContract),
        ("PL201", PolicyDenied),
        ("PL210", BudgetExceeded),
        ("PL302", CuratorUnreachable),
        ("PL402", IntegrityError),
        ("PL500", PrivlabError),
    ],
)
def test_a_problem_becomes_the_error_of_its_code(code: str, kind: type[PrivlabError]) -> None:
    error = raised(
        Problem(code=code, what="w", hint="h", facts={"left": "3 %"}, caret=("ab", 1, 2))
    )

    assert type(error) is kind
    assert str(error).splitlines() == [f"{code} w", "  ab", "   ^", "  left: 3 %", "  hint: h"]


def test_another_key_than_the_workspaces_is_not_trusted(
    fresh_workspace: Callable[[], Any],
) -> None:
    place = fresh_workspace()
    where = locate.find(env={**os.environ, **place.env})
    locate.start(where)
    pinned = place.folder / "curator.pub"
    pinned.write_text("privlab-ed25519:" + "A" * 43 + "=")

    with pytest.raises(CuratorUnreachable) as refusal:
        Session(where)

    assert refusal.value.code == "PL303"


def test_a_bundle_changed_on_the_way_is_not_shown(session: Session) -> None:
    """The client verifies before it hands on."""
    real = session._http

    class Meddler(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.headers.pop("transfer-encoding", None)
            answer = real.send(request)
            lines = answer.text.splitlines()
            if request.method == "PUT":
                last = json.loads(lines[-1])
                bundle = json.loads(last["answer"]["bundle"])
                result = json.loads(bundle["result"])
                result["rows"][0][0] = "1"
                bundle["result"] = json.dumps(result)
                last["answer"]["bundle"] = json.dumps(bundle)
                lines[-1] = json.dumps(last)
            return httpx.Response(answer.status_code, text="\n".join(lines))

    meddled = Session(session.place, transport=Meddler())

    with pytest.raises(IntegrityError) as refusal:
        meddled.ask("SELECT COUNT(*) AS n FROM visits WHERE age < 51")

    assert refusal.value.code == "PL407"


def test_a_line_that_breaks_is_taken_up_with_the_same_id(session: Session) -> None:
    ids: list[str] = []

    class Breaking(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = session._http.send(request)
            if request.method == "PUT":
                ids.append(request.url.path)
                if len(ids) == 1:
                    raise httpx.ReadError("the line broke after the answer was made")
            return httpx.Response(answer.status_code, text=answer.text)

    before = int(session.state().accounts[0].spent)
    release = Session(session.place, transport=Breaking()).ask(
        "SELECT COUNT(*) AS n FROM visits WHERE age < 52"
    )

    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert release.receipt is not None
    after = int(session.state().accounts[0].spent)
    assert after - before == int(release.receipt.charged)


def test_an_argument_without_meaning_is_told_without_a_traceback(session: Session) -> None:
    with pytest.raises(BadQuery) as refusal:
        session.ask("")

    assert refusal.value.code == "PL112"


@pytest.mark.parametrize("name", ["", "a/b", "a\nb"])
def test_a_name_that_is_none_is_not_sent(session: Session, name: str) -> None:
    with pytest.raises(BadQuery):
        session.describe(name)


def test_a_curator_with_another_runtime_folder_is_found(
    fresh_workspace: Callable[[], Any], tmp_path: Any
) -> None:
    """Two logins of one user may have two; the workspace says where its curator is."""
    place = fresh_workspace()
    first = locate.start(locate.find(env={**os.environ, **place.env}))
    (tmp_path / "run").mkdir(mode=0o700)

    found = locate.find(env={**os.environ, **place.env, "XDG_RUNTIME_DIR": str(tmp_path / "run")})

    assert found.socket == first.socket
    assert Session(locate.start(found)).hello.workspace == str(place.folder)
