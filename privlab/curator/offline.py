"""What is done to keys on the machine that holds them, with the master in hand.

A recovery kit may be made while the curator runs.  To restore one, or to move the
master to another provider, no curator may run: the workspace's lock is held.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from privlab.connector import kit
from privlab.connector.durable import write_private
from privlab.connector.keys import Custody, Secrets
from privlab.connector.providers.schemes import provider_of
from privlab.curator import boot
from privlab.curator.workspace import Workspace
from privlab.errors import BadContract
from privlab.ledger.ledger import Ledger
from privlab.wire.locate import WORKSPACE_FILE

_CUSTODY = re.compile(r"^custody\s*=.*$", re.MULTILINE)


def check(workspace: Workspace, given: Secrets) -> None:
    """Return when this opens the workspace's keys.

    :raises PrivlabError: it does not, in exact words.
    """
    Custody.open(workspace.custody, base=workspace.folder, given=given)


def recovery_kit(workspace: Workspace, given: Secrets) -> str:
    """The text to print.  Whoever has it and the workspace's folder can read every table."""
    custody = Custody.open(workspace.custody, base=workspace.folder, given=given)
    first, second = kit.encode(custody.master())
    public = workspace.public_key
    lines = (
        "PRIVLAB RECOVERY KIT",
        "",
        f"workspace   {workspace.folder}",
        f"public key  {public.read_text('ascii').strip() if public.exists() else 'not yet made'}",
        f"made        {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, keychain {custody.generation}",
        "",
        f"    {first}",
        f"    {second}",
        "",
        "Together with that folder, or a backup of it, these letters open every table in it,",
        "its stored answers and its signing key. Without the folder they open nothing.",
        "They are good until the next rotate, shred or move: then make a new kit and destroy",
        "this one. Keep it on paper, where no analyst comes, and not beside the backups.",
        "",
        "To use it, where the master key was lost: privlab key restore",
    )
    return "\n".join(lines) + "\n"


def restore(workspace: Workspace, text: str, given: Secrets) -> None:
    """Put a kit's master back, and record it.

    :raises BadContract: PL152, a curator runs, or something is in custody still.
    :raises IntegrityError: PL404, a mistyped kit, or another workspace's or time's.
    """
    master = kit.decode(text)
    with _alone(workspace) as ledger:
        custody = Custody.restore(workspace.custody, master, base=workspace.folder, given=given)
        ledger.key_deed("owner", "key-restore", custody.generation)


def move(workspace: Workspace, uri: str, old: Secrets, new: Secrets) -> str:
    """Keep the master elsewhere from now on: a new one, there; the old place is emptied.

    Until ``privlab.toml`` names the new place, the old one holds the new master too.
    Returns what the owner must still do by hand, or "".

    :raises BadContract: PL152, a curator runs, or the new place is taken or unusable.
    """
    target = provider_of(uri, workspace.folder, new)
    with _alone(workspace) as ledger:
        custody = Custody.open(
            workspace.custody,
            base=workspace.folder,
            given=old,
            least=ledger.keychain_generation(),
        )
        if target.exists():
            raise BadContract(
                "there is something in the new custody already",
                code="PL152",
                hint="name another place, or empty it first",
            )
        settings = _renamed(workspace, uri)
        left = [custody.rotate(datetime.now(UTC), target)]
        write_private(workspace.folder / WORKSPACE_FILE, settings.encode("utf-8"))
        left.append(provider_of(workspace.custody, workspace.folder, old).destroy())
        scheme = uri.partition(":")[0]
        ledger.key_deed("owner", "key-move", custody.generation, subject=scheme)
    return "; ".join(filter(None, left))


@contextmanager
def _alone(workspace: Workspace) -> Iterator[Ledger]:
    """The ledger, while no curator runs."""
    with boot.only_one(workspace) as lock:
        if lock is None:
            raise BadContract(
                "the curator is running", code="PL152", hint="end it first: privlab curator stop"
            )
        ledger = Ledger.open(workspace.ledger, clock=lambda: datetime.now(UTC))
        try:
            yield ledger
        finally:
            ledger.close()


def _renamed(workspace: Workspace, uri: str) -> str:
    """``privlab.toml`` with the other custody and no other change.

    :raises BadContract: PL152, its line for custody cannot be told.
    """
    file = workspace.folder / WORKSPACE_FILE
    before = file.read_text("utf-8")
    quoted = uri.replace("\\", "\\\\").replace('"', '\\"')
    after = _CUSTODY.sub(lambda _: f'custody = "{quoted}"', before, count=1)
    wanted = tomllib.loads(before)
    wanted["keys"] = {**wanted["keys"], "custody": uri}
    if tomllib.loads(after) != wanted:
        raise BadContract(
            f"the line for custody in {file} cannot be found",
            code="PL152",
            hint='write it on one line of its own under [keys]: custody = "..."',
        )
    return after
