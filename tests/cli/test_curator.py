"""Where the curator is, and why there."""

from __future__ import annotations

import pytest

from privlab.cli.curator import held


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("PRIVLAB_URL", raising=False)
    monkeypatch.setenv("PRIVLAB_WORKSPACE", str(tmp_path / "w"))


def test_status_says_where_it_looked_and_why_there(privlab, tmp_path) -> None:
    ended = privlab("curator", "status")
    assert ended.status == 3
    assert f"workspace: {tmp_path / 'w'}" in ended.out
    assert "PRIVLAB_WORKSPACE names" in ended.out
    assert ended.err.startswith("PL300 no curator is running")


def test_stopping_what_does_not_run_is_no_error(privlab, tmp_path) -> None:
    privlab("init", tmp_path / "w")
    ended = privlab("curator", "stop")
    assert ended.status == 0
    assert "no curator is running" in ended.out


def test_a_named_socket_is_not_ours_to_stop(privlab, monkeypatch) -> None:
    monkeypatch.setenv("PRIVLAB_URL", "unix:/nowhere/x.sock")
    assert privlab("curator", "stop").err.startswith("PL152 ")
    assert privlab("curator", "run").err.startswith("PL152 ")


def test_starting_without_a_workspace_says_how_to_make_one(privlab) -> None:
    ended = privlab("curator", "start")
    assert ended.status == 1
    assert ended.err.startswith("PL152 there is no workspace in ")
    assert "privlab init" in ended.err


def test_a_workspace_that_was_only_found_is_not_run(privlab, monkeypatch, tmp_path) -> None:
    """Its policy and its keys are a stranger's, whatever program would read them."""
    monkeypatch.delenv("PRIVLAB_WORKSPACE")
    (tmp_path / "privlab.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    ended = privlab("curator", "run")
    assert ended.status == 3
    assert ended.err.startswith("PL303 ")
    assert f"privlab trust {tmp_path}" in ended.err


def test_a_lock_is_held_while_somebody_holds_it(tmp_path) -> None:
    import fcntl

    lock = tmp_path / "curator.lock"
    assert not held(lock)
    with lock.open("w") as file:
        assert not held(lock)
        fcntl.flock(file, fcntl.LOCK_EX)
        assert held(lock)
