"""Run the command as a person does, and look at what it printed and how it ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from privlab.cli.app import main
from privlab.client.owner import Owner
from privlab.client.session import Session
from privlab.wire import locate
from tests.conftest import Place


@dataclass(frozen=True)
class Ended:
    """A finished command."""

    status: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def own_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where ``privlab init`` and ``privlab trust`` keep their list."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the passphrase that seals master keys here, where nobody can be asked."""
    file = tmp_path_factory.mktemp("given") / "passphrase"
    file.touch(0o600)
    file.write_text("correct horse battery staple\n")
    monkeypatch.setenv("PRIVLAB_PASSPHRASE_FILE", str(file))
    monkeypatch.setattr("privlab.connector.providers.passphrase.WORK", 1 << 14)
    return file


@pytest.fixture
def privlab(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``privlab("verify", "x.json")`` in this process, through `main`."""

    def run(*words: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["privlab", *map(str, words)])
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        printed = capsys.readouterr()
        return Ended(status, printed.out, printed.err)

    return run


@pytest.fixture
def owner(fresh_workspace: Callable[[], Place]) -> Iterator[Owner]:
    """The owner of a workspace that no other test has, whose curator runs."""
    made = fresh_workspace()
    place = locate.find(env={**os.environ, **made.env})
    locate.start(place)
    session = Session(place)
    yield Owner(session)
    session.close()
