"""``privlab init``: make a workspace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from privlab.cli import terminal
from privlab.errors import PrivlabError
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
        str, typer.Option(help="Where the master key lives: file:PATH or keyring:NAME.")
    ] = "file:keys/master.key",
) -> None:
    """Make a workspace.

    It is the folder of one curator's tables, keys and ledger.

    Example: privlab init ~/clinic --policy team
    """
    with terminal.curator_part():
        from privlab.curator import workspace
    named = os.environ.get("PRIVLAB_WORKSPACE")
    target = folder or (Path(named) if named else locate.data_folder())
    made = workspace.create(target, policy=policy, custody=custody)
    terminal.say(f"made a workspace in {made.folder} (policy: {policy})")
    try:
        locate.trust(made.folder)
    except PrivlabError as error:
        terminal.note(f"it is not on your list of trusted workspaces: {error.what}")
    terminal.note(
        "next: privlab draft FILE > contract.toml, then privlab protect FILE --contract contract.toml"
    )
    if locate.find().workspace != made.folder:
        terminal.note(f"so that commands find it: export PRIVLAB_WORKSPACE={made.folder}")
