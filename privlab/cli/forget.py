"""``privlab forget``: units that are to be in no table any more."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from privlab.cli import terminal
from privlab.cli.protect import keep_compiled_code_private
from privlab.errors import BadContract, BadQuery

if TYPE_CHECKING:
    from privlab.client.owner import Owner
    from privlab.wire.owner import Forgotten

MOST = 100_000
"""Units of one deed."""


def forget(
    units: Annotated[str, typer.Option(help="A file with one id per line, or - to read them.")],
    table: Annotated[str, typer.Option(help="Out of this table alone.")] = "",
    dataset: Annotated[str, typer.Option(help="Out of every table of this dataset.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what would go.")] = False,
) -> None:
    """Take units out of protected tables, and destroy the keys to where they were.

    Makes the next version of each table, whether or not it holds them. What was
    released stays, and what it cost; your own files are not touched.

    Example: privlab forget --units erased.txt --dataset clinic --yes
    """
    from privlab.client.owner import Owner

    if bool(table) is bool(dataset):
        raise BadQuery("name either --table or --dataset", code="PL112")
    ids = read_ids(units)
    owner = Owner.connect()
    if not yes:
        told = owner.prepare_forget(table or None, dataset or None)
        names = ", ".join(f"{told.dataset}.{name}" for name in sorted(told.tables))
        terminal.say(f"would forget {len(ids):,} units in {names}; do it with --yes")
        return
    done = forget_units(owner, ids, table=table or None, dataset=dataset or None)
    for name, version in done.versions.items():
        terminal.say(f"{name} version {version}: {done.parts[name]:,} parts written anew")
    if done.left:
        terminal.note(done.left)
    terminal.note(
        "files of yours, backups of keys and recovery kits of before are yours to destroy"
    )


def forget_units(
    owner: Owner, ids: Sequence[str], *, table: str | None = None, dataset: str | None = None
) -> Forgotten:
    """Have the units of these ids forgotten: they themselves stay in this process.

    :raises BadContract: PL151, an id is not of the unit's kind; PL152, no such table.
    """
    keep_compiled_code_private()
    with terminal.curator_part():
        from privlab.connector.pseudonyms import pseudonym
    told = owner.prepare_forget(table, dataset)
    tables = {
        name: sorted({pseudonym(told.unit_key, one) for one in canonical(ids, kind)})
        for name, kind in told.tables.items()
    }
    return owner.forget(told.dataset, tables)


def canonical(ids: Iterable[str], kind: str) -> list[str]:
    """Ids as the pseudonym takes them.  kind: of the unit's column.

    :raises BadContract: PL151, one is not of this kind.
    """
    if kind != "int":
        return list(ids)
    found = []
    for number, one in enumerate(ids, 1):
        try:
            found.append(str(int(one)))
        except ValueError:
            raise BadContract(
                f"the id number {number} is no whole number, as ids are here",
                code="PL151",
                hint="correct the file of ids: nothing was forgotten",
            ) from None
    return found


def read_ids(place: str) -> list[str]:
    """The lines of a file, or of standard input, that are not empty.

    :raises BadContract: PL151, it cannot be read, names nobody, or too many.
    """
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadContract(
            f"there is no readable file {place}", code="PL151", hint="one id per line, in UTF-8"
        ) from None
    ids = [line for line in text.splitlines() if line]
    if not 1 <= len(ids) <= MOST:
        raise BadContract(
            f"{len(ids):,} units are named, and one deed is about 1 to {MOST:,}",
            code="PL151",
            hint="one id per line; split a longer file",
        )
    return ids
