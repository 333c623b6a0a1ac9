"""Landlock: what is allowed can be read, everything else cannot even be opened."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privlab.sandbox import landlock

needs_landlock = pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")


@needs_landlock
def test_only_the_allowed_folder_can_be_read(
    attack: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "a").write_text("mine")
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut" / "b").write_text("not mine")
    (tmp_path / "open" / "link").symlink_to(tmp_path / "shut" / "b")

    found = attack(
        """
        from pathlib import Path
        from privlab.sandbox import landlock, limits
        here = Path(sys.argv[1])
        limits.no_new_privileges()
        outcomes["abi"] = landlock.restrict([here / "open", here / "absent"])
        attempt("allowed", lambda: (here / "open" / "a").read_text())
        attempt("list", lambda: [p.name for p in (here / "open").iterdir()])
        attempt("other", lambda: (here / "shut" / "b").read_text())
        attempt("by link", lambda: (here / "open" / "link").read_text())
        attempt("passwd", lambda: Path("/etc/passwd").read_text())
        attempt("list other", lambda: list((here / "shut").iterdir()))
        attempt("memory", lambda: open("/proc/self/mem", "rb"))
        attempt("write", lambda: (here / "open" / "new").write_text("x"))
        attempt("change", lambda: (here / "open" / "a").write_text("x"))
        attempt("remove", lambda: (here / "open" / "a").unlink())
        attempt("folder", lambda: (here / "open" / "d").mkdir())
        """,
        str(tmp_path),
    )

    assert found.pop("abi") == landlock.abi()
    assert found.pop("allowed") == ["done", "mine"]
    assert found.pop("list")[0] == "done"
    assert {tuple(outcome) for outcome in found.values()} == {("refused", errno.EACCES)}
    assert (tmp_path / "open" / "a").read_text() == "mine"


@pytest.mark.skipif(landlock.abi() < 4, reason="this kernel's Landlock knows no TCP")
def test_tcp_is_refused(attack: Callable[..., dict[str, Any]]) -> None:
    found = attack(
        """
        import socket
        from privlab.sandbox import landlock, limits
        one, two = socket.socket(), socket.socket()
        limits.no_new_privileges()
        landlock.restrict([])
        attempt("connect", lambda: one.connect(("127.0.0.1", 9)))
        attempt("bind", lambda: two.bind(("127.0.0.1", 0)))
        """
    )

    assert found == {"connect": ["refused", errno.EACCES], "bind": ["refused", errno.EACCES]}


@pytest.mark.skipif(landlock.abi() < 6, reason="this kernel's Landlock has no scopes")
def test_other_processes_get_no_signal(attack: Callable[..., dict[str, Any]]) -> None:
    found = attack(
        """
        import os
        from privlab.sandbox import landlock, limits
        limits.no_new_privileges()
        landlock.restrict([])
        attempt("parent", lambda: os.kill(os.getppid(), 0))
        attempt("self", lambda: os.kill(os.getpid(), 0))
        """
    )

    assert found == {"parent": ["refused", errno.EPERM], "self": ["done", "None"]}


@needs_landlock
def test_a_refusal_is_not_silent(attack: Callable[..., dict[str, Any]]) -> None:
    """Without no_new_privs an ordinary user may not restrict herself: that must be heard."""
    found = attack(
        """
        import os
        from privlab.sandbox import landlock
        if os.getuid() == 0:
            os.setuid(65534)
        attempt("restrict", lambda: landlock.restrict([]))
        """
    )

    assert found == {"restrict": ["refused", errno.EPERM]}
