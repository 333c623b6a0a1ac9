"""``privlab verify``: is this release what a curator signed?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privlab.cli import terminal
from privlab.errors import BadContract
from privlab.wire import locate


def verify(
    file: Annotated[Path, typer.Argument(help="A saved release.")],
    key: Annotated[
        str,
        typer.Option(help="The curator's public key, or a file with it. Default: the workspace's."),
    ] = "",
) -> None:
    """Check a saved release, without a network.

    Ends with status 4 when anything in it was changed.

    Example: privlab verify by_ward.json --key curator.pub
    """
    from privlab.client import show
    from privlab.client.frames import Release
    from privlab.release.verify import guarantee
    from privlab.seal.keys import PublicKey

    if not file.is_file():
        raise BadContract(
            f"there is no file {file}", code="PL152", hint="save one: release.save(PATH)"
        )
    text, where = _key_text(key)
    public = PublicKey.parse(text)
    release = Release.read(file, public)
    terminal.say(repr(release))
    terminal.say(show.printable(guarantee(release.facts)))
    terminal.say(f"verified: signed by {public.key_id}, {where}")


def _key_text(key: str) -> tuple[str, str]:
    """The key's text, and where it came from in words."""
    if key:
        named = Path(key)
        if len(key) < 4_000 and named.is_file():
            return named.read_text("utf-8").strip(), f"the key in {named}"
        return key, "the key you gave"
    workspace = locate.find().workspace
    pinned = None if workspace is None else workspace / "curator.pub"
    if pinned is None or not pinned.is_file():
        raise BadContract(
            "there is no workspace here whose public key could be taken",
            code="PL152",
            hint="name the curator's key: privlab verify FILE --key curator.pub",
        )
    return pinned.read_text("utf-8").strip(), f"the key of the workspace {workspace}"
