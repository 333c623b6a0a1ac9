"""Workspaces for the tests: real folders, real curators, small real tables."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from privlab.client.owner import Owner
from privlab.client.session import Session
from privlab.connector.contract import parse
from privlab.connector.protect import protect
from privlab.curator.boot import stop
from privlab.curator.workspace import create
from privlab.terms.loss import Loss
from privlab.wire import locate

PLAIN = "plain:keys/master.key"
"""Where the workspaces of most tests keep their master key."""

VISITS = """\
[table]
name = "visits"
dataset = "clinic"
about = "Made-up visits for tests."
unit = "patient_id"
unit_word = "patient"
rows_per_unit = 4
row_cap = 4_000_000
rows = 3_000
synthetic = true
purposes = ["exploration", "teaching"]

[columns.patient_id]
type = "text"

[columns.ward]
type = "text"
keys = ["cardiology", "oncology", "surgery"]

[columns.age]
type = "int"
range = [0, 110]

[columns.stay_days]
type = "float"
range = [0, 60]
step = 0.25

[columns.amount]
type = "int"
range = [0, 1_099_511_627_776]

[columns.weight]
type = "float"

[columns.visited_on]
type = "date"
range = [2023-01-01, 2023-12-31]

[columns.notes]
type = "text"
withheld = true
"""

CANARY_TEXT = "canary-Zephyrine-Quillfeather"
"""Stands in every row's withheld notes, and in one patient id."""

CANARY_AMOUNT = 1_099_511_600_001
"""Every row's amount, so that a few thousand rows add up to more than 2^50."""

PATIENTS = 1_000
ROWS_EACH = 3


def visits_csv(path: Path) -> Path:
    """3,000 made-up rows, deterministic, with a canary in each."""
    wards = ("cardiology", "oncology", "surgery")
    lines = ["patient_id,ward,age,stay_days,amount,weight,visited_on,notes"]
    for patient in range(PATIENTS):
        for visit in range(ROWS_EACH):
            mixed = (patient * 2654435761 + visit * 40503) % 2**32
            lines.append(
                ",".join(
                    (
                        f"{CANARY_TEXT}-{patient}",
                        wards[mixed % 3],
                        str(20 + mixed % 70),
                        str((mixed // 7 % 160) / 4),
                        str(CANARY_AMOUNT),
                        str(40 + mixed % 60),
                        f"2023-{1 + mixed % 12:02d}-{1 + mixed // 13 % 28:02d}",
                        f"{CANARY_TEXT} note",
                    )
                )
            )
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass
class Place:
    """A workspace under test and the environment its clients need."""

    folder: Path
    env: dict[str, str]

    def kill(self) -> int:
        """kill -9 the curator and wait until it is gone; its pid."""
        pid = int((self.folder / "curator.lock").read_text())
        os.kill(pid, signal.SIGKILL)
        for _ in range(500):
            if not _alive(pid):
                return pid
            time.sleep(0.01)
        raise AssertionError("the curator outlived kill -9")

    def stop(self) -> None:
        """Ask the curator to end, and wait until it did."""
        lock = self.folder / "curator.lock"
        if not lock.exists():
            return
        pid = int(lock.read_text() or 0)
        if stop(self.folder):
            for _ in range(1_000):
                if not _alive(pid):
                    return
                time.sleep(0.01)


def _alive(pid: int) -> bool:
    """A process whose main thread is a zombie may have threads that still hold locks."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        threads = len(os.listdir(f"/proc/{pid}/task"))
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" or threads > 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright keeps an event loop running in the main thread."""
    items.sort(key=lambda item: "ui" in item.path.relative_to(Path(__file__).parent).parts)


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short folder for sockets, of this test session alone."""
    folder = Path("/tmp") / f"privlab-test-{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    return folder


@pytest.fixture(scope="session")
def pristine_workspace(tmp_path_factory: pytest.TempPathFactory, runtime: Path) -> Path:
    """A protected ``clinic.visits`` with a budget, never asked anything: a folder to copy."""
    folder = tmp_path_factory.mktemp("pristine") / "workspace"
    place = _build(folder, tmp_path_factory.mktemp("plain"))
    place.stop()
    return folder


@pytest.fixture(scope="session")
def protected_workspace(
    tmp_path_factory: pytest.TempPathFactory, pristine_workspace: Path
) -> Iterator[Place]:
    """A copy of it that the tests share: ask what nobody else asks, and for little."""
    folder = tmp_path_factory.mktemp("home") / "workspace"
    shutil.copytree(pristine_workspace, folder)
    place = Place(folder, {"PRIVLAB_WORKSPACE": str(folder)})
    locate.start(locate.find(env={**os.environ, **place.env}))
    yield place
    place.stop()


@pytest.fixture
def session(protected_workspace: Place) -> Iterator[Session]:
    """A session on the shared workspace.  Spends from its budget, so ask for little."""
    place = locate.find(env={**os.environ, **protected_workspace.env})
    locate.start(place)
    opened = Session(place)
    yield opened
    opened.close()


@pytest.fixture
def fresh_workspace(pristine_workspace: Path, tmp_path: Path) -> Iterator[Callable[[], Place]]:
    """Makes copies of the protected workspace, each with a ledger of its own."""
    made: list[Place] = []

    def make() -> Place:
        folder = tmp_path / f"workspace-{len(made)}"
        shutil.copytree(pristine_workspace, folder)
        place = Place(folder, {"PRIVLAB_WORKSPACE": str(folder)})
        made.append(place)
        return place

    yield make
    for place in made:
        place.stop()


def _build(folder: Path, plain: Path) -> Place:
    create(folder, custody=PLAIN)
    env = {"PRIVLAB_WORKSPACE": str(folder)}
    place = locate.find(env={**os.environ, **env})
    locate.start(place)
    owner = Owner(Session(place))
    prepared = owner.prepare(VISITS)
    done = protect(
        visits_csv(plain / "visits.csv"),
        parse(VISITS),
        version=prepared.version,
        unit_key=prepared.unit_key,
        order_key=prepared.order_key,
        folder=prepared.folder,
    )
    owner.register(prepared, VISITS, done.parts, done.keys)
    budget = Loss.budget(Fraction(1, 2))
    owner.set_budget("clinic", budget, Fraction(1, 10**6), {owner.session.hello.principal: budget})
    owner.session.close()
    return Place(folder, env)


@pytest.fixture(scope="session")
def demo_workspace(runtime: Path) -> Iterator[Path]:
    """The demo's workspace, built as ``make demo`` builds it."""
    root = Path(__file__).resolve().parent.parent
    subprocess.run(
        [sys.executable, "-m", "privlab", "demo", "build", str(root / ".demo")],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    folder = root / ".demo" / "workspace"
    yield folder
    Place(folder, {}).stop()
