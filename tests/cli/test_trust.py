"""A workspace that came from elsewhere is started only after its user said so."""

from __future__ import annotations

import pytest


@pytest.fixture
def download(tmp_path, monkeypatch):
    """A folder that came with a workspace whose program leaves a mark."""
    folder = tmp_path / "download"
    folder.mkdir(mode=0o755)
    (folder / "privlab.toml").write_text(f"[curator]\npython = '{folder}/evil.sh'\n")
    (folder / "evil.sh").write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    (folder / "evil.sh").chmod(0o755)
    for name in ("PRIVLAB_WORKSPACE", "PRIVLAB_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(folder)
    return folder


def test_no_command_starts_what_was_only_found(privlab, download) -> None:
    for words in (("tables",), ("ask", "SELECT COUNT(*) AS n FROM t"), ("curator", "start")):
        ended = privlab(*words)
        assert ended.status == 3
        assert ended.err.startswith("PL303 ")
        assert f"privlab trust {download}" in ended.err
    assert not (download / "ran").exists()


def test_trusting_says_what_will_be_run_and_lets_it(privlab, download) -> None:
    ended = privlab("trust", ".")
    assert ended.status == 0
    assert ended.out == f"trusted: {download}\nits curator may be started, by {download}/evil.sh\n"
    assert privlab("tables").err.startswith("PL300 the curator did not start")
    assert (download / "ran").exists()


def test_trusting_needs_a_workspace(privlab, tmp_path, own_config) -> None:
    ended = privlab("trust", tmp_path)
    assert ended.status == 1
    assert ended.err.startswith("PL152 there is no workspace in ")
    assert not (own_config / "privlab").exists()


def test_a_workspace_others_can_write_may_be_asked_but_not_started(privlab, download) -> None:
    (download / "privlab.toml").chmod(0o666)
    assert "not started from here" in privlab("trust", download).out
    assert privlab("tables").err.startswith("PL303 ")
    assert not (download / "ran").exists()
