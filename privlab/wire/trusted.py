"""The list of workspaces whose curator this user lets be started.

A workspace names the program that runs its curator, so a folder that was
downloaded could name any.  Being found above the working folder is therefore
not enough: the folder must be on this list, which `privlab init`, the demo and
`privlab trust` write.  It is a file of the user's own,
``$XDG_CONFIG_HOME/privlab/trusted``: mode 0600 in a folder of mode 0700, one
resolved path a line.  What is in a workspace this module does not know.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from privlab.errors import BadContract, CuratorUnreachable

MAX_BYTES = 1 << 20


def trust_file(env: Mapping[str, str] = os.environ) -> Path:
    """Where the list is; it may not exist."""
    base = env.get("XDG_CONFIG_HOME") or ""
    # The XDG specification: a path that is not absolute is to be ignored.
    config = Path(base) if base.startswith("/") else Path.home() / ".config"
    return config / "privlab" / "trusted"


def trust(folder: Path, env: Mapping[str, str] = os.environ) -> Path:
    """Put ``folder`` on the list, once; returns its resolved path.

    :raises BadContract: PL152, the list cannot be written, or the path does not
        fit on one line.
    :raises CuratorUnreachable: PL303, somebody else could have written the list.
    """
    path = folder.resolve()
    line = os.fsencode(path)
    if b"\n" in line or b"\r" in line:
        raise BadContract(
            "the folder's name holds a line break", code="PL152", hint="rename it first"
        )
    file = trust_file(env)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(file.parent, file.parent.lstat(), stat.S_ISDIR)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(file, flags, 0o600)
    except OSError as error:
        raise BadContract(f"{file} cannot be written: {error.strerror}", code="PL152") from None
    with os.fdopen(descriptor, "r+b") as listed:
        _check(file, os.fstat(listed.fileno()), stat.S_ISREG)
        known = listed.read(MAX_BYTES)
        if line not in known.splitlines():
            start = b"" if known.endswith(b"\n") or not known else b"\n"
            listed.write(start + line + b"\n")
    return path


def is_trusted(folder: Path, env: Mapping[str, str] = os.environ) -> bool:
    """Whether ``folder`` is on the list.

    :raises CuratorUnreachable: PL303, somebody else could have written the list.
    """
    file = trust_file(env)
    try:
        above = file.parent.lstat()
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as listed:
        _check(file.parent, above, stat.S_ISDIR)
        _check(file, os.fstat(descriptor), stat.S_ISREG)
        return os.fsencode(folder.resolve()) in listed.read(MAX_BYTES).splitlines()


def _check(path: Path, found: os.stat_result, kind: Callable[[int], bool]) -> None:
    if not kind(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise CuratorUnreachable(
            f"{path} says which workspaces you trust, and is not yours alone",
            code="PL303",
            hint=f"look at it, then run: chmod go-rwx {path}",
        )
