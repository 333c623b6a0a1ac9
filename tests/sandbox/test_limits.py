"""Limits: each one is seen to hold."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from privlab.sandbox import calls

linux = pytest.mark.skipif(not calls.IS_LINUX, reason="Linux only")


def ended(script: str) -> int:
    """The exit status of a script in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.returncode


@linux
def test_a_closed_process_cannot_be_looked_into(attack: Callable[..., dict[str, Any]]) -> None:
    found = attack(
        """
        import ctypes, os, resource
        from privlab.sandbox import limits
        outcomes["closed"] = limits.close_to_others()
        outcomes["dumpable"] = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
        outcomes["core"] = resource.getrlimit(resource.RLIMIT_CORE)
        """
    )

    assert found == {"closed": True, "dumpable": 0, "core": [0, 0]}


@linux
def test_bounds_hold_for_memory_files_and_writing(attack: Callable[..., dict[str, Any]]) -> None:
    found = attack(
        """
        import os, resource, signal, tempfile
        from privlab.sandbox import limits
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        handle, path = tempfile.mkstemp()
        os.unlink(path)
        limits.bound(memory=100 << 20, seconds=5, files=32)
        attempt("little", lambda: len(bytearray(1 << 20)))
        attempt("much", lambda: len(bytearray(400 << 20)))
        attempt("write", lambda: os.write(handle, b"x"))
        attempt("files", lambda: [os.open("/dev/null", os.O_RDONLY) for _ in range(40)])
        attempt("raise", lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9)) or "raised"
                if os.getuid() else (_ for _ in ()).throw(PermissionError(1, "")))
        outcomes["cpu"] = resource.getrlimit(resource.RLIMIT_CPU)
        """
    )

    assert found["little"] == ["done", str(1 << 20)]
    assert found["much"] == ["raised", "MemoryError"]
    assert found["write"] == ["refused", errno.EFBIG]
    assert found["files"] == ["refused", errno.EMFILE]
    assert found["cpu"] == [5, 5]


@linux
def test_time_is_bounded() -> None:
    status = ended(
        """
        from privlab.sandbox import limits
        limits.bound(memory=1 << 30, seconds=1, files=32)
        while True:
            pass
        """
    )

    assert status in (-signal.SIGKILL, -signal.SIGXCPU)


@linux
def test_only_named_descriptors_survive(attack: Callable[..., dict[str, Any]]) -> None:
    found = attack(
        """
        import os
        from privlab.sandbox import limits
        kept, lost = os.open("/", os.O_RDONLY), os.open("/", os.O_RDONLY)
        out = os.dup(1)
        limits.keep_only({kept, out})
        os.fstat(kept)
        attempt("lost", lambda: os.fstat(lost))
        outcomes["standard"] = [os.readlink(f"/proc/self/fd/{n}") for n in (0, 1, 2)]
        outcomes["count"] = len(os.listdir("/proc/self/fd"))
        os.dup2(out, 1)
        """
    )

    assert found["lost"] == ["refused", errno.EBADF]
    assert found["standard"] == ["/dev/null"] * 3
    assert found["count"] == 6  # the standard three, two kept, and the listing itself


@linux
def test_a_child_ends_with_its_parent() -> None:
    read, write = os.pipe()
    script = f"""
    import os, time
    from privlab.sandbox import limits
    me = os.getpid()
    if os.fork() == 0:
        limits.die_with(me)
        os.write({write}, b"x")
        time.sleep(60)
    os.close({write})
    os.read({read}, 1)
    os._exit(0)
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        pass_fds=(read, write),
        check=True,
        timeout=30,
    )
    os.close(write)
    assert os.read(read, 1) == b""  # end of file: the grandchild is gone too
    os.close(read)


@linux
def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    assert ended("from privlab.sandbox import limits\nlimits.die_with(1 << 22)") == 1


@linux
def test_no_memory_becomes_code(attack: Callable[..., dict[str, Any]]) -> None:
    found = attack(
        """
        import mmap
        from privlab.sandbox import limits
        outcomes["applied"] = limits.no_new_code()
        attempt("map", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC))
        """
    )

    assert found["map"][0] == ("refused" if found["applied"] else "done")
