"""A version's folder: whole or absent, and never over a registered one."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from privlab.connector.versions import new_version
from privlab.errors import BadContract


def test_a_folder_appears_when_all_went_well(tmp_path: Path) -> None:
    folder = tmp_path / "visits" / "1"

    with new_version(folder) as draft:
        (draft / "a").write_text("x")
        assert not folder.exists()

    assert (folder / "a").read_text() == "x"
    assert [path.name for path in folder.parent.iterdir()] == ["1"]
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_appears_when_something_went_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "visits" / "1"

    def fail() -> None:
        with new_version(folder) as draft:
            (draft / "a").write_text("x")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(folder.parent.iterdir()) == []


def test_an_unregistered_version_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "visits" / "1"
    for name in ("old", "new"):
        with new_version(folder) as draft:
            (draft / name).write_text("x")

    assert [path.name for path in folder.iterdir()] == ["new"]


def test_a_registered_version_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "visits" / "1"
    with new_version(folder) as draft:
        (draft / "manifest.json").write_text("{}")

    with pytest.raises(BadContract) as caught, new_version(folder):
        pass

    assert caught.value.code == "PL151"
    assert (folder / "manifest.json").exists()


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "visits" / "1"
    folder.parent.mkdir()
    held = os.open(folder.parent, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(BadContract) as caught, new_version(folder):
            pass
        assert caught.value.code == "PL151"
    finally:
        os.close(held)
