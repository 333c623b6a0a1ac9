"""The demo is built once, and its notebook is free the second time."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from privlab.cli.demo import build, clinic, tour
from privlab.cli.demo.words import below, weighted, words
from privlab.connector import contract
from privlab.curator import boot
from privlab.terms.catalog import Kind

NOTEBOOK = Path(__file__).resolve().parents[3] / "notebooks" / "01_first_query.ipynb"
HEADS = 2_000


def made_up_flights(path: Path, rows: int = 5_000) -> Path:
    """A file that fits the contract of the real flights, so that no network is needed."""
    columns: dict[str, pl.Series] = {}
    for column in contract.parse(build.contract_text("flights")).stated.columns:
        draw = words("flights", column.name, rows)
        if column.name == "tailnum":
            plane = weighted(np.arange(1, 200, dtype=np.int64), draw)
            columns["tailnum"] = pl.Series([f"N{n}" if n else "NA" for n in plane.tolist()])
        elif column.keys is not None:
            columns[column.name] = pl.Series([str(k) for k in column.keys]).gather(
                below(len(column.keys), draw)
            )
        elif column.kind is Kind.INT and column.low is not None and column.high is not None:
            low, high = int(str(column.low)), int(str(column.high))
            columns[column.name] = pl.Series(low + below(high - low + 1, draw))
        elif column.kind is Kind.DATETIME:
            columns[column.name] = pl.Series(["2013-01-01T10:00:00Z"] * rows)
        else:
            columns[column.name] = pl.Series(["ABQ"] * rows)
    pl.DataFrame(columns).write_csv(path)
    return path


def small(name: str, data: Path) -> Path:
    """As `build.source_file`, with few rows."""
    data.mkdir(exist_ok=True)
    if name == "flights":
        return made_up_flights(data / "flights.csv")
    files = clinic.build(data, patients=HEADS)
    return files.patients if name == "patients" else files.visits


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.setenv("XDG_RUNTIME_DIR", str(folder / "run-user"))
        (folder / "run-user").mkdir(mode=0o700)
        said: list[str] = []
        build.build(folder, said.append, small)
        assert "protecting visits" in said
        try:
            yield folder
        finally:
            with contextlib.suppress(Exception):
                boot.stop(folder / "workspace")


def test_building_again_does_nothing(demo: Path) -> None:
    said: list[str] = []
    again = build.build(demo, said.append, small)
    assert said == ["starting its curator"]
    assert {t.name: t.version for t in again.session.tables()} == {
        "flights": 1, "patients": 1, "visits": 1,
    }  # fmt: skip


def test_the_notebook_answers_and_is_free_and_the_same_the_second_time(demo: Path) -> None:
    """With a new kernel: what is held is in the ledger, not in the notebook."""
    first = tables_of(tour.execute(NOTEBOOK, demo))
    session = build.build(demo, lambda _: None, small).session
    spent = {a.dataset: a.spent for a in session.state().accounts}
    second = tables_of(tour.execute(NOTEBOOK, demo))
    assert {a.dataset: a.spent for a in session.state().accounts} == spent
    assert second == first
    assert len(first) == 5


def test_the_notebook_costs_at_most_a_twentieth_of_any_grant(demo: Path) -> None:
    session = build.build(demo, lambda _: None, small).session
    tour.execute(NOTEBOOK, demo)
    for account in session.state().accounts:
        assert 0 < int(account.spent) <= int(account.granted) / 20


def test_the_notebook_shows_one_refusal_and_one_verification(demo: Path) -> None:
    executed = tour.execute(NOTEBOOK, demo)
    errors = [o for o in outputs_of(executed) if o.output_type == "error"]
    assert [o.traceback[0].split()[0] for o in errors] == ["PL105"]
    text = "".join(o.text for o in outputs_of(executed) if o.output_type == "stream")
    assert "verified: signed by" in text


def outputs_of(book: Any) -> list[Any]:
    return [o for cell in book.cells if cell.cell_type == "code" for o in cell.outputs]


def tables_of(book: Any) -> list[list[str]]:
    """The rows of every answer, without the lines about price."""
    found = []
    for output in outputs_of(book):
        text = output.get("data", {}).get("text/plain", "")
        if "±95" in text and not text.startswith("Nothing was spent"):
            found.append([line for line in text.splitlines() if re.match(r"\S.*\d", line)][:-1])
    return found


def test_a_demo_of_another_version_is_made_anew(demo: Path) -> None:
    """Its ledger may have another schema.  The plain files are kept."""
    (demo / "edition").write_text("0" * 64, "ascii")
    said: list[str] = []
    again = build.build(demo, said.append, small)
    assert said[0] == "another version of privlab made what is there; making it anew"
    assert "protecting visits" in said
    assert {account.spent for account in again.session.state().accounts} == {"0"}
