"""README's picture is of the real thing: ``make golden`` takes it again."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from .conftest import TOKEN, notebook_json, opened, running_lab

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "panel.png"
CELLS = (
    "%load_ext privlab",
    (
        "%%private by_ward --share 2%\n"
        "SELECT ward, COUNT(*) AS n, AVG(stay_days) AS stay\n"
        "FROM visits\nWHERE age >= 65\nGROUP BY ward\nORDER BY n DESC"
    ),
    (
        "%%private delays --share 3%\n"
        'flights.group_by("month").agg(n=pl.len(), delay=pl.col("dep_delay").mean()).head(4)'
    ),
    "%%private\nSELECT * FROM visits LIMIT 10",
)


@pytest.mark.skipif(os.environ.get("PRIVLAB_GOLDEN") != "1", reason="takes a picture: make golden")
def test_the_picture_is_taken(
    browser: Browser, demo_workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("picture")
    (root / "first.ipynb").write_text(notebook_json(CELLS))
    with running_lab(root, {"PRIVLAB_WORKSPACE": str(demo_workspace)}) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        opened(page, f"{url}/lab/tree/first.ipynb?token={TOKEN}&reset")
        page.wait_for_function(
            "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
            " === 'idle'"
        )
        page.keyboard.press("Control+Alt+b")
        page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        expect(page.locator(".privlab-Release table")).to_have_count(2, timeout=60_000)
        expect(page.get_by_text("PL105")).to_be_visible()
        page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
        page.wait_for_timeout(1_500)
        page.screenshot(path=PICTURE)


def test_the_picture_is_there_and_wide_enough_to_read() -> None:
    head = PICTURE.read_bytes()[:24]

    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">I", head[16:20])[0] >= 1_000
