"""``privlab draft``: begin a contract from a file's schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from privlab.cli import terminal
from privlab.errors import BadContract


def draft(
    file: Annotated[Path, typer.Argument(help="A Parquet or CSV file.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here instead of to the terminal.")
    ] = None,
    dictionary: Annotated[
        list[Path] | None,
        typer.Option(
            "--dictionary",
            "-d",
            help="Where you describe its columns: datapackage.json, a table schema, schema.yml of dbt.",
        ),
    ] = None,
    table: Annotated[
        str, typer.Option(help="The table's name in the dictionary, if not the file's.")
    ] = "",
) -> None:
    """Begin a contract from a file's schema and from dictionaries.

    Only column names and types are used; nothing is computed from rows. Every field only you can know is left
    open, with an example beside it. What is taken from a dictionary says so.

    Example: privlab draft visits.parquet -d datapackage.json -o visits.toml
    """
    with terminal.curator_part():
        from privlab.connector import draft as drafts
    text = drafts.draft(file, dictionary or (), table)
    if output is None:
        terminal.say(text.rstrip("\n"))
        return
    try:
        with output.open("x", encoding="utf-8") as target:
            target.write(text)
    except FileExistsError:
        raise BadContract(
            f"{output} exists and may hold your work, so it is left alone",
            code="PL152",
            hint="name another file, or move it away first",
        ) from None
    terminal.say(f"wrote {output}: fill in every open field, then")
    terminal.say(f"  privlab protect {file} --contract {output}")
