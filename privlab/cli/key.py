"""``privlab key``: look after the keys of a workspace."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privlab.cli import curator, passphrase, terminal
from privlab.errors import BadContract, BadQuery
from privlab.wire import locate

if TYPE_CHECKING:
    from privlab.curator.workspace import Workspace

app = typer.Typer(help="See, rotate, shred and restore keys.", no_args_is_help=True)


@app.command("list")
def list_keys() -> None:
    """List what has a key, what was shredded, and until when it may be kept.

    Example: privlab key list
    """
    from privlab.client.owner import Owner

    keys = Owner.connect().keys()
    terminal.say(f"custody {keys.custody}, master since {keys.since}, keychain {keys.generation}")
    terminal.table(
        ("version", "columns with a key", "shredded", "keep until"),
        [
            (
                f"{one.dataset}.{one.table}@{one.version}",
                ", ".join(one.columns) or "none",
                ", ".join(one.shredded) or "nothing",
                one.keep_until or "no end stated",
            )
            for one in keys.tables
        ],
    )


@app.command()
def rotate(
    if_older_than: Annotated[
        str, typer.Option(help="Only if the master is older, for a schedule: 90d.")
    ] = "",
) -> None:
    """Seal all keys under a new master and destroy the old one.

    Rewrites the keychain: no data, no manifest, no answer. Recovery kits of
    before do not open it any more.

    Example: privlab key rotate --if-older-than 90d
    """
    from privlab.client.owner import Owner

    done = Owner.connect().rotate(_days(if_older_than) if if_older_than else 0)
    if not done.done:
        terminal.say(f"nothing to do: this master is of {done.since}")
        return
    terminal.say(f"a new master since {done.since}; the old one is destroyed")
    _left(done.left)
    terminal.note("recovery kits of before open it no more; make one: privlab key recovery-kit")


@app.command()
def shred(
    scope: Annotated[
        str,
        typer.Argument(
            help="DATASET, DATASET.TABLE, DATASET.TABLE@VERSION or DATASET.TABLE:COLUMN."
        ),
    ] = "",
    past_retention: Annotated[
        bool, typer.Option("--past-retention", help="What its contract lets nobody keep.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would go.")] = False,
) -> None:
    """Destroy keys, so that nobody reads again what they opened.

    Stored answers made from it go too; what they cost stays. Copies of the old
    master, as in backups and recovery kits, must be destroyed by hand.

    Example: privlab key shred clinic.visits:notes --yes
    """
    from privlab.client.owner import Owner

    if bool(scope) is past_retention:
        raise BadQuery(
            "name one scope, or --past-retention",
            code="PL112",
            hint="privlab key shred clinic.visits:notes",
        )
    done = Owner.connect().shred(scope or None, dry=not yes)
    for name in done.gone:
        terminal.say(f"{'shredded' if yes else 'would go'}: {name}")
    if not done.gone:
        terminal.say("nothing to shred")
    elif not yes:
        terminal.note("this cannot be undone; to do it, add: --yes")
    else:
        _left(done.left)
        terminal.note("now destroy old recovery kits, and backups of the keys folder and keyring")


@app.command()
def unlock(passphrase_fd: passphrase.Descriptor = None) -> None:
    """Start the curator with the passphrase of its master key.

    It stays unlocked until it ends. On a schedule or a server, name a file in
    PRIVLAB_PASSPHRASE_FILE instead.

    Example: privlab key unlock
    """
    place = locate.find()
    if locate.peer_uid(place.socket) is not None:
        terminal.say("the curator runs already, so it is unlocked")
        return
    workspace = _workspace()
    with terminal.curator_part():
        from privlab.curator import offline
    given = passphrase.secrets_for(passphrase_fd)
    offline.check(workspace, given)
    locked = workspace.custody.startswith("file:")
    locate.start(place, passphrase=given.passphrase() if locked else None)
    terminal.say("the curator is running")


@app.command("recovery-kit")
def recovery_kit(passphrase_fd: passphrase.Descriptor = None) -> None:
    """Print the letters that open the keychain, should the master be lost.

    They are a key: print them on paper, and clear the terminal.

    Example: privlab key recovery-kit
    """
    from privlab.client.owner import Owner

    workspace = _workspace()
    with terminal.curator_part():
        from privlab.curator import offline
    text = offline.recovery_kit(workspace, passphrase.secrets_for(passphrase_fd))
    Owner.connect().kit_made()
    terminal.say(text.rstrip("\n"))


@app.command()
def restore(
    kit: Annotated[
        Path | None, typer.Argument(help="A file with the kit. Default: type its two lines.")
    ] = None,
    passphrase_fd: passphrase.Descriptor = None,
) -> None:
    """Put the master of a recovery kit back into custody.

    For a workspace whose master key is lost. No curator may run.

    Example: privlab key restore kit.txt
    """
    workspace = _workspace()
    with terminal.curator_part():
        from privlab.curator import offline
    offline.restore(
        workspace, _kit(kit), passphrase.secrets_for(passphrase_fd, "new passphrase", new=True)
    )
    terminal.say(f"the master key is back, in {workspace.custody.partition(':')[0]} custody")


@app.command()
def move(
    uri: Annotated[
        str, typer.Argument(help="keyring:NAME, file:PATH, transit:URL/MOUNT/KEY or plain:PATH.")
    ],
    passphrase_fd: passphrase.Descriptor = None,
) -> None:
    """Keep the master key elsewhere, under a new master.

    Ends the curator first. The old place is emptied, and privlab.toml names the
    new one.

    Example: privlab key move file:keys/sealed.key
    """
    workspace = _workspace()
    with terminal.curator_part():
        from privlab.curator import offline
    old = passphrase.secrets_for(passphrase_fd, "passphrase of the old place")
    new = passphrase.secrets_for(passphrase_fd, "passphrase of the new place", new=True)
    if passphrase_fd is not None:
        new = old
    curator.end(workspace.folder)
    left = offline.move(workspace, uri, old, new)
    terminal.say(f"the master key is in {uri.partition(':')[0]} custody now")
    _left(left)


def _workspace() -> Workspace:
    """The workspace whose keys are on this machine; closes this process to others."""
    with terminal.curator_part():
        from privlab.curator import workspace
        from privlab.sandbox import limits
    limits.close_to_others()
    place = locate.find()
    if place.workspace is None:
        raise BadContract(
            f"the curator on {place.socket} keeps its keys elsewhere",
            code="PL152",
            hint="name a workspace in PRIVLAB_WORKSPACE, or ask its operator",
        )
    return workspace.load(place.workspace)


def _kit(file: Path | None) -> str:
    if file is None:
        if passphrase.somebody_is_there():
            terminal.note("type the kit's two lines, then an empty one")
        return "\n".join(iter(lambda: sys.stdin.readline().strip(), ""))
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadContract(
            f"there is no readable kit {file}", code="PL152", hint="type it: privlab key restore"
        ) from None


def _left(words: str) -> None:
    if words:
        terminal.say(f"still to do: {words}")


def _days(text: str) -> int:
    """``90d`` or ``90``.

    :raises BadQuery: PL112, not a number of days from 1 to 36,500.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,4})d?", text.strip())
    if found is None or int(found[1]) > 36_500:
        raise BadQuery(
            f"{text[:40]!r} is not a number of days", code="PL112", hint="write for example: 90d"
        )
    return int(found[1])
