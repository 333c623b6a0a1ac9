"""Canaries in rows, true sums and keys: none reaches the analyst's side.

A real kernel asks more than fifty questions, good and hostile, through a proxy
that keeps all traffic.  Afterwards its memory, the notebook, the traffic, the
curator's log and every error are searched.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from privlab.connector.keys import Custody
from privlab.connector.manifest import Manifest
from privlab.query.compile import compile_question
from privlab.seal.keys import PublicKey
from privlab.terms.catalog import Catalog
from privlab.wire import locate
from tests.conftest import PLAIN

CANARY_TEXT = "canary-Zephyrine-Quillfeather"
CANARY_AMOUNT = 1_099_511_600_001
ROWS = 3_000


class Tap:
    """A Unix socket in front of the curator's that keeps every byte."""

    def __init__(self, path: Path, behind: Path) -> None:
        self.path = path
        self.seen = bytearray()
        self._behind = behind
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self._behind))
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.seen += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def needles(folder: Path) -> dict[str, bytes]:
    """Everything that must not be found, by name."""
    found = {"a cell's text": CANARY_TEXT.encode()}
    for name, rows in (("the sum", ROWS), ("one row", 1), ("a patient's sum", 3)):
        total = rows * CANARY_AMOUNT
        found[f"{name} as text"] = str(total).encode()
        found[f"{name} as int64"] = struct.pack("<q", total)
        found[f"{name} as float64"] = struct.pack("<d", float(total))
    custody = Custody.open(PLAIN, base=folder)
    manifest = Manifest.load(
        folder / "tables/clinic/visits/1/manifest.json",
        PublicKey.parse((folder / "curator.pub").read_text()),
    )
    (measure,) = compile_question(
        "SELECT SUM(amount) AS a FROM visits", {}, Catalog((manifest.described(),))
    ).plan.measures
    coded = ROWS * math.floor(CANARY_AMOUNT / measure.step + Fraction(1, 2))
    found["the sum in steps as text"] = str(coded).encode()
    found["the sum in steps as int64"] = struct.pack("<q", coded)
    for bucket, keys in manifest.data_keys(("notes", "amount", "ward"), custody).items():
        for name, key in keys.items():
            found[f"the key of {name or 'the footer'} in bucket {bucket}"] = key
    for keys in manifest.unwrapped(("", "notes", "amount", "ward"), custody).values():
        for name, key in keys.columns.items():
            found[f"the data key of {name or 'the footer'}"] = key
        for number, key in keys.buckets.items():
            found[f"the data key of bucket {number}"] = key
    found["the signing seed"] = custody.signing_seed()
    found["the pseudonym key"] = custody.derive("unit", "clinic")
    found["the order key"] = custody.derive("order", "clinic", "visits", "1")
    found["the bounding key"] = custody.derive("bounding", "clinic", "visits", "1")[:16]
    found["the master key"] = custody.master()
    found["the workspace's secret"] = custody._chain.secret
    for place, key in custody._chain.keys.items():
        found[f"the key of {place.column or 'the footer'} in the keychain"] = key
    return found


def memory_of(pid: int) -> Iterator[bytes]:
    """Every readable mapping of a process."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, mode = line.split()[:2]
            if "r" not in mode or line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            low, high = (int(edge, 16) for edge in span.split("-"))
            with contextlib.suppress(OSError, OverflowError, ValueError):
                memory.seek(low)
                yield memory.read(high - low)


def spellings(needle: bytes) -> Iterator[bytes]:
    """The needle as bytes, in hex, in base64 and as UTF-16."""
    import base64

    yield needle
    yield needle.hex().encode()
    yield base64.b64encode(needle).rstrip(b"=")[:-1]
    with contextlib.suppress(UnicodeDecodeError):
        yield needle.decode("ascii").encode("utf-16-le")


@pytest.fixture
def questions() -> tuple[str, ...]:
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "questions", Path(__file__).with_name("questions.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.GOOD + module.HOSTILE


def test_no_canary_reaches_the_kernel_the_notebook_the_wire_or_the_log(
    fresh_workspace: Callable[[], Any], questions: tuple[str, ...], runtime: Path, tmp_path: Path
) -> None:
    assert len(questions) >= 50
    place = fresh_workspace()
    where = locate.find(env={**os.environ, **place.env})
    locate.start(where)
    tap = Tap(runtime / "tap.sock", where.socket)
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    cells = ["%load_ext privlab", f"%private connect unix:{tap.path}"]
    cells += [f"%%private r{n} --share 0.5%\n{text}" for n, text in enumerate(questions)]
    notebook = nbformat.v4.new_notebook()
    answers = 0
    try:
        for source in cells:
            outputs: list[Any] = []
            client.execute_interactive(source, timeout=60, output_hook=outputs.append)
            cell = nbformat.v4.new_code_cell(source)
            cell.outputs = [
                nbformat.v4.output_from_msg(message)
                for message in outputs
                if message["msg_type"] in ("execute_result", "display_data", "stream", "error")
            ]
            answers += any("data" in o and "vnd.privlab" in str(o) for o in cell.outputs)
            notebook.cells.append(cell)
        nbformat.write(notebook, tmp_path / "asked.ipynb")
        pid = manager.provisioner.pid
        places = {
            "the kernel's memory": b"\0".join(memory_of(pid)),
            "the notebook": (tmp_path / "asked.ipynb").read_bytes(),
            "the wire": bytes(tap.seen),
            "the curator's log": (place.folder / "curator.log").read_bytes(),
        }
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

    assert answers >= 20, "too few questions were answered for the test to mean anything"
    assert len(places["the kernel's memory"]) > 50_000_000
    assert b"SELECT MAX(amount)" in places["the wire"], "the tap saw nothing"
    found = [
        f"{name} is in {where}"
        for name, needle in needles(place.folder).items()
        for where, hay in places.items()
        for spelling in spellings(needle)
        if spelling in hay
    ]
    assert not found


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The net has no hole of the canaries' size: a planted one is found."""
    planted = os.urandom(32)
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        client.execute_interactive(f"kept = bytes.fromhex('{planted.hex()}')", timeout=60)
        memory = b"\0".join(memory_of(manager.provisioner.pid))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

    assert planted in memory
