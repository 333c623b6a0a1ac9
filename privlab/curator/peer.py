"""Who is on the other end: the peer's uid, and nothing else.

A Unix socket's peer credentials name the process that connected.  Its pid and
its executable can be changed after connecting; its uid cannot.  A descriptor
handed to another process keeps the connector's uid: a connection is a bearer
credential.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from privlab.errors import CuratorUnreachable
from privlab.sandbox.peer import peer_uid

PEER = "peer-uid"


class PeerProtocol(HttpToolsProtocol):
    """Puts ``("peer-uid", uid)`` where a TCP server puts the client's address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is None or connection.family != socket.AF_UNIX:
            transport.abort()
            return
        self.client = (PEER, peer_uid(connection))


def uid_of(scope: dict[str, Any]) -> int:
    """The uid of the peer of this request.

    :raises CuratorUnreachable: PL303, the connection carries none.
    """
    match scope.get("client"):
        case (kind, int(uid)) if kind == PEER:
            return uid
        case _:
            raise CuratorUnreachable("the connection does not say who is on it", code="PL303")
