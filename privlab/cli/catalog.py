"""``privlab catalog``: what is stored, and whether it is still what was written."""

from __future__ import annotations

from typing import Annotated

import typer

from privlab.cli import terminal

app = typer.Typer(help="See and verify what is stored.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A table. Default: all.")]


@app.command()
def show(table: Name = "") -> None:
    """Show stored tables: versions, parts, sizes, columns and their keys.

    As owner. Nothing of it comes from rows.

    Example: privlab catalog show visits
    """
    from privlab.client.owner import Owner

    stores = Owner.connect().stored(table)
    terminal.table(
        ("table", "version", "since", "parts", "MiB", "unit", "columns", "shredded", "from"),
        [
            (
                f"{one.dataset}.{one.name}",
                str(one.version),
                one.created,
                str(one.parts),
                f"{one.size / 2**20:.1f}",
                one.unit,
                ", ".join(f"{c.name} {c.kind}" for c in one.columns if c.key) or "none",
                ", ".join(c.name for c in one.columns if not c.key) or "nothing",
                ", ".join(f"{s.source[:12] or 'no file'} by {s.tool}" for s in one.lineage),
            )
            for one in stores.tables
        ],
        right=(1, 3, 4),
    )


@app.command()
def source(
    file: Annotated[str, typer.Argument(help="A file, a folder or a 'pattern'.")],
    table: Annotated[str, typer.Argument(help="The table, as TABLE or DATASET.TABLE.")],
) -> None:
    """Say whether a table's rows are from this file, byte for byte.

    As owner. What is stored of it is an HMAC under a key of the workspace. The status is 4 when
    they are not.

    Example: privlab catalog source visits.parquet visits
    """
    with terminal.curator_part():
        from privlab.cli.protect import digest_of
    from privlab.client.owner import Owner

    found = Owner.connect().came_from(table, digest_of(file))
    name = f"{found.dataset}.{found.name} version {found.version}"
    if not found.brought:
        terminal.say(f"{name} is not from {file}")
        raise typer.Exit(terminal.CHANGED)
    brought = ", ".join(str(v) for v in found.brought if v != found.version)
    terminal.say(f"{name} is from {file}" + (f", brought by version {brought}" if brought else ""))


@app.command()
def verify(table: Name = "") -> None:
    """Open every page of every part, and say what is not what was written.

    As owner. Compares manifest and files with what was signed, then decrypts and
    authenticates all pages; no value is decoded. The status is 4 when anything is damaged.

    Example: privlab catalog verify visits
    """
    from privlab.client.owner import Owner

    damaged = False
    for one in Owner.connect().checked(table).tables:
        name = f"{one.dataset}.{one.name} version {one.version}"
        if one.shredded:
            terminal.note(f"{name}: shredded, so nobody can look: {_columns(one.shredded)}")
        if one.damage:
            damaged = True
            terminal.say(f"{name} is damaged:")
            for line in one.damage:
                terminal.say(f"  {line}")
        else:
            terminal.say(
                f"{name}: {one.parts} parts, {len(one.columns)} columns, "
                "every page is what was written"
            )
    if damaged:
        terminal.note("restore the version's folder from a backup, or protect the table again")
        raise typer.Exit(terminal.CHANGED)


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(name or "the footer" for name in names)
