"""``privlab init``: make a workspace."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from privlab.cli import passphrase, terminal
from privlab.errors import BadContract, PrivlabError
from privlab.wire import locate


def init(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where. Default: PRIVLAB_WORKSPACE, else your data folder."),
    ] = None,
    policy: Annotated[
        str, typer.Option(help="personal: you are everything. team: separate duties.")
    ] = "personal",
    custody: Annotated[
        str,
        typer.Option(
            help="Where the master key lives: keyring:NAME, file:PATH, transit:URL/MOUNT/KEY "
            "or plain:PATH. Default: your keyring, else a file with a passphrase."
        ),
    ] = "",
    passphrase_fd: passphrase.Descriptor = None,
) -> None:
    """Make a workspace.

    It is the folder of one curator's tables, keys and ledger.

    Example: privlab init ~/clinic --policy team
    """
    with terminal.curator_part():
        from privlab.curator import workspace
        from privlab.sandbox import limits
    named = os.environ.get("PRIVLAB_WORKSPACE")
    target = folder or (Path(named) if named else locate.data_folder())
    limits.close_to_others()
    given = passphrase.secrets_for(passphrase_fd, "passphrase for the master key", new=True)
    made = workspace.create(target, policy=policy, custody=custody or usual_custody(), given=given)
    scheme = made.custody.partition(":")[0]
    terminal.say(f"made a workspace in {made.folder} (policy: {policy}, custody: {scheme})")
    if scheme == "plain":
        terminal.note(
            "its master key is not encrypted: who can read the folder can read the tables"
        )
    try:
        locate.trust(made.folder)
    except PrivlabError as error:
        terminal.note(f"it is not on your list of trusted workspaces: {error.what}")
    terminal.note(
        "next: privlab draft FILE > contract.toml, then privlab protect FILE --contract contract.toml"
    )
    if locate.find().workspace != made.folder:
        terminal.note(f"so that commands find it: export PRIVLAB_WORKSPACE={made.folder}")


def usual_custody() -> str:
    """The system's keyring where there is one we trust, else a file with a passphrase."""
    with terminal.curator_part():
        from privlab.connector.providers.system_keyring import trusted_keyring
    try:
        trusted_keyring()
    except BadContract:
        return "file:keys/master.key"
    return f"keyring:workspace-{secrets.token_hex(4)}"
