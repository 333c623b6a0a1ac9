"""How a client finds its curator, and starts it when it may.

The first of these that applies wins, and `Place.why` says which one did:

1. a URL given on purpose (``%private connect unix:/run/privlab/x.sock``),
2. ``PRIVLAB_URL``,
3. ``PRIVLAB_WORKSPACE``,
4. the nearest parent folder with a ``privlab.toml``,
5. the user's data folder.

A workspace that was found, not named, may have come with a download.  Its
curator is started only when its folder is on the user's list (`trust`).

A workspace's curator listens in the runtime folder of whoever started it,
which must belong to that user and be closed to everyone else: whoever can write
there could answer in the curator's place.  It leaves the socket's path in the
workspace, because two logins of one user may have two runtime folders.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
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
from privlab.wire.trusted import is_trusted
from privlab.wire.trusted import trust as trust

WORKSPACE_FILE = "privlab.toml"
ADDRESS_FILE = "curator.at"
"""Where a running curator writes the path of its socket."""

START_SECONDS = 60.0
LOCKED = 4
"""The status with which a curator ends that was given no passphrase for its master key."""

MAX_SETTINGS = 1 << 20
"""Bytes of a ``privlab.toml`` at most."""

_PEER_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a curator is, and how we came to think so.

    workspace is None when only a socket was named: then it cannot be started.
    named: whether the workspace was named by the user or is her own, and not
    merely found; only then may it be started without being on her list.
    """

    socket: Path
    workspace: Path | None
    why: str
    named: bool = False

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
            Path(env["PRIVLAB_WORKSPACE"]),
            "PRIVLAB_WORKSPACE names its workspace",
            env,
            named=True,
        )
    own = data_folder(env)
    here = (start_at or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / WORKSPACE_FILE).is_file():
            return _of_workspace(
                folder,
                f"{WORKSPACE_FILE} was found above the working folder",
                env,
                named=folder == own.resolve(),
            )
    return _of_workspace(own, "no workspace was named, so the user's own is taken", env, named=True)


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


def check_listener(place: Place, env: Mapping[str, str] = os.environ) -> None:
    """Whoever listens must be this user, root, or the owner of a workspace she trusts.

    :raises CuratorUnreachable: PL303, somebody else does.
    """
    owner = peer_uid(place.socket)
    if owner is None or owner in (0, os.getuid()):
        return
    if place.workspace is not None and (place.named or is_trusted(place.workspace, env)):
        with contextlib.suppress(OSError):
            if place.workspace.stat().st_uid == owner:
                return
    raise CuratorUnreachable(
        f"the process on {place.socket} belongs to uid {owner}, which is not the curator's",
        code="PL303",
        hint="do not ask it anything; tell the operator",
    )


def check_trust(place: Place, env: Mapping[str, str] = os.environ) -> None:
    """The place's workspace may be started: its user named it, or lists it.

    :raises CuratorUnreachable: PL303, she did neither.
    """
    if place.workspace is None or place.named or is_trusted(place.workspace, env):
        return
    raise CuratorUnreachable(
        f"the workspace {place.workspace} was found and not named by you, "
        "so the program it names is not started",
        code="PL303",
        hint=f"if you know where it comes from: privlab trust {shlex.quote(str(place.workspace))}",
        facts={"chosen because": place.why},
    )


def start(
    place: Place,
    *,
    seconds: float = START_SECONDS,
    env: Mapping[str, str] = os.environ,
    passphrase: bytes | None = None,
) -> Place:
    """Make sure a curator runs this place's workspace; start it if nobody does.

    Several clients may do this at once: the curator's own file lock lets one
    win.  Returns where it listens, which may not be where it was expected.

    passphrase: of the master key, handed over through a pipe.

    :raises CuratorUnreachable: PL300, it cannot be started, is locked, or did not come
        up; PL303, it must not be started (`check_trust`, `interpreter`).
    :raises BadContract: PL152, there is no workspace, or its file cannot be read.
    """
    if peer_uid(place.socket) is not None:
        return place
    if place.workspace is None:
        raise CuratorUnreachable(
            f"nobody listens on {place.socket}",
            hint="start the curator that owns this socket, "
            "or name a workspace in PRIVLAB_WORKSPACE",
        )
    found = _address(place.workspace)
    if found is not None:
        return replace(place, socket=found)
    python = interpreter(place.workspace)
    check_trust(place, env)
    process: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = _address(place.workspace)
        if found is not None:
            return replace(place, socket=found)
        if process is None or process.poll() == 0:
            # Status 0 without an address: another curator held the lock, and may be ending.
            process = _spawn(python, place.workspace, passphrase)
        elif process.poll() is not None:
            break
        time.sleep(0.05)
    if process is not None and process.poll() == LOCKED:
        raise CuratorUnreachable(
            "the curator's master key is locked with a passphrase",
            hint="type in a terminal: privlab key unlock",
            facts={"workspace": str(place.workspace)},
        )
    raise CuratorUnreachable(
        "the curator did not start",
        hint="run it in a terminal to see why: "
        f"{python} -I -m privlab.curator --workspace {place.workspace}",
        facts={"workspace": str(place.workspace)},
    )


def _spawn(
    python: str, workspace: Path, passphrase: bytes | None = None
) -> subprocess.Popen[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    log = os.open(workspace / "curator.log", flags, 0o600)
    command = [python, "-I", "-m", "privlab.curator", "--workspace", str(workspace)]
    with os.fdopen(log, "ab") as out:
        given = None if passphrase is None else _pipe(passphrase)
        try:
            return subprocess.Popen(
                command if given is None else [*command, "--passphrase-fd", str(given)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                close_fds=True,
                pass_fds=() if given is None else (given,),
            )
        finally:
            if given is not None:
                os.close(given)


def _pipe(secret: bytes) -> int:
    """A descriptor that holds a secret shorter than a pipe's buffer, and then ends."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(secret[:4096])
    return reader


def _named(url: str, why: str) -> Place:
    scheme, _, rest = url.partition(":")
    if scheme != "unix" or not rest.startswith("/"):
        raise CuratorUnreachable(
            f"{url!r} is not a curator's address",
            hint="write unix:/path/to/the.sock; the name of a workspace goes into PRIVLAB_WORKSPACE",
        )
    return Place(Path(rest), None, why)


def _of_workspace(folder: Path, why: str, env: Mapping[str, str], *, named: bool) -> Place:
    return Place(_address(folder) or socket_of(folder, env), folder.resolve(), why, named)


def _address(workspace: Path) -> Path | None:
    """The socket of the curator that runs this workspace now, if one does."""
    try:
        noted = Path((workspace / ADDRESS_FILE).read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return None
    return noted if noted.is_absolute() and peer_uid(noted) is not None else None


def interpreter(workspace: Path) -> str:
    """The Python that runs this workspace's curator, as its file says.

    It is a program that we may be about to run.  So folder and file must be ours
    or root's and closed to others' writes, and what was checked is what is read:
    one descriptor, no links.

    :raises CuratorUnreachable: PL303, somebody else could have written it.
    :raises BadContract: PL152, there is no workspace, or its file cannot be read.
    """
    file = workspace / WORKSPACE_FILE
    try:
        settings = tomllib.loads(_settings(workspace).decode("utf-8"))
    except FileNotFoundError:
        raise BadContract(
            f"there is no workspace in {workspace}",
            code="PL152",
            hint="make one with: privlab init, or see the demo with: privlab demo build",
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise BadContract(f"{file} cannot be read", code="PL152", hint="it must be TOML") from None
    section = settings.get("curator")
    named = section.get("python") if isinstance(section, dict) else None
    if named is None:
        return sys.executable
    if not isinstance(named, str) or not named.startswith("/") or not named.isprintable():
        raise BadContract(
            f"{file} names no program under [curator] python",
            code="PL152",
            hint=f'write the path of a Python: python = "{sys.executable}"',
        )
    return named


def _settings(workspace: Path) -> bytes:
    """The bytes of ``privlab.toml``, of the very file that was checked."""
    above = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _closed_to_others(above, workspace)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(WORKSPACE_FILE, flags, dir_fd=above)
    finally:
        os.close(above)
    with os.fdopen(descriptor, "rb") as file:
        _closed_to_others(descriptor, workspace / WORKSPACE_FILE)
        return file.read(MAX_SETTINGS)


def _closed_to_others(descriptor: int, path: Path) -> None:
    found = os.fstat(descriptor)
    if found.st_uid not in (0, os.getuid()) or found.st_mode & 0o022:
        raise CuratorUnreachable(
            f"{path} could have been written by somebody else, "
            "so the program it names is not started",
            code="PL303",
            hint=f"ask its owner to start the curator, or run: chmod go-w {path}",
        )
