"""A client says which curator it chose, and why, and never one a stranger could fake."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from privlab.errors import CuratorUnreachable
from privlab.wire import locate


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_RUNTIME_DIR": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}


def workspace(folder: Path, text: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "privlab.toml").write_text(text)
    return folder


def test_a_named_url_wins_over_everything(env: dict[str, str], tmp_path: Path) -> None:
    env |= {"PRIVLAB_URL": "unix:/run/b.sock", "PRIVLAB_WORKSPACE": str(tmp_path)}

    place = locate.find("unix:/run/a.sock", env=env)

    assert place.socket == Path("/run/a.sock")
    assert place.why == "you named it"


def test_the_order_is_url_workspace_parent_folder_data_folder(
    env: dict[str, str], tmp_path: Path
) -> None:
    found = workspace(tmp_path / "project")
    below = found / "deep" / "down"
    below.mkdir(parents=True)

    chosen = [
        locate.find(env=env | {"PRIVLAB_URL": "unix:/run/b.sock"}, start_at=below).why,
        locate.find(env=env | {"PRIVLAB_WORKSPACE": str(tmp_path)}, start_at=below).workspace,
        locate.find(env=env, start_at=below).workspace,
        locate.find(env=env, start_at=tmp_path).workspace,
    ]

    assert chosen == ["PRIVLAB_URL names it", tmp_path, found, tmp_path / "data" / "privlab"]


def test_two_workspaces_have_two_sockets(env: dict[str, str], tmp_path: Path) -> None:
    sockets = {locate.socket_of(tmp_path / name, env) for name in "ab"}

    assert len(sockets) == 2


@pytest.mark.parametrize("url", ["http://x", "unix:relative", "", "unix:"])
def test_an_address_that_is_none_is_refused(url: str, env: dict[str, str]) -> None:
    with pytest.raises(CuratorUnreachable) as refusal:
        locate.find(url or "x", env=env)

    assert refusal.value.code == "PL300"


def test_a_socket_folder_that_others_can_enter_is_refused(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "privlab").mkdir()
    (tmp_path / "privlab").chmod(0o755)

    with pytest.raises(CuratorUnreachable) as refusal:
        locate.runtime_folder(env)

    assert refusal.value.code == "PL303"


def test_nobody_listening_has_no_uid(tmp_path: Path) -> None:
    assert locate.peer_uid(tmp_path / "none.sock") is None


def test_a_listener_has_its_own_uid(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        assert locate.peer_uid(tmp_path / "s") == os.getuid()


def test_a_socket_without_a_workspace_cannot_be_started(tmp_path: Path) -> None:
    place = locate.Place(tmp_path / "none.sock", None, "a test")

    with pytest.raises(CuratorUnreachable, match="nobody listens") as refusal:
        locate.start(place)

    assert refusal.value.code == "PL300"


def test_a_folder_without_a_workspace_says_how_to_make_one(
    env: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(CuratorUnreachable, match="privlab init"):
        locate.start(locate.find(env=env | {"PRIVLAB_WORKSPACE": str(tmp_path)}))


def test_a_settings_file_that_others_can_write_starts_nothing(
    env: dict[str, str], tmp_path: Path
) -> None:
    """It names the program to run."""
    folder = workspace(tmp_path / "w", "[curator]\npython = '/bin/true'\n")
    (folder / "privlab.toml").chmod(0o666)

    with pytest.raises(CuratorUnreachable) as refusal:
        locate.start(locate.find(env=env | {"PRIVLAB_WORKSPACE": str(folder)}))

    assert refusal.value.code == "PL303"


def test_a_curator_that_dies_at_once_is_reported(env: dict[str, str], tmp_path: Path) -> None:
    folder = workspace(tmp_path / "w", "[curator]\npython = '/bin/false'\n")

    with pytest.raises(CuratorUnreachable, match="did not start"):
        locate.start(locate.find(env=env | {"PRIVLAB_WORKSPACE": str(folder)}))
