"""Encrypted Parquet of any frame, in memory, and where its modules lie."""

# ruff: noqa: DTZ001  a table's clock has no zone

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import polars as pl

from privlab.connector import compact
from privlab.connector.decrypt import open_part
from privlab.connector.modules import Encrypted
from privlab.connector.parts import FileFacts, file_name, footer_digest, footer_length
from privlab.connector.reader import Reader

AAD = b"privlab/table/v1\0clinic\0visits\x001\x000"
FOOTER_KEY = b"\x0f" * 32

REFUSED = (Exception, pl.exceptions.PanicException)
"""All that a reader may do with damage; a panic of Polars is no Exception."""

SCHEMA = {
    "number": pl.Int64,
    "float": pl.Float64,
    "truth": pl.Boolean,
    "day": pl.Date,
    "at": pl.Datetime("us"),
    "ward": pl.String,
    "note": pl.String,
    "unit": pl.UInt64,
    "empty": pl.Int64,
}


def awkward(rows: int) -> pl.DataFrame:
    """Every kind of a table with nulls, extremes, few texts and many, and a column of nulls."""
    numbers = (0, -1, 2**63 - 1, -(2**63), None)
    floats = (0.1, -0.0, 1e308, 5e-324, None)
    return pl.DataFrame(
        {
            "number": [numbers[n % 5] if n % 2 else n for n in range(rows)],
            "float": [floats[n % 5] if n % 3 else n / 7 for n in range(rows)],
            "truth": [(True, False, None)[n % 3] for n in range(rows)],
            "day": [date(1 + n % 9999, 1 + n % 12, 1 + n % 28) for n in range(rows)],
            "at": [datetime(1 + n % 9999, 1, 1, n % 24, 0, 0, n % 10**6) for n in range(rows)],
            "ward": [("north", "", "süd", None)[n % 4] for n in range(rows)],
            "note": ["x" * (n % 400) + str(n) if n % 9 else None for n in range(rows)],
            "unit": [(2**64 - 1 - n * 7919) % 2**64 for n in range(rows)],
            "empty": [None] * rows,
        },
        schema=SCHEMA,
    )


def keys_of(columns: Mapping[str, Any] | list[str]) -> dict[str, bytes]:
    """A key per column, and the footer's, by position in `SCHEMA` so that frames agree."""
    order = {name: at for at, name in enumerate(SCHEMA)}
    return {"": FOOTER_KEY, **{name: bytes([order[name] + 1]) * 32 for name in columns}}


def written(frame: pl.DataFrame, *, aad: bytes = AAD, codec: Any = "lz4", **options: Any) -> bytes:
    """The file that Polars writes.  options: row_group_size, data_page_size."""
    keys = keys_of(frame.columns)
    out = io.BytesIO()
    frame.write_parquet(
        out,
        compression=codec,
        statistics=False,
        encryption=pl.ParquetEncryptionProperties(
            footer_key=keys.pop(""), column_keys=keys, aad_prefix=aad, store_aad_prefix=False
        ),
        **options,
    )
    return out.getvalue()


def facts_of(raw: bytes) -> FileFacts:
    """What would be signed of these bytes."""
    return FileFacts(file_name("rows", 0), len(raw), footer_digest(raw))


def opened(
    raw: bytes,
    reader: Reader,
    keys: Mapping[str, bytes],
    *,
    aad: bytes = AAD,
    facts: FileFacts | None = None,
) -> pl.DataFrame:
    """All columns that have a key."""
    scan = open_part(facts or facts_of(raw), raw, aad, keys, reader)
    return scan.select(name for name in keys if name).collect()


def modules(raw: bytes) -> list[tuple[int, int]]:
    """Begin and end of each header and page in turn: length field, nonce, text, tag."""
    return all_modules(raw)[: -len(index_lengths(raw)) or None]


def index_lengths(raw: bytes) -> list[int]:
    """Of the offset indexes that Polars writes behind all pages, and no reader of ours needs."""
    groups = compact.structs(Encrypted.open(raw, AAD, FOOTER_KEY).footer, 4)
    chunks = [chunk for group in groups for chunk in compact.structs(group, 1)]
    return [compact.number(chunk, 5) for chunk in chunks]


def all_modules(raw: bytes) -> list[tuple[int, int]]:
    """As `modules`, with the offset indexes."""
    found, at = [], 4
    while at < len(raw) - footer_length(raw[-8:]):
        end = at + 4 + int.from_bytes(raw[at : at + 4], "little")
        found.append((at, end))
        at = end
    return found
