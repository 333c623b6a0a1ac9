"""A curator starts alone, unwatched, and with the key its workspace knows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privlab.client.session import Session
from privlab.curator import boot
from privlab.errors import CuratorUnreachable, IntegrityError
from privlab.seal.keys import SigningKey
from privlab.wire import locate
from tests.conftest import PLAIN


def test_a_preloaded_start_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/tmp/evil.so")

    with pytest.raises(CuratorUnreachable) as refusal:
        boot.refuse_a_watched_start()

    assert refusal.value.code == "PL303"


def test_an_unwatched_start_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_PRELOAD", raising=False)

    boot.refuse_a_watched_start()


def test_a_second_curator_of_a_workspace_ends_at_once(protected_workspace: Any) -> None:
    locate.start(locate.find(env={**os.environ, **protected_workspace.env}))

    second = subprocess.run(
        [sys.executable, "-I", "-m", "privlab.curator", "--workspace", protected_workspace.folder],
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert (second.returncode, second.stderr) == (0, b"")


def test_another_signing_key_than_the_workspaces_is_refused(tmp_path: Path) -> None:
    from privlab.curator.workspace import create

    made = create(tmp_path / "w", custody=PLAIN)
    boot._pin(made, SigningKey(b"1" * 32).public)

    with pytest.raises(IntegrityError) as refusal:
        boot._pin(made, SigningKey(b"2" * 32).public)

    assert refusal.value.code == "PL404"


def test_stopping_where_nothing_runs_says_so(fresh_workspace: Callable[[], Any]) -> None:
    place = fresh_workspace()

    assert boot.stop(place.folder) is False


def test_the_curator_never_loads_a_dataframe_library() -> None:
    """Asked of the interpreter, not of the sources."""
    code = (
        "import sys, privlab.curator.boot;"
        "print([m for m in ('polars', 'pyarrow', 'numba', 'opendp.prelude', 'IPython')"
        " if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_a_running_curator_cannot_be_read_by_its_own_user(protected_workspace: Any) -> None:
    """PR_SET_DUMPABLE 0: its memory files belong to root."""
    locate.start(locate.find(env={**os.environ, **protected_workspace.env}))
    pid = int((protected_workspace.folder / "curator.lock").read_text())

    assert Path(f"/proc/{pid}/mem").stat().st_uid == 0
    assert "Max core file size        0" in Path(f"/proc/{pid}/limits").read_text()


def test_a_curator_ends_when_its_workspace_is_deleted(
    fresh_workspace: Callable[[], Any],
) -> None:
    """Else it would answer for the next workspace in the same place."""
    place = fresh_workspace()
    where = locate.start(locate.find(env={**os.environ, **place.env}))
    shutil.rmtree(place.folder)

    for _ in range(100):
        if locate.peer_uid(where.socket) is None:
            return
        time.sleep(0.1)
    raise AssertionError("it went on")


def test_stopping_does_not_wait_for_a_watcher(fresh_workspace: Callable[[], Any]) -> None:
    place = fresh_workspace()
    session = Session(locate.start(locate.find(env={**os.environ, **place.env})))
    seq = session.state().seq
    watcher = threading.Thread(
        target=lambda: session._http.get("/v1/watch", params={"after": seq}), daemon=True
    )
    watcher.start()
    time.sleep(0.3)

    begin = time.monotonic()
    place.stop()

    assert time.monotonic() - begin < 5
