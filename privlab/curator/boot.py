"""Start order of a curator, and its end.

Refuse a traced or preloaded start, close the process to others, start the
engine's zygote while this process holds no key, then open ledger and keys,
then listen.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from privlab.connector.keys import Custody, Secrets
from privlab.connector.providers.provider import forget
from privlab.curator import keys
from privlab.curator import workspace as workspaces
from privlab.curator.app import application
from privlab.curator.desk import Desk
from privlab.curator.peer import PeerProtocol
from privlab.curator.rest import AtRest
from privlab.curator.workspace import Workspace
from privlab.engine.handle import Engine
from privlab.errors import BadContract, CuratorUnreachable, IntegrityError, PrivlabError
from privlab.ledger.ledger import Ledger
from privlab.policy.decide import PolicySet
from privlab.sandbox import limits
from privlab.seal.keys import PublicKey, SigningKey
from privlab.wire import locate

RETENTION_SECONDS = 3600.0
"""Between two looks at what is past its retention."""

MOST_PASSPHRASE = 4096


def serve(folder: Path, passphrase: int | None = None) -> None:
    """Run the curator of this workspace until it is idle or told to stop.

    Returns at once when another process is the curator already.

    passphrase: a descriptor to read the master key's passphrase from.

    :raises PrivlabError: the workspace, the ledger or the keys cannot be used.
    """
    refuse_a_watched_start()
    logging.disable(logging.CRITICAL)  # libraries quote what they were given
    limits.close_to_others()
    given = Secrets.found() if passphrase is None else Secrets.typed(_read_once(passphrase))
    forget()  # the engine's processes inherit the environment
    workspace = workspaces.load(folder)
    with only_one(workspace) as lock:
        if lock is not None:
            asyncio.run(_run(workspace, lock, given))


def _read_once(descriptor: int) -> Callable[[], bytes]:
    """What the descriptor holds, read when it is needed: the engine has started by then."""
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - it has no name

    def read() -> bytes:
        with os.fdopen(descriptor, "rb") as pipe:
            return pipe.read(MOST_PASSPHRASE)

    return read


def refuse_a_watched_start() -> None:
    """A speed bump, not a wall: a tracer of our own uid can lie to this check."""
    if os.environ.get("LD_PRELOAD"):
        raise CuratorUnreachable(
            "the curator does not start with LD_PRELOAD set",
            code="PL303",
            hint="unset LD_PRELOAD",
        )
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text("ascii", "replace").splitlines()
        tracer = next((line.split()[1] for line in lines if line.startswith("TracerPid:")), "0")
        if tracer != "0":
            raise CuratorUnreachable(
                f"the curator does not start under a debugger (process {tracer})", code="PL303"
            )


def open_desk(workspace: Workspace, engine: Engine, given: Secrets | None = None) -> Desk:
    """Ledger, keys, policy and catalog of a workspace.

    :raises BadContract: PL152, the master key is not there, locked, or denied.
    :raises IntegrityError: the signing key is not the one this workspace knows,
        a registered manifest was changed, or keys are older than ones already seen.
    """
    ledger = Ledger.open(workspace.ledger, clock=_now)
    try:
        custody = Custody.open(
            workspace.custody,
            base=workspace.folder,
            given=given,
            least=ledger.keychain_generation(),
        )
        signer = SigningKey(custody.signing_seed())
        _pin(workspace, signer.public)
        ledger.rest = AtRest(custody, signer.public)
        desk = Desk(
            workspace=workspace,
            ledger=ledger,
            engine=engine,
            policy=PolicySet.named(workspace.policy),
            custody=custody,
            signer=signer,
            clock=_now,
        )
        keys.finish(desk)
        desk.reload()
        keys.retire(desk)
    except BaseException:
        ledger.close()
        raise
    return desk


async def _run(workspace: Workspace, lock: int, given: Secrets) -> None:
    path = locate.socket_of(workspace.folder)
    engine = Engine(cache=workspace.folder / "cache")
    engine.start()
    desk = open_desk(workspace, engine, given)
    if workspace.custody.startswith("file:"):
        desk.ledger.key_deed("curator", "key-unlock", desk.custody.generation)
    listener = _listen(path)
    last = time.monotonic()

    def touched() -> None:
        nonlocal last
        last = time.monotonic()

    def ending() -> bool:
        return server.should_exit

    server = uvicorn.Server(
        uvicorn.Config(
            application(desk, touched=touched, ending=ending),
            http=PeerProtocol,
            loop="asyncio",
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=30,
        )
    )

    async def stop_when_idle() -> None:
        """Or when the workspace was deleted: then there is nothing left to guard."""
        while time.monotonic() - last < workspace.idle_minutes * 60 and _is_ours(workspace, lock):
            await asyncio.sleep(1)
        server.should_exit = True

    async def keep_to_retention() -> None:
        """Shred what is past it; a failure is told, and tried again."""
        while True:
            await asyncio.sleep(RETENTION_SECONDS)
            try:
                await asyncio.to_thread(keys.retire, desk)
            except PrivlabError as error:
                print(error, file=sys.stderr, flush=True)

    idle = asyncio.create_task(stop_when_idle())
    calendar = asyncio.create_task(keep_to_retention())
    workspace.address.write_text(f"{path}\n", "utf-8")
    try:
        await server.serve(sockets=[listener])
    finally:
        idle.cancel()
        calendar.cancel()
        for gone in (path, workspace.address):
            with contextlib.suppress(FileNotFoundError):
                gone.unlink()
        engine.stop()
        desk.ledger.close()


def _listen(path: Path) -> socket.socket:
    """A socket that this user's processes can reach; the folder is closed to others."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(old)
    listener.listen(64)
    return listener


def _pin(workspace: Workspace, public: PublicKey) -> None:
    """Write the public key at the first start; later it must be the same."""
    file = workspace.public_key
    if not file.exists():
        file.write_text(public.text + "\n", "ascii")
        return
    if file.read_text("ascii").strip() != public.text:
        raise IntegrityError(
            "the signing key in custody is not the one this workspace was made with",
            code="PL404",
            hint="restore the key, or the workspace, from the same backup",
            facts={"workspace knows": PublicKey.parse(file.read_text("ascii")).key_id},
        )


@contextlib.contextmanager
def only_one(workspace: Workspace) -> Iterator[int | None]:
    """Hold the workspace's lock: its descriptor, or None when somebody else has it."""
    try:
        descriptor = os.open(workspace.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        raise BadContract(f"{workspace.folder} cannot be written to", code="PL152") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield descriptor
    finally:
        os.close(descriptor)


def _is_ours(workspace: Workspace, lock: int) -> bool:
    """Whether the lock we hold is still the workspace's."""
    try:
        return os.path.samestat(os.fstat(lock), workspace.lock.stat())
    except FileNotFoundError:
        return False


def stop(folder: Path) -> bool:
    """Ask the running curator of this workspace to end.  False: there is none."""
    lock = workspaces.load(folder).lock
    try:
        with lock.open("r+") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.kill(int(held.read().strip()), signal.SIGTERM)
                return True
    except FileNotFoundError:
        return False
    return False


def _now() -> datetime:
    return datetime.now(UTC)
