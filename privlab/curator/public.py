"""Public tables of a request: the rows they hold, and what a release says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fractions import Fraction

from privlab.curator.asks import READERS
from privlab.errors import BadQuery
from privlab.query.relations import PublicRows
from privlab.release.statement import PublicFacts
from privlab.seal.canonical import canonical
from privlab.terms.catalog import Kind, Scalar
from privlab.wire.messages import MAX_PUBLIC_BYTES, PublicColumn, PublicTable

LABEL = b"privlab/public/v1\0"
MOST = 1 << 63


def public_rows(given: Mapping[str, PublicTable]) -> dict[str, PublicRows]:
    """Every public table of a request, by its name.

    :raises BadQuery: PL114, columns of different lengths or of one name, a text that is
        not of its kind, or more than a megabyte.
    """
    return {name: _rows(name, table) for name, table in given.items()}


def _rows(name: str, table: PublicTable) -> PublicRows:
    names = [column.name for column in table.columns]
    sizes = {len(column.text) for column in table.columns}
    if len(sizes) > 1 or len(set(names)) < len(names):
        raise _refused(name, "its columns have one length, and names of their own")
    if len(table.model_dump_json()) > MAX_PUBLIC_BYTES:
        raise _refused(name, f"it takes more than {MAX_PUBLIC_BYTES:,} bytes")
    columns = [_values(name, column) for column in table.columns]
    kinds = tuple((column.name, Kind(column.kind)) for column in table.columns)
    return PublicRows(kinds, tuple(zip(*columns, strict=True)))


def _values(name: str, column: PublicColumn) -> list[Scalar | None]:
    reader = READERS[column.kind]
    try:
        found = [None if text is None else reader(text) for text in column.text]
    except (ValueError, KeyError, ArithmeticError):
        raise _refused(name, f"{column.name} is not a {column.kind} in every row") from None
    if any(isinstance(one, int | Fraction) and abs(Fraction(one)) >= MOST for one in found):
        raise _refused(name, f"a number of {column.name} is too large for any column")
    return found


def _refused(name: str, what: str) -> BadQuery:
    return BadQuery(
        f"the public table {name} cannot be read: {what}",
        code="PL114",
        hint="send a frame of plain columns, with the values that the question needs",
    )


def public_facts(given: Mapping[str, PublicTable]) -> tuple[PublicFacts, ...]:
    """What a release records of the tables that came with a question, by name."""
    return tuple(
        PublicFacts(
            name=name,
            columns=tuple(column.name for column in table.columns),
            rows=len(table.columns[0].text),
            digest=digest(table),
        )
        for name, table in sorted(given.items())
    )


def digest(table: PublicTable) -> str:
    """SHA-256 in hex of a label and the table's canonical JSON (``docs/spec/release.md``)."""
    columns = [
        {"name": column.name, "kind": column.kind, "values": list(column.text)}
        for column in table.columns
    ]
    return hashlib.sha256(LABEL + canonical(columns)).hexdigest()
