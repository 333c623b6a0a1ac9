"""A table version's folder appears whole, or not at all.

Everything is written to a hidden folder beside it, made durable, and renamed.
A process that is killed leaves the hidden folder, which the next one removes.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from privlab.connector.manifest import MANIFEST_FILE
from privlab.errors import BadContract


@contextmanager
def new_version(folder: Path) -> Iterator[Path]:
    """A hidden folder that takes the place of ``folder`` when all went well.

    A version that has no manifest was never registered and is replaced.

    :raises BadContract: PL151, the version is registered already, or another
        process is writing versions of this table.
    """
    parent = folder.parent
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(handle, folder)
        for left_over in parent.glob(f".{folder.name}.*.new"):
            shutil.rmtree(left_over)
        draft = parent / f".{folder.name}.{secrets.token_hex(4)}.new"
        draft.mkdir(mode=0o700)
        try:
            yield draft
            sync_folder(draft)
            if folder.exists():  # of a version that was never registered
                folder.rename(parent / f".{folder.name}.old.new")
            draft.rename(folder)
            os.fsync(handle)
        finally:
            for left_over in parent.glob(f".{folder.name}.*.new"):
                with suppress(OSError):
                    shutil.rmtree(left_over)
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BadContract(
            "this table is being protected by another process",
            code="PL151",
            hint="wait for it to end, then try again",
        ) from None
    if (folder / MANIFEST_FILE).exists():
        raise BadContract(
            f"version {folder.name} of this table exists already",
            code="PL151",
            hint="protect it again to make the next version",
        )


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_full_told(name: str) -> Iterator[None]:
    """Say PL153 where a file could not be written for want of room."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise BadContract(
            f"the disk became full while {name} was written; nothing of it is left",
            code="PL153",
            hint="free about twice the size of the table where the workspace is, then try again",
        ) from None
