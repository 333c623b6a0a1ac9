"""``privlab trust``: let a workspace that was found, not named, be started."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privlab.cli import terminal
from privlab.errors import CuratorUnreachable
from privlab.wire import locate


def trust(
    folder: Annotated[Path, typer.Argument(help="A workspace: the folder with privlab.toml.")],
) -> None:
    """Let a workspace's curator be started.

    A workspace names the program that runs its curator, so one that came with a download is not started until you
    say so here. Workspaces that you made, or name in PRIVLAB_WORKSPACE, need no word.

    Example: privlab trust ~/clinic
    """
    try:
        words = f"its curator may be started, by {locate.interpreter(folder.resolve())}"
    except CuratorUnreachable as error:
        words = f"its curator may be asked, but not started from here: {error.what}"
    terminal.say(f"trusted: {locate.trust(folder)}")
    terminal.say(words)
