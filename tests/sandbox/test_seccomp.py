"""Seccomp: what an engine child never needs fails with EPERM, and threads still start."""

from __future__ import annotations

import errno
import platform
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privlab.sandbox import calls, seccomp

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
TABLES = {"x86_64": seccomp._X86_64, "aarch64": seccomp._AARCH64}

supported = pytest.mark.skipif(
    not calls.IS_LINUX or platform.machine() not in TABLES, reason="no filter for this machine"
)


@supported
def test_denied_calls_are_refused_and_the_rest_works(
    attack: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    found = attack(
        """
        import ctypes, os, socket, threading, subprocess
        from privlab.sandbox import limits, seccomp
        pair = socket.socketpair()
        outcomes["nnp"] = limits.no_new_privileges()
        outcomes["denied"] = seccomp.deny()
        libc = ctypes.CDLL(None, use_errno=True)

        def raw(number, *arguments):
            if libc.syscall(number, *arguments) < 0:
                raise OSError(ctypes.get_errno(), "")

        attempt("socket", socket.socket)
        attempt("unix", lambda: socket.socket(socket.AF_UNIX))
        attempt("socketpair", socket.socketpair)
        attempt("fork", os.fork)
        attempt("exec", lambda: os.execv("/bin/true", ["true"]))
        attempt("spawn", lambda: subprocess.run(["/bin/true"]))
        attempt("kill", lambda: os.kill(os.getppid(), 0))
        attempt("memfd", lambda: os.memfd_create("x"))
        attempt("ptrace", lambda: raw(101 if sys.argv[1] == "x86_64" else 117, 0, 0, 0, 0))
        attempt("unshare", lambda: raw(272 if sys.argv[1] == "x86_64" else 97, 0x10000000))
        attempt("x32", lambda: raw(0x40000000 + 39))
        attempt("pair", lambda: (pair[0].send(b"ok"), pair[1].recv(2))[1])
        heard = []
        thread = threading.Thread(target=lambda: heard.append(1))
        thread.start(); thread.join()
        attempt("thread", lambda: heard)
        """,
        platform.machine(),
    )

    assert found.pop("nnp") is True
    assert found.pop("denied") >= 60
    assert found.pop("pair") == ["done", "b'ok'"]
    assert found.pop("thread") == ["done", "[1]"]
    if platform.machine() != "x86_64":
        del found["x32"]
    assert {tuple(outcome) for outcome in found.values()} == {("refused", errno.EPERM)}


@pytest.mark.parametrize("machine", TABLES)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not here")
    text = HEADERS[machine].read_text()
    known = {name: int(n) for name, n in re.findall(r"#define __NR_(\w+)\s+(\d+)", text)}

    assert {name: known.get(name) for name in TABLES[machine]} == TABLES[machine]


def test_every_denied_call_has_a_number() -> None:
    assert set(seccomp.DENIED) <= set(seccomp._X86_64)
    assert set(seccomp.DENIED) - set(seccomp._AARCH64) == {"fork", "vfork"}


def verdict(code: bytes, architecture: int, number: int, first: int = 0) -> int:
    """Run a filter by hand: classic BPF on struct seccomp_data."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, first, 0, 0, 0, 0, 0)
    lines = list(struct.iter_unpack("=HBBI", code))
    value = at = 0
    while True:
        op, yes, no, operand = lines[at]
        at += 1
        if op == 0x20:
            value = struct.unpack_from("=I", data, operand)[0]
        elif op == 0x06:
            return operand
        else:
            test = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}
            at += yes if test[op] else no


@pytest.mark.parametrize("machine", TABLES)
def test_the_filter_decides_every_call_as_it_says(machine: str) -> None:
    architecture, numbers = seccomp._MACHINES[machine]
    code = seccomp.program(architecture, numbers)
    allow, refuse = 0x7FFF0000, 0x00050000 | errno.EPERM
    denied = {numbers[name] for name in seccomp.DENIED if name in numbers}

    for number in range(600):
        found = verdict(code, architecture, number)
        if number == numbers["clone3"]:
            assert found == 0x00050000 | errno.ENOSYS
        elif number == numbers["clone"]:
            assert found == refuse
        else:
            assert found == (refuse if number in denied else allow)
    assert verdict(code, architecture, numbers["clone"], 0x00010000) == allow
    assert verdict(code, architecture, 0x40000000 + 1) == refuse
    assert verdict(code, architecture ^ 1, 0) == 0x80000000
