"""A client says which curator it chose, and why, and never one a stranger could fake."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from privlab.errors import BadContract, CuratorUnreachable
from privlab.wire import locate


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {
        "XDG_RUNTIME_DIR": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


def workspace(folder: Path, text: str = "") -> Path:
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
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
    with pytest.raises(BadContract, match="privlab init") as refusal:
        locate.start(locate.find(env=env | {"PRIVLAB_WORKSPACE": str(tmp_path)}), env=env)

    assert refusal.value.code == "PL152"


def writing_program(folder: Path) -> Path:
    """A workspace that came with a program of its own; the file the program would leave."""
    program = folder / "evil.sh"
    workspace(folder, f"[curator]\npython = '{program}'\n")
    program.write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    program.chmod(0o755)
    return folder / "ran"


def test_the_program_of_a_workspace_that_was_only_found_is_never_run(
    env: dict[str, str], tmp_path: Path
) -> None:
    """As after unzip or git clone: every file is the user's own."""
    ran = writing_program(tmp_path / "download")
    (tmp_path / "download" / "notebooks").mkdir()

    place = locate.find(env=env, start_at=tmp_path / "download" / "notebooks")
    with pytest.raises(CuratorUnreachable) as refusal:
        locate.start(place, env=env, seconds=2)

    assert not ran.exists()
    assert refusal.value.code == "PL303"
    assert refusal.value.hint.endswith(f"privlab trust {tmp_path / 'download'}")


def test_a_found_workspace_that_names_our_own_python_is_not_started_either(
    env: dict[str, str], tmp_path: Path
) -> None:
    """Its policy and its keys are still a stranger's."""
    folder = workspace(tmp_path / "w")

    with pytest.raises(CuratorUnreachable, match="found and not named"):
        locate.start(locate.find(env=env, start_at=folder), env=env)

    assert not (folder / "curator.log").exists()


@pytest.mark.parametrize("how", ["named", "trusted", "own"])
def test_a_workspace_the_user_named_trusts_or_keeps_is_started(
    how: str, env: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "privlab" if how == "own" else tmp_path / "w"
    ran = writing_program(folder)
    if how == "named":
        env |= {"PRIVLAB_WORKSPACE": str(folder)}
    if how == "trusted":
        locate.trust(folder, env)

    with pytest.raises(CuratorUnreachable, match="did not start"):
        locate.start(locate.find(env=env, start_at=folder), env=env, seconds=2)

    assert ran.exists()


def test_a_running_curator_of_a_found_workspace_is_asked(
    env: dict[str, str], tmp_path: Path
) -> None:
    folder = workspace(tmp_path / "w")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        (folder / "curator.at").write_text(f"{tmp_path / 's'}\n")

        place = locate.start(locate.find(env=env, start_at=folder), env=env)
        locate.check_listener(place, env)

    assert place.socket == tmp_path / "s"


@pytest.mark.parametrize(("named", "accepted"), [(True, True), (False, False)])
def test_another_user_answers_only_for_a_workspace_that_was_named(
    named: bool,
    accepted: bool,
    env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stranger may put a privlab.toml above a folder of ours, in /tmp for example."""
    theirs = os.getuid() + 1
    monkeypatch.setattr(locate, "peer_uid", lambda path: theirs)
    monkeypatch.setattr(Path, "stat", lambda self, **_: SimpleNamespace(st_uid=theirs))
    place = locate.Place(tmp_path / "s", tmp_path, "a test", named)

    if accepted:
        locate.check_listener(place, env)
    else:
        with pytest.raises(CuratorUnreachable) as refusal:
            locate.check_listener(place, env)
        assert refusal.value.code == "PL303"


def test_a_settings_file_or_folder_that_others_can_write_starts_nothing(
    env: dict[str, str], tmp_path: Path
) -> None:
    """They name the program to run."""
    ran = writing_program(tmp_path / "w")
    place = locate.find(env=env | {"PRIVLAB_WORKSPACE": str(tmp_path / "w")})

    for path, mode in ((tmp_path / "w" / "privlab.toml", 0o664), (tmp_path / "w", 0o777)):
        before = path.stat().st_mode
        path.chmod(mode)
        with pytest.raises(CuratorUnreachable) as refusal:
            locate.start(place, env=env)
        assert refusal.value.code == "PL303"
        path.chmod(before)

    assert not ran.exists()


def test_a_settings_file_that_is_a_link_starts_nothing(env: dict[str, str], tmp_path: Path) -> None:
    ran = writing_program(tmp_path / "real")
    (tmp_path / "w").mkdir(mode=0o700)
    (tmp_path / "w" / "privlab.toml").symlink_to(tmp_path / "real" / "privlab.toml")

    with pytest.raises(BadContract) as refusal:
        locate.start(locate.find(env=env | {"PRIVLAB_WORKSPACE": str(tmp_path / "w")}), env=env)

    assert refusal.value.code == "PL152"
    assert not ran.exists()


def test_what_was_checked_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is exchanged after the check changes nothing: it is opened once."""
    folder = workspace(tmp_path / "w", "[curator]\npython = '/usr/bin/good'\n")
    workspace(tmp_path / "other", "[curator]\npython = '/usr/bin/evil'\n")
    check = os.fstat

    def exchanged(descriptor: int) -> os.stat_result:
        found = check(descriptor)
        if (tmp_path / "other" / "privlab.toml").exists() and stat.S_ISREG(found.st_mode):
            (tmp_path / "other" / "privlab.toml").rename(folder / "privlab.toml")
        return found

    monkeypatch.setattr(os, "fstat", exchanged)

    assert locate.interpreter(folder) == "/usr/bin/good"
    assert locate.interpreter(folder) == "/usr/bin/evil"


@pytest.mark.parametrize("python", ["'evil.sh'", "'./evil.sh'", "3", '"/bin/a\\u001b[2J"'])
def test_a_program_is_named_by_its_whole_path(python: str, tmp_path: Path) -> None:
    """A bare name would be looked for in the working folder or on PATH."""
    folder = workspace(tmp_path / "w", f"[curator]\npython = {python}\n")

    with pytest.raises(BadContract) as refusal:
        locate.interpreter(folder)

    assert refusal.value.code == "PL152"


def test_a_curator_that_dies_at_once_is_reported(env: dict[str, str], tmp_path: Path) -> None:
    folder = workspace(tmp_path / "w", "[curator]\npython = '/bin/false'\n")

    with pytest.raises(CuratorUnreachable, match="did not start"):
        locate.start(locate.find(env=env | {"PRIVLAB_WORKSPACE": str(folder)}), env=env)
