"""Limits of one process: memory, time, files, and who may look into it."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from pathlib import Path

from privlab.sandbox import calls

_USUAL_FILES = 256


def close_to_others() -> bool:
    """No core dumps, and no ptrace or ``/proc`` access by processes of the same user.

    Returns whether the kernel could do it (Linux); elsewhere only core dumps end.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        calls.prctl(calls.PR_SET_DUMPABLE, 0)
        return True
    return False


def no_new_privileges() -> bool:
    """No set-uid program gives rights from now on; needed by Landlock and seccomp."""
    with contextlib.suppress(OSError):
        calls.prctl(calls.PR_SET_NO_NEW_PRIVS, 1)
        return True
    return False


def no_new_code() -> bool:
    """No memory becomes executable from now on (PR_SET_MDWE, Linux 6.3)."""
    with contextlib.suppress(OSError):
        calls.prctl(calls.PR_SET_MDWE, 1)
        return True
    return False


def die_with(parent: int) -> bool:
    """Be killed when the process ``parent``, which forked this one, ends.

    Exits at once when it has ended already.
    """
    try:
        calls.prctl(calls.PR_SET_PDEATHSIG, int(signal.SIGKILL))
    except OSError:
        return False
    if os.getppid() != parent:
        os._exit(1)
    return True


def bound(*, memory: int, seconds: int, files: int, writes: bool = False) -> None:
    """Hard limits: ``memory`` more bytes of address space than now, CPU seconds,
    open files; and no file may be written, but for a process that ``writes``.

    A limit that is lower already stays.
    """
    _lower(resource.RLIMIT_AS, _address_space() + memory)
    _lower(resource.RLIMIT_CPU, seconds)
    _lower(resource.RLIMIT_NOFILE, files)
    if not writes:
        _lower(resource.RLIMIT_FSIZE, 0)


def room_for_files(count: int) -> None:
    """So many more open files than the usual few, as far as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _USUAL_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def keep_only(descriptors: set[int]) -> None:
    """Close every other file descriptor, and point 0, 1, 2 at ``/dev/null``."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        if standard not in descriptors:
            os.dup2(null, standard)
    kept = sorted(descriptors | {0, 1, 2})
    for low, high in zip(kept, [*kept[1:], _most_files()], strict=True):
        os.closerange(low + 1, high)


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _address_space() -> int:
    """Bytes mapped now; 0 where ``/proc`` does not say."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        return pages * resource.getpagesize()
    return 0


def _most_files() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 20 if soft == resource.RLIM_INFINITY else min(soft, 1 << 20)
