"""The curator's hold on the engine: start it, hand it jobs, take integers back.

The zygote gets each job's socket by SCM_RIGHTS and never reads from it: keys go
from the curator straight to the child that uses them.  Whatever goes wrong
afterwards, the caller hears the same `EngineFailed`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from privlab.engine.audit import Audit, Finding
from privlab.engine.frames import receive_frame, send_frame
from privlab.engine.job import Job
from privlab.engine.practice import Practice
from privlab.engine.released import Released
from privlab.engine.rewrite import Rewrite, Rewritten
from privlab.errors import EngineFailed
from privlab.sandbox.folders import private_folder

READY = b"ready"
START_SECONDS = 180.0
"""The first start compiles the kernels; later ones read the cache."""

REWRITTEN_PER_SECOND = 50_000
"""Rows of the row cap; what is slower than that on top of a question's time is given up."""


class Engine:
    """One zygote process, and a child of it per job.  Safe to use from several threads.

    python: the interpreter that has ``privlab[curator]``.
    cache: a folder of this user's alone; Numba keeps compiled kernels in it.
    seconds: what one run may take at most.
    parallel: how many runs go on at once; further ones wait.
    """

    def __init__(
        self,
        python: str = sys.executable,
        *,
        cache: Path,
        seconds: int = 300,
        parallel: int = 2,
    ) -> None:
        self._python = python
        self._cache = cache
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(parallel)
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the zygote and wait until it is ready.  Nothing, when it runs already.

        :raises BadContract: PL152, the cache folder is not this user's alone.
        :raises EngineFailed: it did not become ready.
        """
        with self._guard:
            if self._process is None or self._process.poll() is not None:
                self._end()
                self._spawn()

    def run(self, job: Job | Practice) -> Released:
        """The noisy vector of each measure, in steps, cells as the plan orders them.

        Where a threshold shows groups: those that it showed, and their vectors.

        :raises EngineFailed: for any reason at all, always in the same words.
        """
        try:
            with self._places:
                return Released.decode(self._ask(job.encode(), self._seconds), job)
        except Exception:  # noqa: BLE001  the words may not depend on what went wrong
            raise EngineFailed from None

    def audit(self, audit: Audit) -> tuple[Finding, ...]:
        """What of a table version is not what was written, for its owner.

        :raises EngineFailed: for any reason at all, always in the same words.
        """
        try:
            with self._places:
                return audit.findings(self._ask(audit.encode(), self._seconds))
        except Exception:  # noqa: BLE001  the words may not depend on what went wrong
            raise EngineFailed from None

    def rewrite(self, job: Rewrite) -> Rewritten:
        """Have the parts of a new version written; only then are there any.

        :raises EngineFailed: as `run`.
        """
        seconds = self._seconds + job.rows // REWRITTEN_PER_SECOND
        try:
            with self._places:
                return Rewritten.decode(self._ask(job.encode(), seconds), job)
        except Exception:  # noqa: BLE001  the words may not depend on what went wrong
            raise EngineFailed from None

    def stop(self) -> None:
        """End the zygote, and with it every run."""
        with self._guard:
            self._end()

    def _ask(self, job: bytes, seconds: int) -> bytes:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._hand_over(theirs)
            ours.settimeout(seconds)
            send_frame(ours, str(seconds).encode("ascii"))
            send_frame(ours, job)
            return receive_frame(ours)

    def _hand_over(self, theirs: socket.socket) -> None:
        """Give the zygote the child's end; one that has died is started again first."""
        with self._guard:
            for _ in range(2):
                if self._control is not None:
                    with contextlib.suppress(OSError):
                        socket.send_fds(self._control, [b"job"], [theirs.fileno()])
                        return
                self._end()
                self._spawn()
        raise OSError("the zygote does not answer")

    def _spawn(self) -> None:
        private_folder(self._cache)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [self._python, "-I", "-m", "privlab.engine"],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=_environment(self._cache),
                    start_new_session=True,
                )
            except OSError:
                self._end()
                raise EngineFailed from None
        ours.settimeout(START_SECONDS)
        try:
            answer = ours.recv(64)
        except OSError:
            answer = b""
        if answer != READY:
            self._end()
            raise EngineFailed
        ours.settimeout(30)

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def _environment(cache: Path) -> dict[str, str]:
    """All that the engine inherits: no search paths, no preloads, no secrets."""
    return {
        "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow's: no threads to fork
        "LC_ALL": "C.UTF-8",
        "NUMBA_CACHE_DIR": str(cache.resolve()),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": "/usr/bin:/bin",
        "POLARS_MAX_THREADS": str(max(1, os.cpu_count() or 1)),
        "TZ": "UTC",
        "_RJEM_MALLOC_CONF": "background_thread:false",  # Polars' own
    }
