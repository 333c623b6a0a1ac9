"""Killed or out of disk between a version's rename and its registration, or at any step of that.

A step is a call of the curator's that makes, writes, syncs, renames or removes a file, a
statement of the ledger's; the last ones read what it then holds.  Before it does, the table is what it was, and protecting again makes the next version; afterwards
the new version is whole.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from privlab.curator import owner
from privlab.engine.handle import Engine
from privlab.errors import PrivlabError
from privlab.wire.owner import Register
from tests.curator.test_succession import content, left_over, rows
from tests.curator.test_succession_faults import DONE, NOT_REACHED, OTHER, TOLD, Place, struck

FEW = (1, 4, 8, 11, 13, 15, 17, 19, 22, 26, 30, 36, 44)


def registered(place: Place, body: Register, limit: int, how: str) -> int:
    """Register in a process of its own; how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    taken = [0]
    status = OTHER
    try:
        inside = next(place.opened())

        def step(*_: Any) -> bool:
            taken[0] += 1
            if taken[0] == limit and how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            return True

        inside.desk.ledger._db._connection.exec_trace = step
        struck(limit, how, taken)
        inside.register(body)
        status = DONE if taken[0] < limit else NOT_REACHED
    except PrivlabError as error:
        status = TOLD if error.code in ("PL152", "PL153") else OTHER
    finally:
        os._exit(status)


def walked(place: Place, how: str, steps: Iterable[int]) -> list[int]:
    """Strike at each step until one is not reached; check what is there after each."""
    opening = place.opened()
    before = content(rows(next(opening)).drop("privlab_unit_hi", "privlab_unit_lo"))
    next(opening, None)
    ends: list[int] = []
    for limit in steps:
        opening = place.opened()
        inside = next(opening)
        version = inside.desk.ledger.versions()["clinic", "visits"]
        body = inside.next_version()
        assert body.version == version + 1, "protecting again makes the version that is not there"
        next(opening, None)
        ends.append(registered(place, body, limit, how))
        opening = place.opened()
        inside = next(opening)
        now = inside.desk.ledger.versions()["clinic", "visits"]
        assert now in (version, body.version)
        assert now == body.version or ends[-1] != DONE
        assert inside.desk.registered.manifests["clinic", "visits"].version == now
        assert content(rows(inside).drop("privlab_unit_hi", "privlab_unit_lo")) == before
        assert left_over(inside) == []
        next(opening, None)
        if ends[-1] == DONE:
            break
    return ends


@pytest.mark.parametrize("how", ["kill", "full"])
def test_a_fault_leaves_the_old_or_the_new_version_and_protecting_again_heals(
    fresh_workspace: Callable[[], Any], engine: Engine, how: str
) -> None:
    ends = walked(Place(fresh_workspace().folder, engine), how, FEW)

    assert (-signal.SIGKILL if how == "kill" else TOLD) in ends
    assert OTHER not in ends


@pytest.mark.slow
@pytest.mark.parametrize("how", ["kill", "full"])
def test_a_fault_at_any_step_leaves_the_old_or_the_new_version(
    fresh_workspace: Callable[[], Any], engine: Engine, how: str
) -> None:
    ends = walked(Place(fresh_workspace().folder, engine), how, range(1, 300))

    assert len(ends) > 20
    assert ends[-1] == DONE


def test_a_version_that_was_never_registered_is_nobodys_and_is_replaced(
    fresh_workspace: Callable[[], Any], engine: Engine
) -> None:
    """Killed after the rename: the folder is there, without a manifest."""
    place = Place(fresh_workspace().folder, engine)
    opening = place.opened()
    first = next(opening).next_version()
    next(opening, None)

    opening = place.opened()
    inside = next(opening)
    folder = inside.desk.workspace.table_folder("clinic", "visits", first.version)
    assert folder.is_dir()
    assert inside.desk.ledger.versions()["clinic", "visits"] == first.version - 1
    again = inside.next_version()
    assert again.version == first.version
    with pytest.raises(PrivlabError):
        owner.register(inside.desk, inside.who, first)
    inside.register(again)
    assert inside.desk.ledger.versions()["clinic", "visits"] == first.version
    next(opening, None)
