"""The desk serves what the ledger registered, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privlab.curator import boot
from privlab.curator.desk import Desk
from privlab.curator.workspace import load
from privlab.engine.handle import Engine
from privlab.errors import IntegrityError


def desk(folder: Path) -> Desk:
    return boot.open_desk(load(folder), Engine(cache=folder / "cache"))


def test_a_manifest_is_served_only_as_the_bytes_that_were_registered(
    fresh_workspace: Callable[[], Any],
) -> None:
    """A blank more changes nothing that is signed, and is another file all the same."""
    folder = fresh_workspace().folder
    assert desk(folder).registered.table("clinic", "visits").version == 1
    path = folder / "tables" / "clinic" / "visits" / "1" / "manifest.json"
    path.write_bytes(path.read_bytes() + b" ")

    with pytest.raises(IntegrityError) as caught:
        desk(folder)

    assert caught.value.code == "PL401"
