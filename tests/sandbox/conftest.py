"""Attacks run in a forked process of their own; only their outcome comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

Attack = Callable[..., dict[str, Any]]

FRAME = """
import json, sys
outcomes = {{}}

def attempt(name, act):
    try:
        outcomes[name] = ["done", str(act())[:200]]
    except OSError as error:
        outcomes[name] = ["refused", error.errno]
    except BaseException as error:
        outcomes[name] = ["raised", type(error).__name__]

{script}
sys.stdout.write(json.dumps(outcomes))
sys.stdout.flush()
import os
os._exit(0)
"""


@pytest.fixture
def attack() -> Attack:
    """Runs a script in a fresh process; it calls ``attempt(name, act)``."""

    def run(script: str, *arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-c", FRAME.format(script=textwrap.dedent(script)), *arguments],
            capture_output=True,
            check=True,
            timeout=30,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run
