"""The messages about what is stored, for owners.  Nothing in them comes from rows."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from privlab.wire.messages import Message
from privlab.wire.owner import Hex256


class StoredColumn(Message):
    """One column of a table version.  key: it has one; else it was shredded."""

    name: str
    kind: str
    key: bool


class StoredSource(Message):
    """Where rows of a version are from.

    version: that brought them.  tool: the program.  source: an HMAC under a key of the
    workspace, "" if the source has no bytes of its own.
    """

    version: int
    tool: str
    source: str


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
    lineage: tuple[StoredSource, ...]


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


class SourceOf(Message):
    """Ask which versions of a table are from a source, by its SHA-256."""

    table: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    source: Hex256


class CameFrom(Message):
    """Of the registered version: the versions, it or earlier ones, that brought the source's rows."""

    dataset: str
    name: str
    version: int
    brought: tuple[int, ...]
