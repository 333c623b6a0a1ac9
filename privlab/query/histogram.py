"""The question that finds a column's bounds: how many units have a value of each size.

It counts units, not rows: one unit is in so many sizes at most as the contract
lets it be in groups, and counts once in each, so that its squared sensitivity is
that number alone, however many rows it has; and one unit with many odd rows does not
move the bounds.  It is an ordinary question, charged and released as any other.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from privlab.terms.catalog import Table

if TYPE_CHECKING:
    from privlab.query.ask import Source

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


MOST_TIMES = 9
"""How often the bounds of one column may be measured anew, the first time included."""


def histogram_text(table: Table, column: str, source: Source | None = None) -> str:
    """What to type for the sizes of ``column``, in the language of ``source``; SQL without one.

    A second argument, ``MAGNITUDE(x, 2)``, makes it another view of the same sizes: the
    second histogram, whose bounds replace those of the first.
    """
    if source is not None and not source.sql:
        return (
            f"{table.name}.group_by(bin=pl.col({_text(column)}).magnitude())"
            f".agg(n=pl.col({_text(table.unit)}).n_unique())"
        )
    names = [table.name, column, table.unit]
    name, of, unit = map(_name if source is not None else quoted, names)
    columns = f"MAGNITUDE({of}) AS bin, COUNT(DISTINCT {unit}) AS n"
    return " ".join(["SELECT", columns, "FROM", name, "GROUP BY bin"])


def _text(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quoted(name)


def quoted(name: str) -> str:
    """A name of SQL that is certainly one."""
    return '"' + name.replace('"', '""') + '"'
