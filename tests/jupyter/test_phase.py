"""What a notebook file holds after a run: the release, and no phase line."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from privlab.client.show import MIME_TYPE
from privlab.wire.messages import Event, Problem

SQL = "SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward"


def executed(*cells: str) -> list[list[nbformat.NotebookNode]]:
    """The outputs of each cell after a run in a kernel of its own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=True).execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:Kernel is running over TCP")
def test_a_run_notebook_keeps_the_release_or_the_refusal_alone(stand_in):
    stand_in.pause = 0.02
    phases = stand_in.events[:2]
    _, answered, named = executed("%load_ext privlab", f"%%private r\n{SQL}", "print(r.caption)")
    assert [output.output_type for output in answered] == ["execute_result"]
    assert set(answered[0].data) == {MIME_TYPE, "text/html", "text/plain"}
    assert named[0].text == "at most 8 rows per patient\n"

    stand_in.events = [*phases, Event(problem=Problem(code="PL500", what="it failed"))]
    _, refused = executed("%load_ext privlab", f"%%private r\n{SQL}")
    assert [output.output_type for output in refused] == ["error"]
    assert refused[0].traceback == ["PL500 it failed"]
