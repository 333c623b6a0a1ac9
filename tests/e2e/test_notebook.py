"""The first notebook: run twice, paid once, and the saved release verifies."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from privlab.client.session import Session
from privlab.client.show import MIME_TYPE
from privlab.release.verify import verify_file
from privlab.seal.keys import PublicKey
from privlab.wire import locate

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "01_first_query.ipynb"


def run(folder: Path) -> nbformat.NotebookNode:
    """Execute the notebook in a kernel of its own, in ``folder``."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook


def results(notebook: nbformat.NotebookNode) -> list[Any]:
    """Every release in the outputs: its signed table."""
    return [
        json.loads(output["data"][MIME_TYPE]["bundle"])["result"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if MIME_TYPE in output.get("data", {})
    ]


def test_the_second_run_charges_nothing_and_shows_the_same_numbers(
    demo_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(demo_workspace))
    place = locate.find()
    locate.start(place)
    session = Session(place)

    first = run(tmp_path)
    before = session.state().accounts
    second = run(tmp_path)

    assert session.state().accounts == before
    assert len(results(first)) >= 5
    assert results(second) == results(first)


def test_every_example_costs_at_most_five_percent_of_the_grant(demo_workspace: Path) -> None:
    place = locate.find(env={**os.environ, "PRIVLAB_WORKSPACE": str(demo_workspace)})
    locate.start(place)
    session = Session(place)

    granted = {account.dataset: int(account.granted) for account in session.state().accounts}

    assert set(granted) == {"aviation", "clinic"}
    for release in session.history():
        assert 20 * int(release.charged) <= granted[release.dataset], release.question


def test_the_saved_notebook_verifies_as_a_whole(
    demo_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(demo_workspace))
    notebook = run(tmp_path)
    nbformat.write(notebook, tmp_path / "run.ipynb")

    key = PublicKey.parse((demo_workspace / "curator.pub").read_text())
    checked = verify_file(tmp_path / "run.ipynb", key)

    assert len(checked) == len(results(notebook))
    warnings = {warning for release in checked for warning in release.warnings}
    assert all(warning.startswith("SYNTHETIC") for warning in warnings)
