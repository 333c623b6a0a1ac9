"""``privlab protect``: turn an owner's file into an encrypted table version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from privlab.cli import terminal
from privlab.errors import BadContract

if TYPE_CHECKING:
    from privlab.client.owner import Owner
    from privlab.connector.protect import Counts
    from privlab.wire.owner import Registered


def protect(
    file: Annotated[Path, typer.Argument(help="Your Parquet or CSV file.")],
    contract: Annotated[Path, typer.Option(help="The contract, a TOML file.")],
) -> None:
    """Encrypt a copy of your file and let it be asked about.

    Lists every problem of the contract at once. Your file is read, not changed.

    Example: privlab protect visits.parquet --contract visits.toml
    """
    from privlab.client.owner import Owner

    try:
        text = contract.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadContract(
            f"there is no readable contract {contract}",
            code="PL150",
            hint=f"begin one with: privlab draft {file} -o {contract}",
        ) from None
    registered, counts = protect_file(Owner.connect(), file, text)
    for line in account(counts):
        terminal.say(line)
    terminal.say(
        f"{registered.dataset}.{registered.table} version {registered.version} can be asked about"
    )
    terminal.say(f"the plain file is still readable: {file.resolve()}")
    terminal.note("keep it somewhere safe, or remove it: no analyst needs it")


def protect_file(owner: Owner, file: Path, text: str) -> tuple[Registered, Counts]:
    """Prepare, write and register one version, with a progress bar on standard error.

    :raises BadContract: PL150, PL151; nothing is registered then.
    """
    with terminal.curator_part():
        from privlab.connector import contract as contracts
        from privlab.connector.protect import protect as write
    parsed = contracts.parse(text)
    prepared = owner.prepare(text)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=terminal.err,
        transient=True,
        disable=not terminal.err.is_terminal,
    )
    with bar:
        task = bar.add_task(f"protecting {parsed.stated.name}", total=None)
        written = write(
            file,
            parsed,
            version=prepared.version,
            unit_key=prepared.unit_key,
            order_key=prepared.order_key,
            folder=prepared.folder,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        return owner.register(prepared, text, written.parts, written.keys), written.counts


def account(counts: Counts) -> list[str]:
    """What the owner should know about her file, in words.  For her eyes only."""
    lines = [
        f"read {counts.rows_read:,} rows, kept {counts.rows_kept:,}, of {counts.units:,} units"
    ]
    if counts.without_unit:
        lines.append(f"{counts.without_unit:,} rows name no unit")
    kinds: tuple[tuple[str, Mapping[str, int]], ...] = (
        ("could not be read as the stated type and are null", counts.unreadable),
        ("are outside the stated range or keys", counts.outside),
        ("are null where the contract says never", counts.unexpected_nulls),
    )
    for words, columns in kinds:
        for name, count in columns.items():
            lines.append(f"{name}: {count:,} values {words}")
    return lines
