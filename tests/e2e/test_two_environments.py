"""The notebook's part alone, beside the newest polars and pandas, asks a curator elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "01_first_query.ipynb"

RUN = """
import importlib.util, sys, nbformat
from nbclient import NotebookClient
absent = [m for m in ("numba", "opendp", "pyarrow", "cedarpy", "apsw", "fastapi", "sqlglot")
          if importlib.util.find_spec(m)]
assert not absent, f"the base install brought {absent}"
import pandas, polars
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
print(polars.__version__, pandas.__version__,
      sum("privlab" in str(o) for c in notebook.cells for o in c.get("outputs", [])))
"""


@pytest.mark.slow
def test_the_base_install_runs_the_notebook_against_a_curator_in_another_environment(
    demo_workspace: Path, tmp_path: Path
) -> None:
    wheels, venv = tmp_path / "wheels", tmp_path / "venv"
    source = tmp_path / "source"
    shutil.copytree(
        ROOT,
        source,
        ignore=shutil.ignore_patterns(".git", ".venv", "node_modules", ".demo", ".*_cache"),
    )
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(wheels), str(source)], check=True)
    (wheel,) = wheels.glob("privlab-*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    python = str(venv / "bin" / "python")
    subprocess.run(
        [
            *(python, "-m", "pip", "-q", "install", "--upgrade", str(wheel)),
            *("polars", "pandas", "nbclient", "ipykernel"),
        ],
        check=True,
    )
    size = sum(f.stat().st_size for f in venv.rglob("*") if f.is_file())
    print(f"the environment holds {size / 1e6:.0f} MB")

    done = subprocess.run(
        [python, "-c", RUN, str(NOTEBOOK)],
        cwd=tmp_path,
        env={**os.environ, "PRIVLAB_WORKSPACE": str(demo_workspace), "PATH": str(venv / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) >= 5
