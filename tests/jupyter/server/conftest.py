"""pytest-jupyter's fixtures, for this folder alone.

Its event loop is autouse and ends Playwright's, so it must never be shared.
"""

from __future__ import annotations

from typing import Any

import pytest
from pytest_jupyter.jupyter_core import *  # noqa: F403
from pytest_jupyter.jupyter_server import *  # noqa: F403
from pytest_jupyter.pytest_tornasync import *  # noqa: F403


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"privlab": True, "jupyter_server_terminals": False},
            "allow_unauthenticated_access": False,
        }
    }
