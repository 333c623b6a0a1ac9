"""The zygote, which is warm and ignorant, and its children, which do one job each.

The zygote imports and compiles everything, runs no Polars query (a process
forked after one deadlocks), and holds no key, no row and no random state.  Per
job it forks; the child closes everything but its socket, gives up its rights,
reads the job, answers with integers and ends.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from privlab.engine import audit
from privlab.engine.audit import Audit
from privlab.engine.frames import receive_frame, send_frame
from privlab.engine.handle import READY
from privlab.engine.job import Job
from privlab.engine.practice import Practice
from privlab.engine.rewrite import Rewrite
from privlab.sandbox import limits
from privlab.sandbox.confine import confine

MAX_FILES = 256
MEMORY = 4 << 30
MEMORY_PER_ROW = 1024
"""Address space a child may add: a fixed part, and bytes per row of the stated row cap."""


def main() -> NoReturn:
    """Serve jobs until the curator closes the control socket (descriptor 0)."""
    limits.close_to_others()
    control = socket.socket(fileno=os.dup(0))
    limits.keep_only({control.fileno()})
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    from privlab.engine import (  # compile; after the process is closed to others
        invented,
        rewriting,  # noqa: F401
        run,
    )

    run.warm()
    invented.warm()
    control.send(READY)
    zygote = os.getpid()
    while True:
        try:
            message, descriptors, _, _ = socket.recv_fds(control, 16, 1)
        except InterruptedError:
            continue
        if not message:
            os._exit(0)
        for descriptor in descriptors:
            with suppress(OSError):  # no process left: that run fails, the others go on
                if os.fork() == 0:
                    _child(descriptor, zygote)
            os.close(descriptor)


def _child(descriptor: int, zygote: int) -> NoReturn:
    """Do one job.  Says nothing of what went wrong: it ends without an answer."""
    try:
        limits.die_with(zygote)
        limits.keep_only({descriptor})
        with socket.socket(fileno=descriptor) as connection:
            _serve(connection)
    except BaseException:  # noqa: BLE001  also a panic of a library: nobody may hear of it
        os._exit(1)
    os._exit(0)


def _serve(connection: socket.socket) -> None:
    from privlab.engine import invented, rewriting, run

    seconds = int(receive_frame(connection))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    raw = receive_frame(connection)
    job = _told(raw)
    cores = os.cpu_count() or 1
    limits.bound(
        memory=MEMORY + MEMORY_PER_ROW * job.rows,
        seconds=seconds * cores,
        files=MAX_FILES,
        writes=isinstance(job, Rewrite),
    )
    released: Any
    if isinstance(job, Practice):
        confine(library_folders())
        released = invented.release(job)
    elif isinstance(job, Audit):
        confine([Path(job.table.folder), *library_folders()])
        released = audit.found(job)
    elif isinstance(job, Rewrite):
        sources = [Path(one.folder) for one in job.sources]
        confine([*sources, *library_folders()], [Path(job.folder)])
        released = rewriting.rewrite(job).encode()
    else:
        confine([*(Path(one.folder) for one in job.tables), *library_folders()])
        released = run.release(job)
    send_frame(connection, json.dumps(released).encode("ascii"))


def _told(raw: bytes) -> Job | Practice | Audit | Rewrite:
    """:raises ValueError: it is none of them."""
    if Practice.is_encoded(raw):
        return Practice.decode(raw)
    if Audit.is_encoded(raw):
        return Audit.decode(raw)
    return Rewrite.decode(raw) if Rewrite.is_encoded(raw) else Job.decode(raw)


def library_folders() -> list[Path]:
    """Where modules that load late are; they hold code and no data.

    Polars loads some of its own when it first writes; it may stand beside the environment.
    """
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    polars = sys.modules.get("polars")
    beside = [] if polars is None else [Path(path).parent for path in polars.__path__]
    return sorted({*(Path(sysconfig.get_path(name)) for name in names), *beside})
