"""Inside a child: attacks on it from within, and what it can still see.

The zygote's program is the real one; only the work of a child is replaced by
the attack, whose outcomes come back as integers in place of the answer.
"""

from __future__ import annotations

import errno
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privlab.engine.handle import Engine
from privlab.engine.zygote import library_folders
from privlab.query.plan import Key, Measure, MeasureKind, Ref
from privlab.sandbox import calls, landlock
from privlab.terms.catalog import Kind

pytestmark = pytest.mark.skipif(not calls.IS_LINUX, reason="Linux only")

COUNT = Measure(MeasureKind.ROWS)
DONE, OTHER = 0, -1
MAIN = Path(sys.executable).name[:15]

Child = Callable[[str], list[int]]


@pytest.fixture
def child(tmp_path: Path, place: Any, cache: Path) -> Child:
    """Runs a script in an engine child; ``attempt(act)`` appends 0, an errno or -1."""

    def run(script: str) -> list[int]:
        path = tmp_path / "python"
        body = textwrap.indent(textwrap.dedent(script), "    ")
        path.write_text(
            f"#!{sys.executable}\n"
            "import os, socket, sys, threading\n"
            "from privlab.engine import run, zygote\n"
            "def attack(job):\n"
            "    outcomes = []\n"
            "    def attempt(act):\n"
            "        try:\n"
            "            act()\n"
            "            outcomes.append(0)\n"
            "        except OSError as error:\n"
            "            outcomes.append(error.errno)\n"
            "        except BaseException:\n"
            "            outcomes.append(-1)\n"
            f"{body}\n"
            "    return [outcomes + [99] * (12 - len(outcomes))]\n"
            "run.release = attack\n"
            "zygote.main()\n"
        )
        path.chmod(0o700)
        engine = Engine(str(path), cache=cache, seconds=30)
        try:
            twelve = Key(Ref("age", Kind.INT), Kind.INT, tuple(range(12)))
            (found,) = engine.run(place.job(place.plan(COUNT, keys=(twelve,)))).vectors
        finally:
            engine.stop()
        return [outcome for outcome in found if outcome != 99]

    return run


def test_a_child_reads_its_table_version_and_nothing_else(child: Child, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for the engine")

    found = child(
        f"""
        attempt(lambda: open(job.tables[0].folder + "/" + job.tables[0].parts[0].facts.rows.name, "rb").read())
        attempt(lambda: open("/etc/passwd").read())
        attempt(lambda: open({str(secret)!r}).read())
        attempt(lambda: os.listdir(os.path.dirname(job.tables[0].folder)))
        attempt(lambda: open(job.tables[0].folder + "/new", "w"))
        attempt(lambda: open("/proc/self/mem", "rb"))
        """
    )

    assert found[0] == DONE
    if landlock.abi():
        assert found[1:] == [errno.EACCES] * 5


def test_a_child_has_no_network_and_starts_nothing(child: Child) -> None:
    found = child(
        """
        attempt(lambda: socket.socket())
        attempt(lambda: socket.socket(socket.AF_UNIX))
        attempt(lambda: os.fork())
        attempt(lambda: os.execv("/bin/true", ["true"]))
        attempt(lambda: os.kill(os.getppid(), 9))
        """
    )

    assert all(outcome in (errno.EPERM, errno.EACCES) for outcome in found)
    assert len(found) == 5


def test_a_child_holds_one_socket_and_no_other_descriptor(child: Child) -> None:
    found = child(
        """
        still = []
        for descriptor in range(256):
            try:
                os.fstat(descriptor)
                still.append(descriptor)
            except OSError:
                pass
        outcomes.append(len(still))
        outcomes.append(int(still[:3] == [0, 1, 2]))
        """
    )

    assert found == [4, 1]


def test_the_zygote_has_no_thread_that_holds_locks(engine: Engine) -> None:
    """What a thread of the parent held at the fork, a child would wait for without end."""
    engine.start()
    assert engine._process is not None
    try:
        tasks = list(Path(f"/proc/{engine._process.pid}/task").iterdir())
        names = {(task / "comm").read_text().strip() for task in tasks}
    except PermissionError:
        pytest.skip("the process is closed to its own user, as it should be")

    assert not any(
        name.startswith(("jemalloc", "python", "async", "pool")) for name in names - {MAIN}
    )
    assert len(tasks) <= 2  # Polars starts one that waits for files to remove


def test_memory_and_writing_are_bounded(child: Child) -> None:
    found = child(
        """
        import resource
        attempt(lambda: bytearray(64 << 30))
        outcomes.append(resource.getrlimit(resource.RLIMIT_FSIZE)[0])
        outcomes.append(resource.getrlimit(resource.RLIMIT_CORE)[0])
        """
    )

    assert found == [OTHER, 0, 0]


def test_library_folders_hold_code_only() -> None:
    folders = library_folders()

    assert folders
    assert all("python" in str(folder) for folder in folders)
