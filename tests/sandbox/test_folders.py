"""A folder that code is loaded from is its user's alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from privlab.errors import BadContract
from privlab.sandbox.folders import private_folder


def test_it_is_made_closed_to_others_and_found_again(tmp_path: Path) -> None:
    made = private_folder(tmp_path / "a" / "b")

    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert private_folder(made) == made


def test_a_folder_that_others_can_enter_a_link_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "link").symlink_to(private_folder(tmp_path / "real"))
    (tmp_path / "file").write_text("")

    for name in ("open", "link", "file", "file/below"):
        with pytest.raises(BadContract) as refusal:
            private_folder(tmp_path / name)
        assert refusal.value.code == "PL152"
