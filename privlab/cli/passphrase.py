"""A passphrase from whoever has it: a descriptor, a file, or somebody at a terminal."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from privlab.cli import terminal
from privlab.errors import BadContract

if TYPE_CHECKING:
    from privlab.connector.keys import Secrets

Descriptor = Annotated[
    int | None,
    typer.Option("--passphrase-fd", help="Read the passphrase from this open descriptor."),
]

MOST = 4096


def secrets_for(
    descriptor: int | None, prompt: str = "passphrase", *, new: bool = False
) -> Secrets:
    """How to learn the passphrase, should it be needed.

    From the descriptor, else the file that PRIVLAB_PASSPHRASE_FILE names, else a
    person.  new: a person types it twice.
    """
    with terminal.curator_part():
        from privlab.connector.keys import Secrets
        from privlab.connector.providers.provider import PASSPHRASE_FILE
    if descriptor is not None:
        return Secrets.typed(_once(lambda: _read(descriptor)))
    if os.environ.get(PASSPHRASE_FILE):
        return Secrets.found()
    return Secrets.typed(_once(lambda: _typed(prompt, new=new)))


def somebody_is_there() -> bool:
    """Whether a person can be asked.  Under a notebook's ``!`` there is a terminal and nobody."""
    return sys.stdin.isatty() and "JPY_PARENT_PID" not in os.environ


def _once(ask: Callable[[], bytes]) -> Callable[[], bytes]:
    """The same answer again, asked for once."""
    kept: list[bytes] = []

    def answer() -> bytes:
        if not kept:
            kept.append(ask())
        return kept[0]

    return answer


def _read(descriptor: int) -> bytes:
    try:
        with os.fdopen(descriptor, "rb") as pipe:
            return pipe.read(MOST).split(b"\n", 1)[0]
    except OSError:
        raise BadContract(
            f"descriptor {descriptor} cannot be read",
            code="PL152",
            hint="open it first: privlab key unlock --passphrase-fd 3 3< FILE",
        ) from None


def _typed(prompt: str, *, new: bool) -> bytes:
    with terminal.curator_part():
        from privlab.connector.providers.provider import PASSPHRASE_FILE, locked
    if not somebody_is_there() and new:
        raise BadContract(
            "nobody is there to type a new passphrase",
            code="PL152",
            hint=f"name a file that holds one in {PASSPHRASE_FILE}; or choose another --custody: "
            "plain:keys/master.key is without encryption",
        )
    if not somebody_is_there():
        raise locked()
    typed = getpass.getpass(f"{prompt}: ")
    if new and getpass.getpass("the same again: ") != typed:
        raise BadContract("the two passphrases differ", code="PL152", hint="try again")
    return typed.encode("utf-8")
