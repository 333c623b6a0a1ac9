"""Landlock: from now on, only these folders, and no TCP.

Source: Linux ``Documentation/userspace-api/landlock.rst``.  A restriction holds
for the calling thread and what it starts afterwards, for ever; so call it
before other threads exist.  Rights a kernel does not know yet are left out, and
the result says which ABI did apply.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from privlab.sandbox import calls

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ = _READ_FILE | _READ_DIR
_MAKE_FILE = 1 << 8
_WRITE = _WRITE_FILE | _MAKE_FILE
_FILE_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
_TCP = 0b11
_SCOPES = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def abi() -> int:
    """The kernel's Landlock version; 0 when there is none."""
    try:
        return calls.syscall(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(readable: Iterable[Path], writable: Iterable[Path] = ()) -> int:
    """Allow reading beneath ``readable``, making, reading and writing files beneath
    ``writable``, and nothing else; forbid TCP, signals to
    and abstract sockets of processes outside, as far as the kernel can.

    A path that does not exist is left out.  Returns the ABI that was applied, 0
    when the kernel has no Landlock.  Needs ``no_new_privs``.

    :raises OSError: the kernel has Landlock but refused.
    """
    version = abi()
    if version == 0:
        return 0
    rights = 0
    for since, bits in _FILE_RIGHTS_BY_ABI.items():
        rights |= bits if version >= since else 0
    wanted = _Ruleset(rights, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = calls.syscall(_CREATE_RULESET, ctypes.byref(wanted), size, 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ & rights)
        for path in writable:
            _allow(ruleset, path, (_READ | _WRITE) & rights)
        calls.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not path.is_dir():
            rights &= _FILE_ONLY
        rule = _Beneath(rights, handle)
        calls.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(handle)
