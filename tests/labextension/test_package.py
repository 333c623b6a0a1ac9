"""The panel's package: what is committed, and what a wheel carries."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ("package.json", "yarn.lock", ".yarnrc.yml", "labextension/install.json")


@pytest.mark.parametrize("name", COMMITTED)
def test_no_committed_file_names_a_registry(name):
    text = (ROOT / name).read_text("utf-8")
    assert re.findall(r"(?:https?:)?//[\w.-]+", text) == []


def test_the_lock_holds_everything_the_package_asks_for():
    package = json.loads((ROOT / "package.json").read_text("utf-8"))
    lock = (ROOT / "yarn.lock").read_text("utf-8")
    for group in ("dependencies", "devDependencies"):
        for name in package[group]:
            assert re.search(rf'^"(?:.*, )?{re.escape(name)}@npm:', lock, re.MULTILINE), name


def test_names_agree_wherever_jupyter_looks_for_them():
    package = json.loads((ROOT / "package.json").read_text("utf-8"))
    install = json.loads((ROOT / "labextension/install.json").read_text("utf-8"))
    server = json.loads((ROOT / "labextension/server-config.json").read_text("utf-8"))
    assert package["name"] == install["packageName"] == "privlab"
    assert server == {"ServerApp": {"jpserver_extensions": {"privlab": True}}}
    schemas = ROOT / package["jupyterlab"]["schemaDir"]
    plugins = set(
        re.findall(r"'privlab:(plugin)'", (ROOT / "labextension/src/index.ts").read_text())
    )
    assert {path.stem for path in schemas.glob("*.json")} == plugins


def test_only_the_themes_variables_color_the_panel():
    style = (ROOT / "labextension/style/base.css").read_text("utf-8")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", style) == []
    for variable in re.findall(r"var\((--[\w-]+)", style):
        assert variable.startswith("--jp-")


@pytest.mark.slow
def test_a_wheel_brings_the_panel_to_a_machine_without_node(tmp_path):
    """Builds from the tree, whose panel must be built; installs with an empty PATH."""
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = tmp_path / "env" / "bin" / "python"
    bare = {**os.environ, "PATH": str(python.parent)}
    assert shutil.which("node", path=bare["PATH"]) is None
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, env=bare)
    panel = tmp_path / "env" / "share" / "jupyter" / "labextensions" / "privlab"
    built = json.loads((panel / "package.json").read_text("utf-8"))
    assert (panel / built["jupyterlab"]["_build"]["load"]).is_file()
    enabled = tmp_path / "env" / "etc" / "jupyter" / "jupyter_server_config.d" / "privlab.json"
    assert json.loads(enabled.read_text("utf-8"))["ServerApp"]["jpserver_extensions"]["privlab"]
