"""Messages on a socket: whole, bounded, or an error."""

from __future__ import annotations

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.engine import frames
from privlab.engine.frames import receive_frame, send_frame


@given(st.lists(st.binary(max_size=100), max_size=5))
def test_what_was_sent_arrives_in_order(payloads: list[bytes]) -> None:
    one, two = socket.socketpair()
    with one, two:
        for payload in payloads:
            send_frame(one, payload)
        assert [receive_frame(two) for _ in payloads] == payloads


def test_a_message_larger_than_the_sockets_buffer_arrives() -> None:
    one, two = socket.socketpair()
    payload = b"x" * (4 << 20)
    with one, two:
        sender = threading.Thread(target=send_frame, args=(one, payload))
        sender.start()
        assert receive_frame(two) == payload
        sender.join()


@pytest.mark.parametrize("sent", [b"", b"\0\0", b"\0\0\0\x05abc"])
def test_an_end_in_the_middle_is_an_error(sent: bytes) -> None:
    one, two = socket.socketpair()
    with two:
        with one:
            one.sendall(sent)
        with pytest.raises(EOFError):
            receive_frame(two)


def test_an_absurd_length_is_refused_before_anything_is_allocated() -> None:
    one, two = socket.socketpair()
    with one, two:
        one.sendall(b"\xff\xff\xff\xff")
        with pytest.raises(ValueError, match="too long"):
            receive_frame(two)


def test_a_message_that_is_too_long_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAME", 3)
    one, two = socket.socketpair()
    with one, two, pytest.raises(ValueError, match="too long"):
        send_frame(one, b"abcd")
