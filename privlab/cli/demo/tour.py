"""Run a notebook in a real kernel and print its answers, as a reader would see them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from privlab.cli import terminal
from privlab.errors import BadContract

CELL_SECONDS = 120
EXPECTED_ERROR = "raises-exception"


def run(notebook: Path, folder: Path) -> None:
    """Execute every cell with the demo's workspace, in ``folder/run``; print text and answers.

    The notebook file itself is not changed.

    :raises BadContract: PL152, no notebook, no demo, nothing to run notebooks
        with, or a cell failed that was not meant to.
    """
    executed = execute(notebook, folder)
    for cell in executed.cells:
        if cell.cell_type != "code":
            continue
        terminal.say("\n" + "\n".join(f"  {line}" for line in cell.source.splitlines()) + "\n")
        for output in cell.outputs:
            text = _text(output)
            if text:
                terminal.say(text.rstrip("\n"))


def execute(notebook: Path, folder: Path) -> Any:
    """The notebook with the outputs of a fresh run."""
    try:
        import nbclient
        import nbformat
        from jupyter_client.manager import AsyncKernelManager
    except ModuleNotFoundError as missing:
        raise BadContract(
            f"running a notebook needs {missing.name}, which is not installed",
            code="PL152",
            hint='install it here with: pip install "privlab[lab]"',
        ) from None
    if not notebook.is_file():
        raise BadContract(f"there is no notebook {notebook}", code="PL152")
    workspace = folder / "workspace"
    if not workspace.is_dir():
        raise BadContract(
            f"there is no demo in {folder}", code="PL152", hint="build it with: privlab demo build"
        )
    scratch = folder / "run"
    scratch.mkdir(exist_ok=True)
    book = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    environment = {**os.environ, "PRIVLAB_WORKSPACE": str(workspace)}
    environment.pop("PRIVLAB_URL", None)
    with tempfile.TemporaryDirectory(prefix="privlab-") as private:
        # Unix sockets in a folder of ours: what the kernel says crosses no network port
        kernel = AsyncKernelManager(
            kernel_name="python3",
            transport="ipc",
            connection_file=str(Path(private) / "kernel.json"),
        )
        client = nbclient.NotebookClient(
            book, km=kernel, timeout=CELL_SECONDS, resources={"metadata": {"path": str(scratch)}}
        )
        try:
            client.execute(cleanup_kc=True, env=environment)
        except nbclient.exceptions.CellExecutionError as failed:
            raise BadContract(
                f"a cell of {notebook.name} failed: {failed.evalue or failed.ename}",
                code="PL152",
                hint="open it with: make lab",
            ) from None
    return book


def _text(output: Any) -> str:
    match output.output_type:
        case "stream":
            return str(output.text)
        case "execute_result" | "display_data":
            return str(output.data.get("text/plain", ""))
        case "error":
            return "\n".join(output.traceback)
        case _:
            return ""
