"""``privlab curator``: start, stop, and look at the process that answers."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import typer

from privlab.cli import terminal
from privlab.errors import BadContract, CuratorUnreachable
from privlab.wire import locate

STOP_SECONDS = 45
"""Longer than the curator waits for the answers it is giving."""

app = typer.Typer(help="Start, stop and see the curator of this workspace.", no_args_is_help=True)


@app.command()
def start() -> None:
    """Start the curator if it is not running.

    Any question does so by itself.

    Example: privlab curator start
    """
    place = locate.find()
    running = locate.peer_uid(place.socket) is not None
    locate.start(place)
    terminal.say(f"the curator {'runs already' if running else 'is running'} on {place.socket}")


@app.command()
def stop() -> None:
    """End the curator, when it has answered what it was asked.

    Nothing is lost: all that matters is on disk.

    Example: privlab curator stop
    """
    place = locate.find()
    if place.workspace is None:
        raise BadContract(
            f"the curator on {place.socket} is not ours to stop",
            code="PL152",
            hint="name a workspace in PRIVLAB_WORKSPACE, or ask its operator",
        )
    if not end(place.workspace):
        terminal.say("no curator is running")
        return
    terminal.say("the curator has ended")


def end(folder: Path) -> bool:
    """Ask a workspace's curator to end and wait until it has; False when none is running.

    :raises CuratorUnreachable: PL301, it has not within `STOP_SECONDS`.
    """
    with terminal.curator_part():
        from privlab.curator import boot, workspace
    lock = workspace.load(folder).lock
    if not boot.stop(folder):
        return False
    deadline = time.monotonic() + STOP_SECONDS
    while held(lock):
        if time.monotonic() > deadline:
            raise CuratorUnreachable(
                f"the curator was asked to end and has not within {STOP_SECONDS} seconds",
                code="PL301",
                hint="it finishes what it was asked first; see: privlab curator status",
            )
        time.sleep(0.05)
    return True


def held(lock: Path) -> bool:
    """Whether a curator holds this lock."""
    import fcntl

    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


@app.command()
def status() -> None:
    """Say where the curator is, and who you are to it.

    Ends with status 3 when none is running. Starts nothing.

    Example: privlab curator status
    """
    from privlab.client.session import Session

    place = locate.find()
    terminal.say(f"workspace: {place.workspace or 'not named'}")
    terminal.say(f"socket: {place.socket}")
    terminal.say(f"chosen because {place.why}")
    if locate.peer_uid(place.socket) is None:
        raise CuratorUnreachable(
            "no curator is running", hint="start it with: privlab curator start"
        )
    hello = Session(place).hello
    terminal.say(f"running: version {hello.version}, protocol {hello.protocol}")
    terminal.say(f"public key: {hello.key}")
    terminal.say(f"you are {hello.principal} ({', '.join(hello.roles)}), tier {hello.tier}")


@app.command()
def run() -> None:
    """Run the curator in this terminal, to see what it says.

    Example: privlab curator run
    """
    place = locate.find()
    workspace = place.workspace
    if workspace is None:
        raise BadContract(
            "only a socket is named, and a curator needs its workspace",
            code="PL152",
            hint="name it in PRIVLAB_WORKSPACE",
        )
    locate.check_trust(place)
    command = [sys.executable, "-I", "-m", "privlab.curator", "--workspace", str(workspace)]
    os.execv(sys.executable, command)  # noqa: S606 - our own program, in our own place
