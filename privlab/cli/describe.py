"""``privlab tables`` and ``privlab describe``: what can be asked about."""

from __future__ import annotations

from typing import Annotated

import typer

from privlab.cli import terminal


def tables() -> None:
    """List the tables you may ask about.

    Example: privlab tables
    """
    from privlab.client.session import Session

    rows = [
        (
            t.name,
            t.dataset,
            t.unit_word,
            t.bound,
            t.rows,
            f"{t.about} (synthetic)" if t.synthetic and "synthetic" not in t.about else t.about,
        )
        for t in Session.connect().tables()
    ]
    terminal.table(("table", "dataset", "hides one", "bound", "rows", "about"), rows)


def describe(
    name: Annotated[str, typer.Argument(help="A table, as `privlab tables` lists it.")],
) -> None:
    """Show one table's columns, ranges and groups.

    Example: privlab describe visits
    """
    from privlab.client.session import Session

    facts = Session.connect().describe(name)
    terminal.say(f"{facts.dataset}.{facts.name}, version {facts.version}: {facts.about}")
    terminal.say(f"hides one {facts.unit_word} ({facts.unit}); {facts.bound}; rows: {facts.rows}")
    terminal.say(f"purposes: {', '.join(facts.purposes) or 'none'}")
    rows = [
        (
            c.name,
            c.kind,
            "withheld" if c.withheld else "groups" if c.key else "",
            c.facts,
            c.about,
        )
        for c in facts.columns
    ]
    terminal.table(("column", "type", "", "stated", "about"), rows)
