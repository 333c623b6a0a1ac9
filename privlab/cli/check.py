"""``privlab check``: how an owner's rows fit her contract, before anything is protected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privlab.cli import protect, terminal


def check(
    source: Annotated[
        str,
        typer.Argument(
            help="A Parquet, CSV or Arrow file, a folder or 'pattern', or postgresql://."
        ),
    ],
    contract: Annotated[Path, typer.Option(help="The contract, a TOML file.")],
    table: Annotated[
        str, typer.Option(help="In a database: NAME or SCHEMA.NAME, if not the contract's.")
    ] = "",
) -> None:
    """Count what of your rows does not fit their contract.

    Writes nothing and needs no workspace. The numbers come from your rows: they are for you alone.

    Example: privlab check visits.parquet --contract visits.toml
    """
    text = protect.contract_text(contract, source)
    protect.keep_compiled_code_private()
    with terminal.curator_part():
        from privlab.connector import contract as contracts
        from privlab.connector.check import check as count
    parsed = contracts.parse(text)
    opened = protect.open_rows(source, table or parsed.stated.name)
    with protect.rows_bar(parsed.stated.name) as progress:
        counts = count(opened, parsed, progress=progress)
    first, *rest = protect.account(counts)
    terminal.say(first.rpartition(", of ")[0])
    for line in rest:
        terminal.say(line)
    if not counts.fits:
        terminal.say("do not fit ranges or keys to these numbers: a contract is public, so what is")
        terminal.say("written into it because of them tells about rows, and no budget counts that;")
        terminal.say("state what you know of the subject, values outside are clamped or left out")
    else:
        terminal.say("everything fits")
