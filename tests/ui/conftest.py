"""A real JupyterLab in a real browser, over a real curator.

Chromium comes from the system: ``PRIVLAB_CHROMIUM``, else ``chromium`` or
``google-chrome`` on the PATH.  Without one these tests skip, and say so; with
``CI=true`` they fail, because a skipped browser test is how a panel breaks.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TOKEN = "token-of-the-browser-tests"
START_SECONDS = 60
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.ui)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    found = os.environ.get("PRIVLAB_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing = "no Chromium: install it, or name it in PRIVLAB_CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return {**browser_type_launch_args, "executable_path": found, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 800}, "locale": "en-US"}


@pytest.fixture(scope="session")
def lab_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder JupyterLab shows; notebooks go here."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab_url(lab_root: Path, protected_workspace: Any) -> Iterator[str]:
    """JupyterLab, started once, whose kernels and relay use the tests' workspace."""
    with running_lab(lab_root, protected_workspace.env) as url:
        yield url


@pytest.fixture
def lab(page: Page, lab_url: str) -> Page:
    """A fresh JupyterLab page that is ready for input."""
    return opened(page, f"{lab_url}/lab?token={TOKEN}&reset")


@pytest.fixture
def notebook(page: Page, lab_url: str, lab_root: Path) -> Callable[..., Page]:
    """Opens a notebook with the given cells, its kernel ready."""

    def open_with(*cells: str, name: str = "first.ipynb") -> Page:
        (lab_root / name).write_text(notebook_json(cells))
        opened(page, f"{lab_url}/lab/tree/{name}?token={TOKEN}&reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_function(
            "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
            " === 'idle'"
        )
        return page

    return open_with


@pytest.fixture(scope="session")
def axe() -> Path:
    """axe-core, which the panel's node packages bring."""
    if not AXE.is_file():
        pytest.fail(f"{AXE} is missing; run: jlpm install")
    return AXE


def opened(page: Page, url: str) -> Page:
    """The page at ``url`` once JupyterLab has restored its layout."""
    page.goto(url)
    page.wait_for_function("window.jupyterapp !== undefined")
    page.evaluate("window.jupyterapp.restored.then(() => true)")
    return page


@contextlib.contextmanager
def running_lab(root: Path, env: dict[str, str]) -> Iterator[str]:
    """JupyterLab on a free port, with settings and layouts of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = root / ".lab"
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--allow-root", "--no-browser"),
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}",
        f"--IdentityProvider.token={TOKEN}",
        "--LabApp.expose_app_in_browser=True",
        f"--LabApp.workspaces_dir={home / 'workspaces'}",
        f"--LabApp.user_settings_dir={home / 'settings'}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    places = {"JUPYTER_CONFIG_DIR": str(home / "config"), "IPYTHONDIR": str(home / "ipython")}
    log = home / "lab.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, **places, **env}
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/api", timeout=1):  # noqa: S310
            return
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def notebook_json(cells: tuple[str, ...]) -> str:
    """A notebook file with these code cells."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": kernel},
            "cells": [
                {
                    "id": f"cell-{at}",
                    "cell_type": "code",
                    "metadata": {},
                    "source": source,
                    "outputs": [],
                    "execution_count": None,
                }
                for at, source in enumerate(cells)
            ],
        }
    )
