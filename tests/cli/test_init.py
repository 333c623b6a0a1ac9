"""A workspace is made once, closed to others, and found again."""

from __future__ import annotations

import stat
import tomllib

from privlab.cli import init


def test_it_makes_a_workspace_only_its_owner_can_open(privlab, tmp_path) -> None:
    folder = tmp_path / "w"
    ended = privlab("init", folder)
    assert ended.status == 0
    assert str(folder) in ended.out
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    settings = tomllib.loads((folder / "privlab.toml").read_text())
    assert settings["workspace"]["policy"] == "personal"


def test_it_says_how_commands_will_find_it(privlab, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("PRIVLAB_WORKSPACE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert "export PRIVLAB_WORKSPACE=" in privlab("init", tmp_path / "w").err


def test_without_a_folder_it_is_where_clients_look(privlab, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("PRIVLAB_WORKSPACE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    ended = privlab("init")
    assert (tmp_path / "privlab" / "privlab.toml").is_file()
    assert "export" not in ended.err


def test_what_was_made_here_may_be_started_when_it_is_found(privlab, tmp_path, own_config) -> None:
    privlab("init", tmp_path / "w")
    listed = own_config / "privlab" / "trusted"
    assert listed.read_text() == f"{tmp_path / 'w'}\n"


def test_a_list_that_cannot_be_written_does_not_undo_the_workspace(
    privlab, tmp_path, own_config
) -> None:
    own_config.write_text("a file where a folder should be")
    ended = privlab("init", tmp_path / "w")
    assert ended.status == 0
    assert "not on your list of trusted workspaces" in ended.err


def test_it_never_makes_one_over_another(privlab, tmp_path) -> None:
    privlab("init", tmp_path / "w")
    ended = privlab("init", tmp_path / "w")
    assert ended.status == 1
    assert ended.err.startswith("PL152 ")


def test_without_a_keyring_it_seals_the_master_with_a_passphrase(privlab, tmp_path) -> None:
    ended = privlab("init", tmp_path / "w")
    assert "custody: file)" in ended.out
    sealed = (tmp_path / "w" / "keys" / "master.key").read_bytes()
    assert b'"kdf": "scrypt"' in sealed
    assert "not encrypted" not in ended.err


def test_with_a_keyring_it_is_there(privlab, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        "privlab.connector.providers.system_keyring.trusted_keyring", lambda: object()
    )
    assert init.usual_custody().startswith("keyring:workspace-")


def test_a_plain_master_is_chosen_in_words_and_told(privlab, tmp_path) -> None:
    ended = privlab("init", tmp_path / "w", "--custody", "plain:keys/master.key")
    assert "custody: plain)" in ended.out
    assert "not encrypted" in ended.err


def test_without_a_keyring_or_a_passphrase_nothing_is_made(privlab, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("PRIVLAB_PASSPHRASE_FILE")
    monkeypatch.setattr("privlab.cli.passphrase.somebody_is_there", lambda: False)
    ended = privlab("init", tmp_path / "w")
    assert ended.err.startswith("PL152 nobody is there to type a new passphrase")
    assert "--custody" in ended.err
    assert not (tmp_path / "w" / "privlab.toml").exists()


def test_an_unknown_policy_is_refused(privlab, tmp_path) -> None:
    ended = privlab("init", tmp_path / "w", "--policy", "open")
    assert ended.status == 1
    assert "personal or team" in ended.err
    assert not (tmp_path / "w").exists()
