"""Seccomp: system calls that fail with EPERM from now on.

A classic BPF program (Linux ``Documentation/userspace-api/seccomp_filter.rst``)
that denies a list of calls: opening sockets, starting programs or processes,
reading other processes, loading code into the kernel, mounting.  Threads can
still be made.  ``clone3`` answers ENOSYS, so that libc falls back to ``clone``,
whose flags the filter can see.  Another architecture's calls are all denied.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from privlab.sandbox import calls

_FILTER_MODE = 2
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000

DENIED = (
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4",
    "fork", "vfork", "execve", "execveat",
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "pidfd_open", "kcmp",
    "kill", "tkill", "pidfd_send_signal",
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "add_key", "request_key", "keyctl",
    "mount", "umount2", "pivot_root", "chroot", "setns", "unshare", "open_tree", "move_mount",
    "fsopen", "fsconfig", "fsmount", "mount_setattr", "name_to_handle_at", "open_by_handle_at",
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
    "swapon", "swapoff", "quotactl", "acct", "settimeofday", "clock_settime", "sethostname",
    "setdomainname", "personality", "memfd_create", "memfd_secret", "shmget", "msgget", "semget",
    "mq_open", "inotify_init1", "fanotify_init",
)  # fmt: skip
"""Calls that an engine child has no use for."""

_X86_64 = {
    "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "socketpair": 53,
    "accept4": 288, "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "execveat": 322,
    "clone3": 435, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
    "pidfd_getfd": 438, "pidfd_open": 434, "kcmp": 312, "kill": 62, "tkill": 200,
    "pidfd_send_signal": 424, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "add_key": 248,
    "request_key": 249, "keyctl": 250, "mount": 165, "umount2": 166, "pivot_root": 155,
    "chroot": 161, "setns": 308, "unshare": 272, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "mount_setattr": 442,
    "name_to_handle_at": 303, "open_by_handle_at": 304, "init_module": 175,
    "finit_module": 313, "delete_module": 176, "kexec_load": 246, "kexec_file_load": 320,
    "reboot": 169, "swapon": 167, "swapoff": 168, "quotactl": 179, "acct": 163,
    "settimeofday": 164, "clock_settime": 227, "sethostname": 170, "setdomainname": 171,
    "personality": 135, "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "msgget": 68,
    "semget": 64, "mq_open": 240, "inotify_init1": 294, "fanotify_init": 300,
}  # fmt: skip

_AARCH64 = {
    "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203,
    "accept4": 242, "clone": 220, "execve": 221, "execveat": 281, "clone3": 435, "ptrace": 117,
    "process_vm_readv": 270, "process_vm_writev": 271, "pidfd_getfd": 438, "pidfd_open": 434,
    "kcmp": 272, "kill": 129, "tkill": 130, "pidfd_send_signal": 424, "bpf": 280,
    "perf_event_open": 241, "userfaultfd": 282, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "add_key": 217, "request_key": 218, "keyctl": 219, "mount": 40,
    "umount2": 39, "pivot_root": 41, "chroot": 51, "setns": 268, "unshare": 97,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "mount_setattr": 442, "name_to_handle_at": 264, "open_by_handle_at": 265,
    "init_module": 105, "finit_module": 273, "delete_module": 106, "kexec_load": 104,
    "kexec_file_load": 294, "reboot": 142, "swapon": 224, "swapoff": 225, "quotactl": 60,
    "acct": 89, "settimeofday": 170, "clock_settime": 112, "sethostname": 161,
    "setdomainname": 162, "personality": 92, "memfd_create": 279, "memfd_secret": 447,
    "shmget": 194, "msgget": 186, "semget": 190, "mq_open": 180, "inotify_init1": 26,
    "fanotify_init": 262,
}  # fmt: skip

_MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def deny() -> int:
    """Install the filter on this thread and what it starts.  Needs ``no_new_privs``.

    Returns how many calls are denied; 0 on a machine or kernel without support.
    """
    known = _MACHINES.get(platform.machine())
    if not calls.IS_LINUX or known is None:
        return 0
    architecture, numbers = known
    code = program(architecture, numbers)
    buffer = ctypes.create_string_buffer(code, len(code))
    descriptor = _Program(len(code) // 8, ctypes.addressof(buffer))
    try:
        calls.prctl(calls.PR_SET_SECCOMP, _FILTER_MODE, ctypes.addressof(descriptor))
    except OSError:
        return 0
    return sum(name in numbers for name in DENIED)


def program(architecture: int, numbers: dict[str, int]) -> bytes:
    """The filter's instructions: 8 bytes each (struct sock_filter)."""
    refuse = _ERRNO | errno.EPERM
    lines = [
        _line(_LOAD, _ARCH_AT),
        _line(_EQUAL, architecture, 1, 0),
        _line(_RETURN, _KILL),
        _line(_LOAD, _NUMBER_AT),
        _line(_AT_LEAST, _X32, 0, 1),
        _line(_RETURN, refuse),
    ]
    for name in DENIED:
        if name in numbers:
            lines += [_line(_EQUAL, numbers[name], 0, 1), _line(_RETURN, refuse)]
    lines += [
        _line(_EQUAL, numbers["clone3"], 0, 1),
        _line(_RETURN, _ERRNO | errno.ENOSYS),
        _line(_EQUAL, numbers["clone"], 0, 3),
        _line(_LOAD, _FIRST_ARGUMENT_AT),
        _line(_ANY_BIT, _CLONE_THREAD, 1, 0),
        _line(_RETURN, refuse),
        _line(_RETURN, _ALLOW),
    ]
    return b"".join(lines)


def _line(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)
