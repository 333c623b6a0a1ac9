"""A curator's socket without a curator behind it: it speaks the wire protocol.

What it answers is set by each test, so that refusals, slow answers and a
curator that goes away can be told apart.  The whole path, with the real
curator, is walked in ``tests/e2e`` and ``tests/ui``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socketserver
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from privlab.release import bundle as bundles
from privlab.release.verify import GAUSSIAN, PREDICATE_TYPE, STATEMENT_TYPE
from privlab.seal.keys import SigningKey
from privlab.wire.messages import (
    Account,
    Answer,
    Ask,
    ColumnFacts,
    ColumnPrice,
    Event,
    Explanation,
    Message,
    Phase,
    Practised,
    Problem,
    Receipt,
    Released,
    State,
    TableFacts,
)

ACCOUNT = Account(
    dataset="clinic",
    granted="1000",
    spent="70",
    left_share="93 %",
    epsilon_spent="0.42",
    epsilon_granted="3.00",
    delta="1e-9",
    words="93 % left",
)
RELEASED = Released(
    id="first-request",
    at="2026-11-24T08:00:00Z",
    dataset="clinic",
    title="by_ward",
    question="SELECT ward, COUNT(*) AS n\nFROM visits GROUP BY ward",
    charged="10",
    charged_share="1 %",
    purpose="exploration",
)
VISITS = TableFacts(
    dataset="clinic",
    name="visits",
    version=1,
    unit="patient_id",
    unit_word="patient",
    bound="at most 8 rows per patient",
    currency="gdp",
    rows="about 1,500,000 (stated)",
    synthetic=True,
    about="made-up visits",
    purposes=("exploration", "teaching"),
    columns=(
        ColumnFacts(name="ward", kind="text", facts="a, b", key=True, withheld=False),
        ColumnFacts(name="age", kind="int", facts="0 to 110", key=False, withheld=False),
        ColumnFacts(name="notes", kind="text", facts="withheld", key=False, withheld=True),
    ),
)
FLIGHTS = VISITS.model_copy(
    update={
        "dataset": "aviation",
        "name": "flights",
        "columns": (
            ColumnFacts(name="origin", kind="text", facts="EWR", key=True, withheld=False),
        ),
    }
)
EXPLANATION = Explanation(
    plan="group by ward\n  scan visits",
    columns=(ColumnPrice(name="n", label="rows", share="1 %", half_width="18", held=False),),
    charge="10",
    charged_share="1 %",
    left_share="93 %",
    words="would cost 1 % of your grant on clinic",
)
PHASES = (
    Event(phase=Phase(phase="read", words="reading the question…")),
    Event(phase=Phase(phase="charge", words="charging…")),
)

RESULT = {
    "title": "by_ward",
    "caption": "at most 8 rows per patient",
    "confidence": "95",
    "columns": [
        {"name": "ward", "label": "key", "kind": "text", "decimals": 0, "unit_word": ""},
        {"name": "n", "label": "rows", "kind": "int", "decimals": 0, "unit_word": ""},
    ],
    "rows": [["cardiology", "12345"], ["surgery", "-12"]],
    "half_widths": [[None, "17.2"], [None, "18"]],
}
RECEIPT = Receipt(
    dataset="clinic",
    charged="10",
    spent="80",
    granted="1000",
    charged_share="1 %",
    left_share="92 %",
    free=False,
    words="cost 1 % of your grant on clinic; 92 % left",
)


MEASURE = {  # costs 8 / (8 * 1000^2), a millionth: less than 2^-19, which is held
    "mechanism": GAUSSIAN,
    "squaredSensitivity": "8",
    "noises": [{"multiplier": "1000", "shift": "0"}],
}
LOSS = {
    "definition": "gdp: units of 2^-48 of mu^2, added up",
    "held": str(1 << 29),
    "delta": "0.000001",
    "epsilon": "0.0001",
}


def signed(key: SigningKey) -> Event:
    """`RESULT` as the curator would answer it: signed, with a receipt."""
    result = json.dumps(RESULT)
    statement = {
        "_type": STATEMENT_TYPE,
        "predicateType": PREDICATE_TYPE,
        "subject": [{"digest": {"sha256": hashlib.sha256(result.encode()).hexdigest()}}],
        "predicate": {
            "question": {"groupKeys": "public"},
            "loss": LOSS,
            "measures": [MEASURE],
        },
    }
    bundle = bundles.make(result, statement, key)
    return Event(answer=Answer(bundle=bundle, receipt=RECEIPT))


@dataclass
class StandIn:
    """What the socket answers, and what it was asked."""

    socket: Path
    state: State
    events: list[Event]
    tables: tuple[TableFacts, ...] = (VISITS, FLIGHTS)
    explanation: Explanation = EXPLANATION
    refusal: Problem | None = None
    pause: float = 0.0
    key: str = ""
    asked: list[Ask] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    server: Any = None

    @property
    def url(self) -> str:
        return f"unix:{self.socket}"

    def charge(self) -> None:
        """Move the ledger on by one."""
        self.state = self.state.model_copy(update={"seq": self.state.seq + 1})

    def start(self) -> None:
        """Listen."""
        self.server = _Server(str(self.socket), _Handler)
        self.server.stand_in = self
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Go away; the socket's file stays behind, as after a crash."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    stand_in: StandIn

    def server_bind(self) -> None:
        Path(str(self.server_address)).unlink(missing_ok=True)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the test."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        it = self.server.stand_in
        path, _, query = self.path.partition("?")
        it.paths.append(path)
        if it.refusal is not None:
            self._reply(it.refusal, 403)
        elif path == "/v1/hello":
            self._reply(
                {
                    "protocol": 1,
                    "version": "0",
                    "workspace": "/a/workspace",
                    "key": it.key,
                    "principal": it.state.principal,
                    "roles": ["analyst"],
                    "tier": "same-uid",
                }
            )
        elif path == "/v1/state":
            self._reply(it.state)
        elif path == "/v1/tables":
            self._reply([facts.model_dump(mode="json") for facts in it.tables])
        elif path.startswith("/v1/tables/"):
            name = path.rpartition("/")[2]
            found = next((facts for facts in it.tables if facts.name == name), None)
            missing = Problem(code="PL102", what=f"there is no table {name}", hint="visits?")
            self._reply(found or missing, 200 if found else 400)
        elif path == "/v1/watch":
            self._watch(it, int(query.removeprefix("after=")))

    def do_POST(self) -> None:
        it = self.server.stand_in
        it.asked.append(self._ask())
        it.paths.append(self.path)
        practised = Practised(result=json.dumps(RESULT), explanation=it.explanation)
        told = practised if self.path == "/v1/practice" else it.explanation
        self._reply(it.refusal or told, 403 if it.refusal else 200)

    def do_PUT(self) -> None:
        it = self.server.stand_in
        it.asked.append(self._ask())
        if it.refusal is not None:
            self._reply(it.refusal, 403)
            return
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson")
        self.end_headers()
        for event in it.events:
            self.wfile.write(event.model_dump_json(exclude_none=True).encode() + b"\n")
            self.wfile.flush()
            time.sleep(it.pause)

    def _watch(self, it: StandIn, after: int) -> None:
        deadline = time.monotonic() + 5
        while it.state.seq == after and it.server is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        self._reply({"seq": it.state.seq})

    def _ask(self) -> Ask:
        return Ask.model_validate_json(self.rfile.read(int(self.headers["content-length"])))

    def _reply(self, body: Message | dict[str, Any] | list[Any], status: int = 200) -> None:
        plain = body.model_dump(mode="json") if isinstance(body, Message) else body
        content = json.dumps(plain).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Keep quiet: a Unix socket's client has no address to log."""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A curator's socket, and ``PRIVLAB_URL`` pointing to it."""
    folder = Path(tempfile.mkdtemp(prefix="pl-"))
    state = State(seq=3, principal="ada", accounts=(ACCOUNT,), releases=(RELEASED,))
    key = SigningKey(os.urandom(32))
    events = [*PHASES, signed(key)]
    it = StandIn(folder / "s", state, events, key=key.public.text)
    monkeypatch.setenv("PRIVLAB_URL", it.url)
    it.start()
    yield it
    it.stop()
    shutil.rmtree(folder)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """``PRIVLAB_URL`` names a socket that does not exist."""
    path = tmp_path / "none"
    monkeypatch.setenv("PRIVLAB_URL", f"unix:{path}")
    os.environ.pop("PRIVLAB_WORKSPACE", None)
    return path
