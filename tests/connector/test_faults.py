"""Killed or out of disk at any step: the old versions or the new one whole, and nothing plain.

A process that has imported everything and run nothing forks a child for each step.
A step is a call that makes, writes, syncs or renames a file; the child dies
there by SIGKILL, or hears there that the disk is full.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from privlab.connector.parts import MAGIC
from tests.connector.conftest import CONTRACT, SECRET, visits

BUCKETS = 4
FILES = 2 * BUCKETS
DONE, FULL, HARMLESS = 0, 3, 6

FORKING = """
import json, os, signal, sys
from pathlib import Path
from privlab.connector.contract import parse
from privlab.connector.protect import protect
from privlab.errors import BadContract

here, fault = Path(sys.argv[1]), sys.argv[2]
contract = parse((here / "contract.toml").read_text())
step = 0

def at(limit, name, real):
    def call(*args, **rest):
        global step
        if name != "open" or args[1] & (os.O_WRONLY | os.O_RDWR):
            step += 1
            if step == limit:
                if fault == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(28, "No space left on device")
        return real(*args, **rest)
    return call

def run(limit):
    for name in ("open", "write", "fsync", "mkdir", "rename"):
        setattr(os, name, at(limit, name, getattr(os, name)))
    try:
        protect(here / "source.parquet", contract, version=2, unit_key=b"u" * 32,
                order_key=b"o" * 32, folder=here / "tables" / "visits" / "2")
    except BadContract as error:
        os._exit(3 if error.code == "PL153" else 4)
    except BaseException:
        os._exit(5)
    os._exit(0 if step < limit else 6)

for line in sys.stdin:
    child = os.fork()
    if not child:
        run(int(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(params=["kill", "full"])
def forking(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    visits().write_parquet(tmp_path / "source.parquet")
    (tmp_path / "contract.toml").write_text(CONTRACT)
    old = tmp_path / "tables" / "visits" / "1"
    old.mkdir(parents=True)
    (old / "manifest.json").write_text("{}")
    (tmp_path / "temporary").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", FORKING, str(tmp_path), request.param],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
    ) as process:  # fmt: skip
        yield request.param, process


def ended(process: subprocess.Popen[str], step: int) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{step}\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def state(root: Path) -> tuple[set[str], bool]:
    """What the table's folder holds, and whether version 2 is whole where it is there."""
    table = root / "tables" / "visits"
    assert (table / "1" / "manifest.json").read_text() == "{}"
    parts = sorted((table / "2").glob("*"))
    raw = [part.read_bytes() for part in parts]
    whole = (
        len(parts) == FILES
        and len({len(data) for data in raw}) == 1  # the smallest class of both kinds
        and all(data[:4] == data[-4:] == MAGIC for data in raw)
    )
    return {path.name for path in table.iterdir()}, whole


def no_canary(root: Path) -> bool:
    """No file but the source holds a value, an id or a plain Parquet or Arrow file."""
    words = (SECRET.encode(), b"north", b"PAR1", b"ARROW1")
    files = [p for p in root.rglob("*") if p.is_file()]
    files.remove(root / "source.parquet")
    files.remove(root / "contract.toml")
    return not any(word in file.read_bytes() for file in files for word in words)


def test_a_fault_at_any_step_leaves_the_old_or_the_new_version_and_nothing_plain(
    forking: tuple[str, subprocess.Popen[str]], tmp_path: Path
) -> None:
    fault, process = forking
    assert not no_canary_of_plain(tmp_path)
    seen = []
    for step in range(1, 200):
        status = ended(process, step)
        names, whole = state(tmp_path)
        seen.append(status)
        assert no_canary(tmp_path)
        assert list((tmp_path / "temporary").iterdir()) == []
        assert whole or "2" not in names
        if status == DONE:
            break
        assert status in ((-9,) if fault == "kill" else (FULL, HARMLESS)), seen
        if fault == "full":
            assert names <= {"1", "2"}
    assert len(seen) > 20
    assert seen.count(HARMLESS) <= 1  # making the folder that is there already
    assert names == {"1", "2"}
    assert whole


def no_canary_of_plain(root: Path) -> bool:
    """The scan finds plain rows where there are some."""
    plain = root / "tables" / "plain"
    visits().write_ipc(plain)
    found = no_canary(root)
    plain.unlink()
    return found
