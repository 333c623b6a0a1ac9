"""The system calls Python has no name for, through libc."""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_GET_DUMPABLE = 3
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
PR_SET_MDWE = 65

IS_LINUX = sys.platform.startswith("linux")


def prctl(option: int, *arguments: int) -> None:
    """prctl(2).

    :raises OSError: the kernel refused, or this is not Linux.
    """
    _check(_libc().prctl(option, *(ctypes.c_ulong(a) for a in _four(arguments))))


def syscall(number: int, *arguments: object) -> int:
    """syscall(2); integers go as unsigned long, ctypes objects as they are.

    :raises OSError: the kernel refused, or this is not Linux.
    """
    words = [ctypes.c_ulong(a & (2**64 - 1)) if isinstance(a, int) else a for a in arguments]
    return _check(_libc().syscall(ctypes.c_long(number), *words))


def _libc() -> ctypes.CDLL:
    if not IS_LINUX:
        raise OSError("this system call exists on Linux only")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def _four(arguments: tuple[int, ...]) -> tuple[int, ...]:
    return (*arguments, 0, 0, 0, 0)[:4]


def _check(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return int(result)
