"""The second reader: encrypted modules opened here, Parquet decoded by pyarrow.

pyarrow decrypts files of one key, or of column keys without additional text, and ours
have both.  So the modules of the wanted columns are opened by `modules`, put together
as a plain Parquet file in memory, and pyarrow decodes that.  Nothing of the file but
its pages and types goes in: no statistics, no key-value metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from privlab.connector import compact
from privlab.connector.compact import Kind, Listed, Malformed, Struct, Value
from privlab.connector.modules import Chunk, Encrypted
from privlab.connector.parts import PLAIN_MAGIC
from privlab.errors import EngineFailed

_TYPE_FIELDS = (1, 2, 3, 4, 6, 7, 8, 10)
"""What of a SchemaElement says how a column's bytes are to be read."""

_HEADER_FIELDS = (1, 2, 5, 7, 8)
"""What of a PageHeader is kept; its size is that of the plain page, and it has no checksum."""

_STATISTICS = {5: 5, 8: 8}
"""By the field of a page header, the field in it that holds statistics."""


def decoded(
    data: bytes, aad_prefix: bytes, footer_key: bytes, column_keys: Mapping[str, bytes]
) -> pl.DataFrame:
    """The columns that have a key, in the order of the file.

    :raises EngineFailed: whatever is wrong with the file or with a key, in the same words.
    """
    try:
        plain = rebuilt(Encrypted.open(data, aad_prefix, footer_key), column_keys)
        table = pq.ParquetFile(pa.BufferReader(plain)).read(use_threads=False)
        frame = pl.from_arrow(table, rechunk=False)
    except Exception:  # noqa: BLE001  the words may not depend on what went wrong
        raise EngineFailed from None
    if not isinstance(frame, pl.DataFrame):
        raise EngineFailed
    return frame


def rebuilt(file: Encrypted, keys: Mapping[str, bytes]) -> pa.Buffer:
    """A plain Parquet file of the columns in ``keys``, in memory.

    :raises Damaged: a module of theirs does not open.
    :raises Malformed: the file has no such column.
    """
    names = [name for name in file.columns if name in keys]
    if len(names) != len(keys):
        raise Malformed("no such column")
    out: list[bytes] = [PLAIN_MAGIC]
    at = len(PLAIN_MAGIC)
    groups: list[Value] = []
    for group, rows in enumerate(file.rows):
        chunks: list[Value] = []
        plain_size = 0
        for name in names:
            chunk = file.chunk(group, name, keys[name])
            pieces, metadata = _plain_chunk(chunk, at)
            out += pieces
            chunks.append({2: (Kind.I64, at), 3: (Kind.STRUCT, metadata)})
            at += compact.number(metadata, 7)
            plain_size += compact.number(metadata, 6)
        groups.append(
            {
                1: (Kind.LIST, Listed(Kind.STRUCT, tuple(chunks))),
                2: (Kind.I64, plain_size),
                3: (Kind.I64, rows),
            }
        )
    footer = compact.write(_footer(file, names, groups))
    out += [footer, len(footer).to_bytes(4, "little"), PLAIN_MAGIC]
    return pa.py_buffer(b"".join(out))


def _plain_chunk(chunk: Chunk, at: int) -> tuple[list[bytes], Struct]:
    """Headers and pages in turn, and the column's metadata where they begin at ``at``."""
    pieces: list[bytes] = []
    offsets: dict[bool, int] = {}
    whole = 0
    for page in chunk.pages:
        offsets.setdefault(page.is_dictionary, at)
        header = _header(page.header, len(page.data))
        pieces += [header, page.data]
        at += len(header) + len(page.data)
        whole += len(header) + compact.number(page.header, 2)
    old = chunk.metadata
    metadata = {field: old[field] for field in (1, 2, 3, 4, 5)}
    metadata[6] = (Kind.I64, whole)
    metadata[7] = (Kind.I64, sum(len(piece) for piece in pieces))
    metadata[9] = (Kind.I64, offsets.get(False, at))
    if True in offsets:
        metadata[11] = (Kind.I64, offsets[True])
    return pieces, metadata


def _header(header: Struct, size: int) -> bytes:
    kept: dict[int, Any] = {field: header[field] for field in _HEADER_FIELDS if field in header}
    for field, statistics in _STATISTICS.items():
        if field in kept:
            inside = compact.inner(header, field)
            bare = {at: value for at, value in inside.items() if at != statistics}
            kept[field] = (Kind.STRUCT, bare)
    return compact.write({**kept, 3: (Kind.I32, size)})


def _footer(file: Encrypted, names: list[str], groups: list[Value]) -> Struct:
    root, *leaves = compact.structs(file.footer, 2)
    wanted = [
        {field: leaf[field] for field in _TYPE_FIELDS if field in leaf}
        for name, leaf in zip(file.columns, leaves, strict=True)
        if name in names
    ]
    schema = ({4: root[4], 5: (Kind.I32, len(wanted))}, *wanted)
    return {
        1: (Kind.I32, 1),
        2: (Kind.LIST, Listed(Kind.STRUCT, schema)),
        3: (Kind.I64, sum(file.rows)),
        4: (Kind.LIST, Listed(Kind.STRUCT, tuple(groups))),
    }
