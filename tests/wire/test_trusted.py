"""The list of trusted workspaces is the user's alone, and says each folder once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from privlab.errors import BadContract, CuratorUnreachable
from privlab.wire.trusted import is_trusted, trust, trust_file


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def test_only_what_was_listed_is_trusted(env: dict[str, str], tmp_path: Path) -> None:
    assert not is_trusted(tmp_path / "a", env)
    trust(tmp_path / "a", env)
    trust(tmp_path / "b" / ".." / "b", env)
    trust(tmp_path / "a", env)

    assert is_trusted(tmp_path / "a", env)
    assert is_trusted(tmp_path / "b", env)
    assert not is_trusted(tmp_path / "a" / "below", env)
    assert not is_trusted(tmp_path, env)
    assert trust_file(env).read_text() == f"{tmp_path / 'a'}\n{tmp_path / 'b'}\n"


def test_the_list_is_closed_to_others(env: dict[str, str], tmp_path: Path) -> None:
    trust(tmp_path, env)

    assert stat.S_IMODE(trust_file(env).stat().st_mode) == 0o600
    assert stat.S_IMODE(trust_file(env).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("which", ["file", "folder"])
def test_a_list_that_others_could_have_written_is_refused(
    which: str, env: dict[str, str], tmp_path: Path
) -> None:
    trust(tmp_path / "a", env)
    path = trust_file(env) if which == "file" else trust_file(env).parent
    path.chmod(path.stat().st_mode | 0o020)

    for use in (trust, is_trusted):
        with pytest.raises(CuratorUnreachable) as refusal:
            use(tmp_path / "a", env)
        assert refusal.value.code == "PL303"


def test_a_list_that_is_a_link_says_nothing(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(f"{tmp_path / 'a'}\n")
    trust_file(env).parent.mkdir(mode=0o700, parents=True)
    trust_file(env).symlink_to(tmp_path / "elsewhere")

    assert not is_trusted(tmp_path / "a", env)
    with pytest.raises(BadContract):
        trust(tmp_path / "a", env)


def test_a_name_cannot_smuggle_a_second_line(env: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(BadContract) as refusal:
        trust(tmp_path / f"a\n{tmp_path / 'b'}", env)

    assert refusal.value.code == "PL152"
    assert not is_trusted(tmp_path / "b", env)


def test_a_config_folder_that_is_not_absolute_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a downloaded folder could bring the list with it."""
    monkeypatch.setenv("HOME", str(tmp_path))

    assert trust_file({"XDG_CONFIG_HOME": "config"}) == tmp_path / ".config/privlab/trusted"
