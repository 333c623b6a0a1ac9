"""The notebooks that begin with a file of one's own: run as they stand, and true.

Each makes a workspace in a folder of its own, and stops its curator at the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from privlab.client.show import MIME_TYPE

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MADE_HERE = ("02_your_own_csv", "03_owner")


@pytest.fixture(scope="module")
def executed(
    runtime: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], nbformat.NotebookNode]:
    """Runs a notebook once, in a kernel of its own, whose folders are the test's."""
    done: dict[str, nbformat.NotebookNode] = {}
    folder = tmp_path_factory.mktemp("notebooks")

    def run(name: str) -> nbformat.NotebookNode:
        if name not in done:
            book = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
            where = f"import tempfile; tempfile.tempdir = {str(folder)!r}"
            book.cells.insert(0, nbformat.v4.new_code_cell(where))
            NotebookClient(
                book,
                timeout=120,
                kernel_name="python3",
                allow_errors=True,
                resources={"metadata": {"path": str(folder)}},
            ).execute()
            done[name] = book
        return done[name]

    return run


def outputs(book: nbformat.NotebookNode) -> list[Any]:
    return [one for cell in book.cells for one in cell.get("outputs", [])]


def printed(book: nbformat.NotebookNode) -> str:
    """All that a reader sees as text."""
    return "\n".join(
        one.text if one.output_type == "stream" else one.get("data", {}).get("text/plain", "")
        for one in outputs(book)
    )


def results(book: nbformat.NotebookNode) -> list[dict[str, Any]]:
    """The signed table of every release."""
    return [
        json.loads(json.loads(one["data"][MIME_TYPE]["bundle"])["result"])
        for one in outputs(book)
        if MIME_TYPE in one.get("data", {})
    ]


@pytest.mark.parametrize("name", [path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb"))])
def test_a_notebook_is_kept_without_outputs(name: str) -> None:
    book = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text("utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert code
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)


@pytest.mark.parametrize(("name", "codes"), [("02_your_own_csv", []), ("03_owner", ["PL201", "PL200"])])  # fmt: skip
def test_what_fails_is_what_the_notebook_shows_as_refused(
    executed: Callable[[str], nbformat.NotebookNode], name: str, codes: list[str]
) -> None:
    errors = [one for one in outputs(executed(name)) if one.output_type == "error"]
    assert [one.traceback[0].split()[0] for one in errors] == codes
    assert "the curator has ended" in printed(executed(name))


def test_ones_own_file_becomes_answers_that_are_near_the_truth(
    executed: Callable[[str], nbformat.NotebookNode],
) -> None:
    book = executed("02_your_own_csv")
    text = printed(book)
    assert "PL150 the contract has 6 problems" in text
    assert "cheaper: counting readers, COUNT(DISTINCT reader), costs 1/10.6 of counting" in text
    assert "free: you hold this already" in text
    assert "verified: signed by" in text
    by_branch, usual, again, by_side = results(book)
    assert usual["rows"] == again["rows"]
    true = {
        branch: int(count.replace(",", ""))
        for branch, count in re.findall(r"^(\w+) +([\d,]+) readers, kept", text, re.MULTILINE)
    }
    assert len(true) == len(by_branch["rows"]) == 3
    for (branch, readers, _), (_, width, _) in zip(
        by_branch["rows"], by_branch["half_widths"], strict=True
    ):
        assert abs(float(readers) - true[branch]) < 4 * float(width)  # 7.8 sigma
    assert "with 3 public rows of sides" in by_side["caption"]
    assert [side for side, _ in by_side["rows"]] == ["north", "south"]
    (_, (_, south)), (_, (_, width)) = by_side["rows"], by_side["half_widths"]
    assert abs(float(south) - true["Harbour"]) < 4 * float(width)


def test_the_owner_sees_a_forgery_found_and_a_ledger_that_refuses(
    executed: Callable[[str], nbformat.NotebookNode],
) -> None:
    book = executed("03_owner")
    text = printed(book)
    assert "ana may cause" in text
    assert text.count("verified: signed by") == 1
    assert "PL407" in text
    assert "status 4" in text
    assert "clinic.visits version 2 is protected" in text
    for refused in ("PL400 a charge is never deleted", "PL400 a charge is final"):
        assert refused in text
    first, second = results(book)
    assert [row[0] for row in first["rows"]] == [row[0] for row in second["rows"]]
    assert first["rows"] != second["rows"]
