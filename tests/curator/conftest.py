"""A curator inside the test's own process, so that a test can act between two stops."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from privlab.client.owner import keys_message, parts_message
from privlab.connector.contract import parse
from privlab.connector.protect import protect
from privlab.curator import answer, owner
from privlab.curator.boot import open_desk
from privlab.curator.desk import Desk
from privlab.curator.workspace import load
from privlab.engine.handle import Engine
from privlab.engine.job import Job
from privlab.terms.principal import Principal
from privlab.wire.messages import Answer, Ask, Phase, Price
from privlab.wire.owner import Prepare, Register
from tests.conftest import VISITS, visits_csv


def question(
    text: str = "SELECT COUNT(*) AS n FROM visits", share: str = "1", name: str = "a-request-id"
) -> Ask:
    return Ask(id=name, text=text, price=Price(share=share))


@dataclass
class Inside:
    """A desk on a workspace of its own, and its one analyst."""

    desk: Desk
    who: Principal
    folder: Path

    def answer(self, ask: Ask, at: Callable[[Phase], None] = lambda _: None) -> Answer:
        return answer.answer(self.desk, self.who, ask, at, lambda: True)

    def spent(self) -> int:
        account = self.desk.ledger.account(self.who.name, "clinic")
        assert account is not None
        return account.spent.units

    def next_version(self, contract: str = VISITS) -> Register:
        """The next version of visits, protected, to be registered by `owner.register`."""
        prepared = owner.prepare(self.desk, self.who, Prepare(contract=contract))
        done = protect(
            visits_csv(self.folder / "again.csv"),
            parse(contract),
            version=prepared.version,
            unit_key=base64.b64decode(prepared.unit_key),
            order_key=base64.b64decode(prepared.order_key),
            folder=Path(prepared.folder),
        )
        return Register(
            contract=contract,
            version=prepared.version,
            parts=parts_message(done.parts),
            keys=keys_message(done.keys),
        )

    def register(self, body: Register) -> None:
        owner.register(self.desk, self.who, body)


class Acting:
    """An engine that acts when it has computed: what happens during a run."""

    def __init__(self, engine: Engine, act: Callable[[], object]) -> None:
        self._engine, self._act = engine, act

    def run(self, job: Job) -> Any:
        measured = self._engine.run(job)
        self._act()
        return measured


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> Iterator[Engine]:
    started = Engine(cache=tmp_path_factory.mktemp("kernels") / "cache")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def inside(fresh_workspace: Callable[[], Any], engine: Engine) -> Iterator[Inside]:
    """``clinic.visits`` in version 1, with a budget, and no other process."""
    folder = fresh_workspace().folder
    workspace = load(folder)
    desk = open_desk(workspace, engine)
    who = workspace.principal(os.getuid())
    assert who is not None
    yield Inside(desk, who, folder)
    desk.ledger.close()
