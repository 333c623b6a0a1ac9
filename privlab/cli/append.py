"""``privlab append``: more rows for a table that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from privlab.cli import terminal
from privlab.cli.protect import (
    Protection,
    digest_of,
    keep_compiled_code_private,
    open_rows,
    rows_bar,
)

if TYPE_CHECKING:
    from privlab.client.owner import Owner


def append(
    table: Annotated[str, typer.Argument(help="TABLE or DATASET.TABLE, as it was protected.")],
    source: Annotated[
        str,
        typer.Argument(
            help="A Parquet, CSV or Arrow file, a folder or 'pattern', or postgresql://."
        ),
    ],
    from_table: Annotated[
        str, typer.Option("--table", help="In a database: NAME or SCHEMA.NAME, if another.")
    ] = "",
) -> None:
    """Add rows to a protected table; its contract and its budget stay as they are.

    Makes the table's next version. All its rows together must fit the contract's
    row_cap, and rows_per_unit counts old and new rows of a unit together.

    Example: privlab append visits january.parquet
    """
    from privlab.client.owner import Owner

    terminal.say(str(append_source(Owner.connect(), table, source, from_table=from_table)))
    terminal.note("what was spent stays spent; answers of before are of the version before")


def append_source(owner: Owner, table: str, source: object, *, from_table: str = "") -> Protection:
    """Protect the rows as a delta and have it added, with a progress bar on standard error.

    :raises BadContract: PL151, PL152, PL153; the table is then as it was.
    """
    keep_compiled_code_private()
    with terminal.curator_part():
        from privlab.connector import contract as contracts
        from privlab.connector.protect import protect as write
    prepared, text = owner.prepare_append(table)
    opened = open_rows(source, from_table or prepared.table)
    with rows_bar(prepared.table) as progress:
        written = write(
            opened,
            contracts.parse(text),
            version=prepared.version,
            unit_key=prepared.unit_key,
            order_key=prepared.order_key,
            folder=prepared.folder,
            progress=progress,
        )
        progress("adding to", written.counts.rows_kept, None)
        new = owner.append(prepared, written.parts, written.keys, digest_of(source))
    return Protection(new.dataset, new.table, new.version, written.counts)
