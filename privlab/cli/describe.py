"""``privlab tables`` and ``privlab describe``: what can be asked about."""

from __future__ import annotations

from typing import Annotated

import typer

from privlab.cli import terminal


def tables() -> None:
    """List the tables you may ask about.

    Example: privlab tables
    """
    from privlab.client import show
    from privlab.client.session import Session

    terminal.shown(show.tables_table(Session.connect().tables()))


def describe(
    name: Annotated[str, typer.Argument(help="A table, as `privlab tables` lists it.")],
) -> None:
    """Show one table's columns, ranges and groups.

    Example: privlab describe visits
    """
    from privlab.client import show
    from privlab.client.session import Session

    terminal.shown(show.describe_table(Session.connect().describe(name)))
