"""How a client finds its curator, and starts it when it may.

The first of these that applies wins, and `Place.why` says which one did:

1. a URL given on purpose (``%private connect unix:/run/privlab/x.sock``),
2. ``PRIVLAB_URL``,
3. ``PRIVLAB_WORKSPACE``,
4. the nearest parent folder with a ``privlab.toml``,
5. the user's data folder.

A workspace's curator listens in the runtime folder of whoever started it,
which must belong to that user and be closed to everyone else: whoever can write
there could answer in the curator's place.  It leaves the socket's path in the
workspace, because two logins of one user may have two runtime folders.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import struct
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from privlab.errors import BadContract, CuratorUnreachable

WORKSPACE_FILE = "privlab.toml"
ADDRESS_FILE = "curator.at"
"""Where a running curator writes the path of its socket."""

START_SECONDS = 60.0
_PEER_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a curator is, and how we came to think so.

    workspace is None when only a socket was named: then it cannot be started.
    """

    socket: Path
    workspace: Path | None
    why: str

    @property
    def base_url(self) -> str:
        """The URL base for an HTTP client whose transport is the socket."""
        return "http://curator"


def find(
    url: str | None = None, *, env: Mapping[str, str] = os.environ, start_at: Path | None = None
) -> Place:
    """The curator this process should talk to.  Looks, but asks it nothing.

    :raises CuratorUnreachable: PL300, the URL is not one we can speak to.
    """
    if url:
        return _named(url, "you named it")
    if env.get("PRIVLAB_URL"):
        return _named(env["PRIVLAB_URL"], "PRIVLAB_URL names it")
    if env.get("PRIVLAB_WORKSPACE"):
        return _of_workspace(
            Path(env["PRIVLAB_WORKSPACE"]), "PRIVLAB_WORKSPACE names its workspace", env
        )
    here = (start_at or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / WORKSPACE_FILE).is_file():
            return _of_workspace(
                folder, f"{WORKSPACE_FILE} was found above the working folder", env
            )
    return _of_workspace(
        data_folder(env), "no workspace was named, so the user's own is taken", env
    )


def data_folder(env: Mapping[str, str] = os.environ) -> Path:
    """The workspace of a user who named none."""
    base = env.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "privlab"


def runtime_folder(env: Mapping[str, str] = os.environ) -> Path:
    """The folder of the sockets: made 0700, and checked to be ours.

    :raises CuratorUnreachable: PL303, somebody else could write into it.
    """
    base = env.get("XDG_RUNTIME_DIR")
    folder = Path(base) / "privlab" if base else Path("/tmp") / f"privlab-{os.getuid()}"  # noqa: S108
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise CuratorUnreachable(
            f"the socket folder {folder} is not a folder that only you can open",
            code="PL303",
            hint=f"remove it, or run: chmod 700 {folder}",
        )
    return folder


def socket_of(workspace: Path, env: Mapping[str, str] = os.environ) -> Path:
    """The socket of this workspace's curator.  Short: a socket path has 107 bytes."""
    label = hashlib.sha256(str(workspace.resolve()).encode()).hexdigest()[:16]
    return runtime_folder(env) / f"{label}.sock"


def peer_uid(path: Path, *, timeout: float = 2.0) -> int | None:
    """The uid of the process that listens on ``path``, or None if nobody does."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(timeout)
        try:
            probe.connect(str(path))
            packed = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER_CREDENTIALS.size)
        except OSError:
            return None
    return int(_PEER_CREDENTIALS.unpack(packed)[1])


def start(place: Place, *, seconds: float = START_SECONDS) -> Place:
    """Make sure a curator runs this place's workspace; start it if nobody does.

    Several clients may do this at once: the curator's own file lock lets one
    win.  Returns where it listens, which may not be where it was expected.

    :raises CuratorUnreachable: PL300, it cannot be started, or did not come up.
    """
    if peer_uid(place.socket) is not None:
        return place
    if place.workspace is None:
        raise CuratorUnreachable(
            f"nobody listens on {place.socket}",
            hint="start the curator that owns this socket, "
            "or name a workspace in PRIVLAB_WORKSPACE",
        )
    python = _interpreter(place.workspace)
    process: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = _address(place.workspace)
        if found is not None:
            return replace(place, socket=found)
        if process is None or process.poll() == 0:
            # Status 0 without an address: another curator held the lock, and may be ending.
            process = _spawn(python, place.workspace)
        elif process.poll() is not None:
            break
        time.sleep(0.05)
    raise CuratorUnreachable(
        "the curator did not start",
        hint="run it in a terminal to see why: "
        f"{python} -I -m privlab.curator --workspace {place.workspace}",
        facts={"workspace": str(place.workspace)},
    )


def _spawn(python: str, workspace: Path) -> subprocess.Popen[bytes]:
    log = os.open(workspace / "curator.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(log, "ab") as out:
        return subprocess.Popen(
            [python, "-I", "-m", "privlab.curator", "--workspace", str(workspace)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            close_fds=True,
        )


def _named(url: str, why: str) -> Place:
    scheme, _, rest = url.partition(":")
    if scheme != "unix" or not rest.startswith("/"):
        raise CuratorUnreachable(
            f"{url!r} is not a curator's address",
            hint="write unix:/path/to/the.sock; the name of a workspace goes into PRIVLAB_WORKSPACE",
        )
    return Place(Path(rest), None, why)


def _of_workspace(folder: Path, why: str, env: Mapping[str, str]) -> Place:
    return Place(_address(folder) or socket_of(folder, env), folder.resolve(), why)


def _address(workspace: Path) -> Path | None:
    """The socket of the curator that runs this workspace now, if one does."""
    try:
        noted = Path((workspace / ADDRESS_FILE).read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return None
    return noted if noted.is_absolute() and peer_uid(noted) is not None else None


def _interpreter(workspace: Path) -> str:
    """The Python that runs this workspace's curator.

    The workspace names a program that we are about to run, so its file must be
    ours or root's, and closed to others' writes.
    """
    file = workspace / WORKSPACE_FILE
    try:
        found = file.stat()
        settings = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise CuratorUnreachable(
            f"there is no workspace in {workspace}",
            hint="make one with: privlab init, or see the demo with: privlab demo build",
        ) from None
    except (OSError, tomllib.TOMLDecodeError):
        raise BadContract(f"{file} cannot be read", code="PL152", hint="it must be TOML") from None
    if found.st_uid not in (0, os.getuid()) or found.st_mode & 0o022:
        raise CuratorUnreachable(
            f"{file} could have been written by somebody else, so the program it names is not started",
            code="PL303",
            hint="ask its owner to start the curator, or run: chmod go-w privlab.toml",
        )
    section = settings.get("curator")
    named = section.get("python") if isinstance(section, dict) else None
    return str(named) if named else sys.executable
