"""Small secret files: read by their owner alone, replaced at once or not at all.

Every change goes to a draft beside the file, is made durable, and is renamed over
it.  Whoever is killed leaves the old file, or the new one, and maybe a draft,
which the next change removes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from privlab.errors import BadContract

MOST = 64 << 20
"""Bytes of a file that are read at most."""


def read_private(path: Path) -> bytes:
    """The whole file, if it is a regular one, ours, and closed to others.

    :raises FileNotFoundError: there is none.
    :raises BadContract: PL152, it is a link, another's, or others can read it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError:
        raise _unusable(
            f"{path} cannot be read", "it must be a file of yours, and no link"
        ) from None
    try:
        facts = os.fstat(descriptor)
        mode = stat.S_IMODE(facts.st_mode)
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.getuid():
            raise _unusable(f"{path} is not a file of yours", "let its owner run the curator")
        if mode & 0o077:
            raise _unusable(
                f"{path} can be read by others (mode {mode:04o})", f"type: chmod 600 {path}"
            )
        if facts.st_size > MOST:
            raise _unusable(f"{path} is too large to be what it should be", "restore it")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MOST)
    finally:
        os.close(descriptor)


def write_private(path: Path, content: bytes) -> None:
    """Put ``content`` in the file's place: durable when it returns.

    :raises BadContract: PL152, the disk is full or does not take it; the old file
        is then still there.
    """
    draft = path.parent / f".{path.name}.new"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            os.unlink(draft)  # noqa: PTH108  all changes of files are calls of os: tests count them
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(draft, flags, 0o600)
        try:
            _all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(draft, path)  # noqa: PTH105
        sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            os.unlink(draft)  # noqa: PTH108
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise _unusable(
            f"{path} cannot be written: {'the disk is full' if full else error.strerror}",
            "nothing was changed; make room, or name a folder of yours",
        ) from None


def remove(path: Path) -> None:
    """Overwrite the file once, best effort, and unlink it, durably.  Absent is done.

    File systems that copy on write, and flash, may keep the old blocks: whoever
    needs more than this keeps the master elsewhere (``docs/keys.md``).
    """
    try:
        with suppress(OSError), path.open("r+b") as file:
            file.write(b"\0" * path.stat().st_size)
            file.flush()
            os.fsync(file.fileno())
        os.unlink(path)  # noqa: PTH108
        sync(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(f"{path} cannot be removed: {error.strerror}", "remove it") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of this file; another process that changes it waits.

    The lock is a file of its own, for the file itself is replaced.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path.parent / f".{path.name}.lock", flags, 0o600)
    except OSError as error:
        raise _unusable(
            f"{path} cannot be locked: {error.strerror}", "name a folder of yours"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync(folder: Path) -> None:
    """Make the folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _unusable(what: str, hint: str) -> BadContract:
    return BadContract(what, code="PL152", hint=hint)
