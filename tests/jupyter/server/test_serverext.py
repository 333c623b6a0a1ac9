"""The panel's relay, in a real Jupyter server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from privlab.jupyter import serverext
from privlab.wire import locate
from privlab.wire.messages import Problem


async def _event(socket: Any) -> dict[str, Any]:
    """The next event of the ledger on the server's event socket."""
    while True:
        message = json.loads(await asyncio.wait_for(socket.read_message(), 5))
        if message["schema_id"] == serverext.LEDGER_SCHEMA:
            return dict(message)


async def test_the_state_is_passed_on_as_the_curator_tells_it(stand_in, jp_fetch):
    response = await jp_fetch("privlab", "state")
    assert response.code == 200
    assert json.loads(response.body) == stand_in.state.model_dump(mode="json")
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_stranger_gets_nothing(stand_in, jp_fetch):
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("privlab", "state", headers={"Authorization": ""}, follow_redirects=False)
    assert refused.value.code in (302, 403)
    assert "/v1/state" not in stand_in.paths


async def test_a_curator_that_is_down_is_said_with_its_code(nowhere, jp_fetch):
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("privlab", "state")
    assert refused.value.code == 503
    body = json.loads(refused.value.response.body)
    assert body["code"] == "PL300"
    assert body["hint"]


async def test_a_refusal_of_the_curator_reaches_the_panel(stand_in, jp_fetch):
    stand_in.refusal = Problem(code="PL203", what="this workspace knows nobody", hint="ask")
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("privlab", "state")
    assert refused.value.code == 502
    assert json.loads(refused.value.response.body) == {
        "code": "PL203",
        "what": "this workspace knows nobody",
        "hint": "ask",
    }


async def test_a_charge_becomes_an_event_that_says_only_that(stand_in, jp_serverapp, jp_ws_fetch):
    socket = await jp_ws_fetch("api", "events", "subscribe")
    stand_in.charge()
    event = await _event(socket)
    while event["seq"] != 4:
        event = await _event(socket)
    told = {name for name in event if not name.startswith("__")}
    assert told <= {"schema_id", "schema_version", "metadata_version", "timestamp", "seq"}, event
    socket.close()


async def test_a_curator_that_comes_back_is_an_event(
    stand_in, jp_serverapp, jp_ws_fetch, monkeypatch
):
    monkeypatch.setattr(serverext, "LONGEST_WAIT", 0.1)
    socket = await jp_ws_fetch("api", "events", "subscribe")
    stand_in.charge()
    while (await _event(socket))["seq"] != 4:
        pass
    stand_in.stop()
    await asyncio.sleep(2 * serverext.PAUSE + 0.2)
    stand_in.start()
    assert (await _event(socket))["seq"] == 4
    socket.close()


async def test_a_curator_that_will_not_start_is_tried_once_a_minute(monkeypatch, nowhere):
    tries: list[locate.Place] = []
    monkeypatch.setattr(locate, "start", tries.append)
    relay = serverext.Relay(log=None, emit=None)
    for _ in range(3):
        status, body = await relay.state()
        assert (status, body["code"]) == (503, "PL300")
    assert len(tries) == 1


async def test_opening_a_downloaded_folder_runs_nothing_of_it(monkeypatch, tmp_path, jp_fetch):
    """The folder is the user's own after unzip, and names a program."""
    for name in ("PRIVLAB_URL", "PRIVLAB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "download"
    folder.mkdir(mode=0o755)
    (folder / "evil.sh").write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    (folder / "evil.sh").chmod(0o755)
    (folder / "privlab.toml").write_text(f"[curator]\npython = '{folder}/evil.sh'\n")
    monkeypatch.chdir(folder)
    for _ in range(2):
        with pytest.raises(HTTPClientError) as refused:
            await jp_fetch("privlab", "state")
        body = json.loads(refused.value.response.body)
        assert body["code"] == "PL303"
        assert body["hint"].endswith(f"privlab trust {folder}")
    assert not (folder / "ran").exists()


async def test_another_user_s_process_is_not_relayed(monkeypatch, stand_in):
    monkeypatch.setattr(locate, "peer_uid", lambda path: 4_000_000_000)
    status, body = await serverext.Relay(log=None, emit=None).state()
    assert (status, body["code"]) == (503, "PL303")
    assert "/v1/state" not in stand_in.paths


async def test_an_answer_that_is_no_state_is_not_passed_on(monkeypatch, stand_in):
    async def odd(self: object, place: object) -> None:
        raise ValueError("not an object")

    monkeypatch.setattr(serverext.Relay, "_read", odd)
    status, body = await serverext.Relay(log=None, emit=None).state()
    assert (status, body["code"]) == (503, "PL300")


async def test_the_server_lets_go_when_it_stops(stand_in, jp_serverapp):
    app = jp_serverapp.extension_manager.extension_apps["privlab"].copy().pop()
    await asyncio.sleep(0.05)
    task = app._watching
    assert not task.done()
    await app.stop_extension()
    assert task.cancelled()
