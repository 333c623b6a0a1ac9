"""The panel in a real JupyterLab, and a cell that moves its meter."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

QUESTION = "SELECT ward, COUNT(*) AS n FROM visits WHERE age >= 37 GROUP BY ward"
THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")
LIVE_SECONDS = 1.0
"""A meter follows a charge within this time."""


def _command(page: Page, name: str, args: dict[str, object] | None = None) -> None:
    """Run a command without waiting for its result, which may not be JSON."""
    page.evaluate(
        "([name, args]) => { void window.jupyterapp.commands.execute(name, args); }",
        [name, args or {}],
    )


def _meter(page: Page) -> Locator:
    return page.get_by_role("meter", name="clinic")


def _left(page: Page) -> float:
    return float(_meter(page).get_attribute("aria-valuenow") or "nan")


def _wait_below(page: Page, left: float) -> None:
    """Until the meter shows less than ``left``."""
    page.wait_for_function(
        "left => Number(document.querySelector('[role=meter]').ariaValueNow) < left",
        arg=left,
        timeout=10_000,
    )


def test_the_panel_opens_from_its_tab(lab: Page) -> None:
    lab.get_by_role("tab", name="Privacy budget").click()
    expect(_meter(lab)).to_be_visible()


def test_the_panel_opens_by_shortcut(lab: Page) -> None:
    lab.keyboard.press("Control+Alt+b")
    expect(_meter(lab)).to_be_visible()


def test_the_panel_opens_from_the_palette(lab: Page) -> None:
    lab.keyboard.press("Control+Shift+C")
    lab.locator("#modal-command-palette input, .jp-ModalCommandPalette input").first.fill(
        "Show Privacy Budget"
    )
    lab.keyboard.press("Enter")
    expect(_meter(lab)).to_be_visible()


def test_the_panel_opens_from_the_view_menu(lab: Page) -> None:
    lab.get_by_role("menuitem", name="View", exact=True).click()
    lab.get_by_role("menuitem", name="Show Privacy Budget").click()
    expect(_meter(lab)).to_be_visible()


def test_the_status_bar_says_what_is_left_and_opens_the_panel(lab: Page) -> None:
    item = lab.get_by_text("left on clinic").first
    expect(item).to_be_visible()
    item.click()
    expect(_meter(lab)).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
def test_the_panel_is_accessible(lab: Page, axe: Path, theme: str) -> None:
    lab.keyboard.press("Control+Alt+b")
    _command(lab, "apputils:change-theme", {"theme": theme})
    lab.wait_for_function("t => document.body.dataset.jpThemeName === t", arg=theme)
    expect(_meter(lab)).to_be_visible()
    lab.add_script_tag(path=axe)
    found = lab.evaluate("axe.run('.privlab-BudgetPanel').then(found => found.violations)")
    assert [(rule["id"], [n["html"] for n in rule["nodes"]]) for rule in found] == []


def test_a_cell_moves_the_meter(notebook: Callable[..., Page], axe: Path, lab_root: Path) -> None:
    """The whole path: a cell in the browser, a charge in the ledger, the meter, the file."""
    page = notebook("%load_ext privlab", f"%%private by_ward --share 2%\n{QUESTION}")
    page.keyboard.press("Control+Alt+b")
    expect(_meter(page)).to_be_visible()
    before = _left(page)

    _command(page, "notebook:run-all-cells")
    table = page.locator(".privlab-Release table")
    expect(table).to_be_visible(timeout=30_000)
    _wait_below(page, before)
    assert _left(page) == pytest.approx(before - 2, abs=0.02)

    expect(table.locator("th")).to_have_text(["ward", "n", "±95\u00a0%"])
    expect(table.locator("tbody tr")).to_have_count(4)  # three wards and (null)
    newest = page.locator(".privlab-Releases li").first
    expect(newest).to_contain_text("by_ward")
    expect(newest).to_contain_text(QUESTION)
    expect(page.locator(".jp-OutputArea-output").filter(has_text="…")).to_have_count(0)

    page.add_script_tag(path=axe)
    found = page.evaluate("axe.run('.privlab-Release').then(found => found.violations)")
    assert [rule["id"] for rule in found] == []

    _command(page, "docmanager:save")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    saved = json.loads((lab_root / "first.ipynb").read_text())
    kinds = [set(output["data"]) for output in saved["cells"][1]["outputs"]]
    assert kinds == [{"application/vnd.privlab.release.v1+json", "text/html", "text/plain"}], (
        "the phase line is gone and the release alone is kept"
    )


def test_the_meter_follows_an_answer_within_a_second(notebook: Callable[..., Page]) -> None:
    """The fastest of three, so that a busy machine does not decide."""
    asked = [QUESTION.replace("37", age) for age in ("38", "39", "40")]
    page = notebook(*("%load_ext privlab", *(f"%%private\n{q}" for q in asked)), name="live.ipynb")
    page.keyboard.press("Control+Alt+b")
    expect(_meter(page)).to_be_visible()
    _command(page, "notebook:run-cell-and-select-next")
    took = []
    for count in range(1, len(asked) + 1):
        before = _left(page)
        _command(page, "notebook:run-cell-and-select-next")
        expect(page.locator(".privlab-Release table")).to_have_count(count, timeout=30_000)
        answered = time.monotonic()
        _wait_below(page, before)
        took.append(time.monotonic() - answered)
    assert min(took) < LIVE_SECONDS


def test_the_same_question_again_costs_nothing(notebook: Callable[..., Page]) -> None:
    sql = "SELECT ward, COUNT(*) AS n FROM visits WHERE age < 37 GROUP BY ward"
    again = f"%%private again --share 2%\n-- another text, the same question\n{sql.lower()}"
    page = notebook(
        "%load_ext privlab", f"%%private first --share 2%\n{sql}", again, name="again.ipynb"
    )
    page.keyboard.press("Control+Alt+b")
    expect(_meter(page)).to_be_visible()
    before = _left(page)
    _command(page, "notebook:run-all-cells")
    tables = page.locator(".privlab-Release table tbody")
    expect(tables).to_have_count(2, timeout=30_000)
    assert tables.nth(0).inner_text() == tables.nth(1).inner_text()
    _wait_below(page, before)
    assert _left(page) == pytest.approx(before - 2, abs=0.02)
    listed = page.locator(".privlab-Releases li").filter(has_text="age < 37")
    expect(listed).to_have_count(1)


def test_a_refusal_is_a_few_lines_with_a_code(notebook: Callable[..., Page]) -> None:
    page = notebook("%load_ext privlab", "%%private\nSELECT * FROM visits", name="refused.ipynb")
    _command(page, "notebook:run-all-cells")
    error = page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
    expect(error).to_contain_text("PL105", timeout=30_000)
    assert "Traceback" not in error.inner_text()
    assert len(error.inner_text().strip().splitlines()) <= 8


def test_only_sql_is_colored_as_sql(notebook: Callable[..., Page]) -> None:
    polars = '%%private\nvisits.group_by("ward").agg(select=pl.len())'
    page = notebook(f"%%private\n{QUESTION}", polars, name="colors.ipynb")
    words = page.locator(".jp-CodeCell").nth(0).locator(".cm-line").nth(1)
    plain = page.locator(".jp-CodeCell").nth(1).locator(".cm-line").nth(1)
    color = "node => getComputedStyle(node).color"
    keyword = words.locator("span", has_text="SELECT").first
    expect(keyword).to_be_visible()
    assert keyword.evaluate(color) != words.evaluate(color)
    expect(plain.locator("span", has_text="select").filter(has_text="agg")).to_have_count(0)
