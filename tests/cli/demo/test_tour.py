"""A notebook is run as it is, and its answers are printed as a reader sees them."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from privlab.cli.demo import tour
from privlab.errors import BadContract


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    (tmp_path / "workspace").mkdir()
    return tmp_path


def notebook(folder: Path, *sources: str, tags: tuple[str, ...] = ()) -> Path:
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
    path = folder / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_answers_and_streams_are_printed_after_their_cell(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = notebook(demo, "import os\n1 + 1", "print(os.environ['PRIVLAB_WORKSPACE'], os.getcwd())")
    before = path.read_bytes()
    tour.run(path, demo)
    printed = capsys.readouterr().out
    assert "  1 + 1\n\n2\n" in printed
    assert f"{demo / 'workspace'} {demo / 'run'}" in printed
    assert path.read_bytes() == before


def test_a_cell_that_fails_unexpectedly_stops_the_tour(demo: Path) -> None:
    with pytest.raises(BadContract) as caught:
        tour.run(notebook(demo, "1 / 0"), demo)
    assert caught.value.code == "PL152"
    assert "division by zero" in str(caught.value)


def test_without_a_demo_it_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(BadContract) as caught:
        tour.run(notebook(tmp_path, "1"), tmp_path)
    assert "privlab demo build" in caught.value.hint


def test_without_a_notebook_nothing_starts(demo: Path) -> None:
    with pytest.raises(BadContract):
        tour.run(demo / "none.ipynb", demo)
