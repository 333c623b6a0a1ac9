"""Peers in environments of their own: they pin what the others need otherwise.

An environment is ``.peers/<peer>``; `peers/answer.py` or `peers/group.py` runs in it.
"""

from __future__ import annotations

import json
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path

from peers.grid import EPSILONS, Errors, Values, off

PEERS = {
    "pydp": ("PyDP", ["python-dp==1.1.5"]),
    "pipelinedp": ("PipelineDP", ["pipeline-dp==0.3.1"]),
    "diffprivlib": ("diffprivlib", ["diffprivlib==0.6.6", "scikit-learn<1.7"]),
}
"""Names, and what pip installs: those that ``accuracy.py`` asks."""

GROUPERS = {
    "opendp": ("OpenDP", ["opendp[polars]==0.16.0"]),
    "smartnoise": ("SmartNoise SQL", ["smartnoise-sql==1.0.10"]),
    "pipelinedp": ("PipelineDP", ["pipeline-dp==0.3.1"]),
    "tumult": ("Tumult Analytics", ["tmlt-analytics==0.21.0"]),
}
"""Those that ``groupby.py`` asks.  Tumult's runs on Spark and needs Java beside it."""

SLOW = ("pipelinedp",)

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parent.parent / ".peers"


def interpreter(peer: str) -> Path:
    return ENVIRONMENTS / peer / "bin" / "python"


def install(peer: str) -> None:
    """An environment of its own: peers pin what others need otherwise."""
    if not interpreter(peer).exists():
        packages = {**PEERS, **GROUPERS}[peer][1]
        venv.create(ENVIRONMENTS / peer, with_pip=True)
        asked = [str(interpreter(peer)), "-m", "pip", "install", "--quiet", *packages]
        subprocess.run(asked, check=True)


@dataclass(frozen=True)
class Running:
    """A peer at work, and the file that its cells are written to."""

    peer: str
    process: subprocess.Popen[bytes]
    answers: Path


def start(peer: str, data: dict[int, Values], repeats: int, fewer: int) -> Running:
    """Ask ``peer`` for every cell; a file takes the answers, so that nothing waits for us."""
    job, answers = ENVIRONMENTS / f"{peer}.job.json", ENVIRONMENTS / f"{peer}.answers"
    job.write_text(
        json.dumps(
            {
                "values": {str(skew): values.tolist() for skew, values in data.items()},
                "epsilons": [float(one) for one in EPSILONS],
                "repeats": repeats,
                "fewer": fewer,
            }
        )
    )
    command = [str(interpreter(peer)), str(HERE / "answer.py"), peer]
    with job.open("rb") as asked, answers.open("wb") as told:
        process = subprocess.Popen(command, stdin=asked, stdout=told, stderr=subprocess.DEVNULL)
    return Running(peer, process, answers)


def collect(running: Running, data: dict[int, Values]) -> Errors:
    """Wait, then read.

    :raises SystemExit: the peer failed.
    """
    if running.process.wait():
        raise SystemExit(f"{running.peer} ended with {running.process.returncode}")
    errors: Errors = {}
    texts = {float(text): text for text in EPSILONS}
    for line in running.answers.read_text().splitlines():
        found = json.loads(line)
        statistic, skew = found["statistic"], int(found["skew"])
        cell = statistic, skew, texts[found["epsilon"]]
        errors[cell] = off(found["answers"], statistic, data[skew])
    return errors
