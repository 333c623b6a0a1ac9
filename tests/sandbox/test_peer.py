"""Peers: the kernel says which uid connected."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from privlab.sandbox.peer import peer_uid


def test_a_connection_knows_the_uid_of_its_other_end(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        client.connect(str(tmp_path / "s"))
        server, _ = listener.accept()
        with server:
            assert peer_uid(server) == os.getuid()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_users_connection_has_her_uid(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0privlab-peer-test")
        listener.listen()
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect("\0privlab-peer-test")
                client.recv(1)
            os._exit(0)
        server, _ = listener.accept()
        with server:
            assert peer_uid(server) == 65534
        os.waitpid(child, 0)


def test_a_socket_without_a_peer_is_refused() -> None:
    for family in (socket.AF_INET, socket.AF_UNIX):
        with socket.socket(family) as alone, pytest.raises(OSError, match=r"."):
            peer_uid(alone)
