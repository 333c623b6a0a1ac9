"""The messages about what is stored, for owners.  Nothing in them comes from rows."""

from __future__ import annotations

from privlab.wire.messages import Message


class StoredColumn(Message):
    """One column of a table version.  key: it has one; else it was shredded."""

    name: str
    kind: str
    key: bool


class StoredTable(Message):
    """One registered table version.

    created: UTC, RFC 3339.  parts: files.  size: their bytes, padding included.
    """

    dataset: str
    name: str
    version: int
    unit: str
    created: str
    parts: int
    size: int
    columns: tuple[StoredColumn, ...]


class Stores(Message):
    """What a workspace holds, dataset by dataset."""

    tables: tuple[StoredTable, ...]


class Checked(Message):
    """One table version, gone through page by page.

    pages: of these columns every page was opened; none of ``shredded`` can be.
    damage: one line per thing that is not what was written; none: all is.
    """

    dataset: str
    name: str
    version: int
    parts: int
    columns: tuple[str, ...]
    shredded: tuple[str, ...]
    damage: tuple[str, ...]


class CheckedAll(Message):
    """All that was asked for."""

    tables: tuple[Checked, ...]
