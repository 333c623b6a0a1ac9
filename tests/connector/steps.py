"""Kill, or fill the disk, at the n-th step of whatever changes a file of keys."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from privlab.connector import durable

CHANGES = ("open", "write", "fsync", "replace", "unlink", "close")
FAILABLE = ("open", "write", "fsync", "replace")


class Steps:
    """Stands in for `os` in `durable`: counts its calls, and strikes at one of them.

    how: "before" and "after" kill the process (-9); "half" writes one half first;
    "full" says that the disk is full; "count" does nothing.
    """

    def __init__(self, how: str, at: int) -> None:
        self.how, self.at, self.taken, self.struck = how, at, 0, False

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self.counted(name, real) if name in CHANGES else real

    def counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """The call, as one step."""

        def call(*arguments: Any, **named: Any) -> Any:
            self.taken += 1
            if self.taken != self.at:
                return real(*arguments, **named)
            if self.how == "full":
                if name not in FAILABLE:
                    return real(*arguments, **named)
                self.struck = True
                raise OSError(errno.ENOSPC, "No space left on device")
            if self.how == "half" and name == "write":
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            if self.how == "after":
                with suppress(OSError):
                    real(*arguments, **named)
            os.kill(os.getpid(), signal.SIGKILL)
            raise AssertionError("killed")

        return call


def steps_of(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many steps it takes when nothing strikes."""
    with monkeypatch.context() as patch:
        counting = Steps("count", 0)
        patch.setattr(durable, "os", counting)
        act()
    return counting.taken


def killed(act: Callable[[Steps], object], how: str, at: int) -> bool:
    """Run it in a child that is killed at this step; whether it was."""
    child = os.fork()
    if not child:
        steps = Steps(how, at)
        durable.os = steps  # type: ignore[attr-defined]
        status = 1
        try:
            act(steps)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed by itself"
    return os.WIFSIGNALED(status)
