"""Length-prefixed messages on a socket between the curator and an engine child."""

from __future__ import annotations

import socket

MAX_FRAME = 256 << 20
"""Bytes of one message at most."""

_LENGTH = 4


def send_frame(connection: socket.socket, payload: bytes) -> None:
    """Send one message.

    :raises OSError: the other end is gone, or too slow for the socket's timeout.
    :raises ValueError: longer than `MAX_FRAME`.
    """
    if len(payload) > MAX_FRAME:
        raise ValueError("the message is too long")
    connection.sendall(len(payload).to_bytes(_LENGTH, "big"))
    connection.sendall(payload)


def receive_frame(connection: socket.socket) -> bytes:
    """Receive one message.

    :raises EOFError: the other end closed in the middle.
    :raises OSError: nothing came within the socket's timeout.
    :raises ValueError: longer than `MAX_FRAME`.
    """
    length = int.from_bytes(_exactly(connection, _LENGTH), "big")
    if length > MAX_FRAME:
        raise ValueError("the message is too long")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    buffer = bytearray(count)
    view = memoryview(buffer)
    at = 0
    while at < count:
        got = connection.recv_into(view[at:])
        if got == 0:
            raise EOFError("the other end closed")
        at += got
    return bytes(buffer)
