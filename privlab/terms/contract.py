"""An owner's contract: what she states about a table, and how to read her file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from privlab.terms.catalog import Table
from privlab.terms.treatment import Treatment


@dataclass(frozen=True, slots=True)
class Contract:
    """``stated`` is the table with version 0; protecting makes version 1, 2, ...

    null_values: texts of the source file that mean null.
    null_unit: "drop" leaves rows without a unit out; "one" makes them one unit.
    text: the TOML as the owner wrote it, kept word for word.
    treatments: what becomes of a column's values before they are stored.
    dropped: columns of the source that are never read, and are none of the table's.
    """

    stated: Table
    null_values: tuple[str, ...]
    null_unit: str
    text: str
    treatments: Mapping[str, Treatment] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()

    def table(self, version: int) -> Table:
        """The table as this version states it."""
        return replace(self.stated, version=version)
