"""privlab's side: a real workspace, its table, the engine that answers, the whole way round.

An engine's run is what the curator does from a priced question to a released vector:
check the parts, unwrap the keys, have the warm zygote fork a child, which restricts
itself, decrypts, bounds, sums, adds noise and ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from grouped.work import contract_text, question

from privlab.cli import curator
from privlab.client.owner import Owner
from privlab.client.price import price as client_price
from privlab.client.session import Session
from privlab.curator import workspace as workspaces
from privlab.curator.boot import open_desk
from privlab.curator.desk import Desk
from privlab.engine.handle import Engine
from privlab.engine.job import Job
from privlab.query.compile import compile_question
from privlab.query.price import Offer, price
from privlab.terms.loss import Loss
from privlab.wire import locate

BUDGET = Fraction(1, 2)
DELTA = Fraction(1, 10**6)
LOOK_SECONDS = 0.004

PROTECT = """
import json, sys, time
from pathlib import Path
from privlab.cli.protect import keep_compiled_code_private, protect_source
from privlab.client.owner import Owner
keep_compiled_code_private()
import privlab.connector.protect
owner = Owner.connect()
start, cpu = time.perf_counter(), time.process_time()
done = protect_source(owner, sys.argv[1], open(sys.argv[2]).read())
lines = Path("/proc/self/status").read_text().splitlines()
print(json.dumps({
    "rows": done.counts.rows_kept, "units": done.counts.units,
    "seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu,
    "peak_mib": next(int(one.split()[1]) for one in lines if one.startswith("VmHWM")) / 1024,
}))
"""


@dataclass(frozen=True)
class Cell:
    """One run: seconds by the wall clock and of processor, and the highest resident memory."""

    wall: float
    cpu: float
    peak_mib: float
    counted: int


class Workspace:
    """A workspace of its own, with a dataset and a protected table per size."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "PRIVLAB_URL": "", "PRIVLAB_WORKSPACE": str(folder)}
        workspaces.create(folder, custody="plain:keys/master.key")  # nothing in it is secret

    def protect(self, rows: Path, millions: int) -> dict[str, float]:
        """What it cost, measured in the owner's process: seconds and peak memory."""
        contract = self.folder / "contracts" / f"visits_{millions}.toml"
        contract.write_text(contract_text(millions))
        done = subprocess.run(
            [sys.executable, "-c", PROTECT, str(rows), str(contract)],
            capture_output=True,
            text=True,
            check=True,
            env=self.env,
        )
        cell: dict[str, float] = json.loads(done.stdout)
        cell["rows_per_second"] = cell["rows"] / cell["seconds"]
        table = self.folder / "tables" / f"clinic_{millions}"
        cell["bytes"] = sum(p.stat().st_size for p in table.rglob("*") if p.is_file())
        return cell

    def round_trips(self, millions: int, rounds: int) -> list[float]:
        """Seconds from a client's question to its signed answer, the charge and record included.

        Each asks for more precision than the one before: nothing is answered from a view.
        """
        place = locate.find(env=self.env)
        locate.start(place)
        owner = Owner(Session(place))
        me, budget = owner.session.hello.principal, Loss.budget(BUDGET)
        owner.set_budget(f"clinic_{millions}", budget, DELTA, {me: budget})
        seconds = []
        for at in range(rounds):
            start = time.perf_counter()
            owner.session.ask(question(millions), price=client_price(share=str(at + 1)))
            seconds.append(time.perf_counter() - start)
        owner.session.close()
        curator.end(self.folder)
        return seconds

    @contextmanager
    def engine(self, millions: int) -> Iterator[Runs]:
        """A warm engine, as the curator has it; no curator may be running."""
        curator.end(self.folder)
        workspace = workspaces.load(self.folder)
        engine = Engine(cache=self.folder / "cache")
        engine.start()
        try:
            desk = open_desk(workspace, engine)
            try:
                yield Runs(engine, desk, question(millions))
            finally:
                desk.ledger.close()
        finally:
            engine.stop()


class Runs:
    """Runs of one question, priced once."""

    def __init__(self, engine: Engine, desk: Desk, text: str) -> None:
        self._engine, self._desk = engine, desk
        self._question = compile_question(text, {}, desk.catalog)
        plan = self._question.plan
        offer = Offer(share=Fraction(1, 100), within=None, epsilon=None, confidence=Fraction(95))
        nothing = [Fraction(0)] * len(plan.measures)
        priced = price(self._question, offer, nothing, Loss.budget(BUDGET), DELTA)
        self._noises = tuple(one for one in priced.noises if one is not None)

    def once(self) -> Cell:
        """From the priced question to the released vector."""
        plan, desk = self._question.plan, self._desk
        (scan,) = plan.tables
        with Watch() as watch:
            start = time.perf_counter()
            job = Job.of(
                plan=plan,
                noises=self._noises,
                tables=[
                    (
                        desk.registered.manifests[plan.dataset, scan.table],
                        desk.workspace.table_folder(plan.dataset, scan.table, scan.version),
                    )
                ],
                custody=desk.custody,
            )
            released = self._engine.run(job)
            wall = time.perf_counter() - start
        return Cell(wall, watch.cpu, watch.peak_mib, sum(released.vectors[0]))


class Watch:
    """Looks at the one child of the zygote from outside: processor time and peak memory.

    What it last saw, at most `LOOK_SECONDS` before the child ended.
    """

    def __init__(self) -> None:
        self.cpu = self.peak_mib = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        zygotes = [one for one in children(os.getpid()) if is_engine(one)]
        while not self._over.wait(LOOK_SECONDS):
            for zygote in zygotes:
                for child in children(zygote):
                    self._see(child)

    def _see(self, child: int) -> None:
        try:
            self.cpu = max(self.cpu, time.clock_gettime(~child << 3 | 2))  # CPUCLOCK_SCHED
            status = Path(f"/proc/{child}/status").read_text()
        except OSError:
            return  # it has ended
        peak = next((ln.split()[1] for ln in status.splitlines() if ln.startswith("VmHWM")), "0")
        self.peak_mib = max(self.peak_mib, int(peak) / 1024)


def children(process: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    except OSError:
        pass  # it has ended
    return found


def is_engine(process: int) -> bool:
    try:
        return b"privlab.engine" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
