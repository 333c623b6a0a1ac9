"""Killed or out of disk while units are forgotten: the old version or the new one, and no mix.

A step is a call of the curator's that makes, links, writes, syncs, renames or removes
a file; the process dies there by SIGKILL, or hears there that the disk is full.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from privlab.curator import succession
from privlab.curator.boot import open_desk
from privlab.curator.workspace import load
from privlab.engine.handle import Engine
from privlab.errors import PrivlabError
from tests.conftest import CANARY_TEXT
from tests.curator.conftest import Inside
from tests.curator.test_succession import OLD, content, halves, left_over, rows, units

CALLS = ("open", "write", "fsync", "mkdir", "link", "rename", "replace", "unlink")
FEW = (3, 5, 9, 14, 20, 22, 24, 26, 28, 30, 33, 36, 40, 45, 50, 60)
"""Steps 1 and 2 remove and make what is so already, and may fail."""
DONE, TOLD, OTHER, NOT_REACHED = 0, 3, 5, 6


def struck(limit: int, how: str, taken: list[int]) -> None:
    """Have the step ``limit`` of this process fail."""

    def at(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **rest: Any) -> Any:
            if name != "open" or args[1] & (os.O_WRONLY | os.O_RDWR):
                taken[0] += 1
                if taken[0] == limit:
                    if how == "kill":
                        os.kill(os.getpid(), signal.SIGKILL)
                    if name != "unlink":
                        raise OSError(errno.ENOSPC, "No space left on device")
            return real(*args, **rest)

        return call

    for name in CALLS:
        setattr(os, name, at(name, getattr(os, name)))


@dataclass(frozen=True)
class Place:
    """A workspace that one process after another opens."""

    folder: Path
    engine: Engine

    def opened(self) -> Iterator[Inside]:
        workspace = load(self.folder)
        desk = open_desk(workspace, self.engine)
        who = workspace.principal(os.getuid())
        assert who is not None
        yield Inside(desk, who, self.folder)
        desk.ledger.close()

    def forget(self, limit: int, how: str) -> int:
        """Forget in a process of its own; how it ended."""
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        taken = [0]
        status = OTHER
        try:
            inside = next(self.opened())
            body = units(inside, OLD)
            struck(limit, how, taken)
            succession.forget(inside.desk, inside.who, body)
            status = DONE if taken[0] < limit else NOT_REACHED
        except PrivlabError as error:
            status = TOLD if error.code in ("PL152", "PL153") else OTHER
        finally:
            os._exit(status)


def walked(place: Place, how: str, steps: Iterator[int]) -> list[int]:
    """Strike at each step until one is not reached; check what is there after each."""
    (inside,) = [next(opening := place.opened())]
    before = content(rows(inside))
    unit = halves(inside, OLD)
    count = len(inside.desk.registered.manifests["clinic", "visits"].parts)
    next(opening, None)
    after = type(before)({row: n for row, n in before.items() if row[:2] != unit})
    ends = []
    for limit in steps:
        ends.append(place.forget(limit, how))
        opening = place.opened()
        inside = next(opening)
        version = inside.desk.ledger.versions()["clinic", "visits"]
        gone = {(one.version, one.column) for one in inside.desk.custody.gone()}
        own = unit[0] * count >> 64
        assert content(rows(inside)) == (before if version == 1 else after)
        assert gone == set() if version == 1 else gone == {(1, f"privlab_bucket_{own:04d}")}
        for file in inside.desk.workspace.tables.rglob("*"):
            assert not file.is_file() or CANARY_TEXT.encode() not in file.read_bytes()
        if how == "full" and version == 1:
            assert left_over(inside) == []
        next(opening, None)
        if version == 2:
            break
    return ends


@pytest.mark.parametrize("how", ["kill", "full"])
def test_a_fault_leaves_the_old_or_the_new_version(
    fresh_workspace: Callable[[], Any], engine: Engine, how: str
) -> None:
    place = Place(fresh_workspace().folder, engine)

    ends = walked(place, how, iter(FEW))

    assert (-signal.SIGKILL if how == "kill" else TOLD) in ends
    assert OTHER not in ends or how == "full"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "full"])
def test_a_fault_at_any_step_leaves_the_old_or_the_new_version(
    fresh_workspace: Callable[[], Any], engine: Engine, how: str
) -> None:
    place = Place(fresh_workspace().folder, engine)

    ends = walked(place, how, iter(range(3, 300)))

    assert len(ends) > 20
