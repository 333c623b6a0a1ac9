"""Look a name up in the table."""

from __future__ import annotations

import difflib

from privlab.errors import PolicyDenied
from privlab.query.ask import Name, Source
from privlab.terms.catalog import Column, Table


def find_column(name: Name, table: Table, source: Source) -> Column:
    """The column ``name`` stands for.

    :raises BadQuery: PL104, no such column; the nearest one is in the hint.
    :raises PolicyDenied: PL201, the column is withheld, or is the privacy unit,
        which nothing but the count of units may use.
    """
    if name.hidden:
        what = f"{name.name} is not one of the columns that are selected before"
        raise source.refuse("PL104", what, name.span, f"select {name.name} there too")
    if name.name == table.unit:
        raise PolicyDenied(
            f"{name.name} is the privacy unit of {table.name} and can only be counted",
            code="PL201",
            hint=f"COUNT(DISTINCT {name.name})"
            if source.surface == "sql"
            else f'pl.col("{name.name}").n_unique()',
            caret=source.caret(name.span),
        )
    column = table.column(name.name)
    if column is None:
        known = [one.name for one in table.columns if not one.withheld]
        near = difflib.get_close_matches(name.name, known, 1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"its columns are {', '.join(known)}"
        raise source.refuse("PL104", f"{table.name} has no column {name.name}", name.span, hint)
    if column.withheld:
        raise PolicyDenied(
            f"the column {column.name} of {table.name} is withheld",
            code="PL201",
            hint=f"ask the owner of {table.dataset}",
            caret=source.caret(name.span),
        )
    return column
