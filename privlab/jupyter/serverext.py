"""The panel's relay inside the Jupyter server.

It is not trusted and holds nothing: it passes on what the curator says to the
operating-system user it runs as.  A browser page learns over Jupyter's event
socket only *that* the ledger moved, and then reads the state as itself, so no
figure of anybody travels on a channel that others may listen to.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from typing import Any

import httpx
import tornado.web
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.application import ExtensionApp

from privlab.errors import PrivlabError
from privlab.wire import locate

LEDGER_SCHEMA = "https://schema.privlab.dev/ledger/v1"
EVENT: dict[str, Any] = {
    "$id": LEDGER_SCHEMA,
    "version": "1",
    "title": "The ledger moved",
    "description": "There is a newer state to read.  Says nothing about it.",
    "personal-data": False,
    "type": "object",
    "required": ["seq"],
    "additionalProperties": False,
    "properties": {"seq": {"type": "integer", "description": "Entries in the ledger."}},
}

START_EVERY = 60.0
"""Seconds between two attempts to start a curator that does not answer."""

PAUSE = 0.2
"""Seconds between two watches of which the first saw nothing."""

LONGEST_WAIT = 30.0
"""Seconds the watch waits at most before it looks for the curator again."""


class Relay:
    """One server's way to its curator: reads the state, watches the ledger."""

    def __init__(self, log: Any, emit: Any) -> None:
        self._log = log
        self._emit = emit
        self._tried_at = 0.0
        self._starting = asyncio.Lock()

    async def state(self) -> tuple[int, dict[str, Any]]:
        """The HTTP status and body for the panel.

        The curator is started when nobody answers, at most once a minute, and
        only of a workspace that `locate.check_trust` lets pass.
        """
        try:
            place = locate.find()
            try:
                return await self._read(place)
            except httpx.TransportError:
                await self._start(place)
                return await self._read(place)
        except PrivlabError as error:
            return 503, _problem(error.code, error.what, error.hint)
        except (httpx.HTTPError, OSError, ValueError):
            return 503, _UNREACHABLE

    async def watch(self) -> None:
        """Emit one event per change of the ledger, and one when the curator is back."""
        seen: int | None = None
        wait = 1.0
        while True:
            try:
                place = locate.find()
                locate.check_listener(place)
                async with _client(place, timeout=120.0) as client:
                    while True:
                        seq = await _next_seq(client, seen)
                        if seq != seen:
                            self._emit(schema_id=LEDGER_SCHEMA, data={"seq": seq})
                        else:
                            await asyncio.sleep(PAUSE)
                        seen, wait = seq, 1.0
            except (httpx.HTTPError, PrivlabError, OSError, ValueError, KeyError) as error:
                self._log.debug("privlab: the curator is away (%s)", type(error).__name__)
            seen = None
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def _read(self, place: locate.Place) -> tuple[int, dict[str, Any]]:
        locate.check_listener(place)
        async with _client(place, timeout=10.0) as client:
            response = await client.get("/v1/state")
        body = response.json()
        if not isinstance(body, dict):
            raise ValueError("not an object")  # noqa: TRY004 - a bad answer, not a bad call
        if response.status_code == httpx.codes.OK:
            return 200, body
        words = (str(body.get(name) or "") for name in ("code", "what", "hint"))
        return 502, _problem(*words)

    async def _start(self, place: locate.Place) -> None:
        locate.check_trust(place)
        async with self._starting:
            now = time.monotonic()
            if self._tried_at and now - self._tried_at < START_EVERY:
                return
            self._tried_at = now
            await asyncio.to_thread(locate.start, place)


class StateHandler(APIHandler):
    """``GET privlab/state``: what the panel shows, or why it cannot be shown."""

    auth_resource = "privlab"

    @tornado.web.authenticated
    @authorized
    async def get(self) -> None:
        status, body = await self.settings["privlab_relay"].state()
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(body))


class PrivlabServer(ExtensionApp):
    """Registers the route and the event, and watches while the server lives."""

    name = "privlab"
    load_other_extensions = True
    _watching: asyncio.Task[None] | None = None

    def initialize_settings(self) -> None:
        server: Any = self.serverapp
        if LEDGER_SCHEMA not in server.event_logger.schemas:
            server.event_logger.register_event_schema(EVENT)
        self.settings["privlab_relay"] = Relay(self.log, server.event_logger.emit)
        server.io_loop.add_callback(self._watch)

    def initialize_handlers(self) -> None:
        self.handlers.append(("/privlab/state", StateHandler))

    async def stop_extension(self) -> None:
        """Let go of the curator when the server stops."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def _watch(self) -> None:
        self._watching = asyncio.create_task(self.settings["privlab_relay"].watch())


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What the Jupyter server asks of an extension's module."""
    return [{"module": "privlab.jupyter.serverext", "app": PrivlabServer}]


def _client(place: locate.Place, *, timeout: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(uds=str(place.socket), verify=_NO_TLS),
        base_url=place.base_url,
        timeout=httpx.Timeout(10.0, read=timeout),
    )


async def _next_seq(client: httpx.AsyncClient, seen: int | None) -> int:
    """The ledger's length: at once when ``seen`` is None, else when it has changed."""
    response = await client.get("/v1/watch", params={"after": -1 if seen is None else seen})
    response.raise_for_status()
    return int(response.json()["seq"])


def _problem(code: str, what: str, hint: str) -> dict[str, Any]:
    return {"code": code, "what": what, "hint": hint}


_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""A Unix socket has no TLS; this context trusts nobody and loads no certificates."""

_UNREACHABLE = _problem("PL300", "no curator answered", "start it with: privlab curator start")
