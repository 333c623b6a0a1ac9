"""A bucket's rows as an encrypted part, and all parts of a version of one size.

Parquet under Modular Encryption: AES-GCM, 256 bit, encrypted footer, a key per
column.  ``docs/spec/table.md``, Files.
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from privlab.connector.parts import PartFacts, aad_prefix, footer_digest, footer_length, part_name
from privlab.connector.spill import write_all
from privlab.terms.catalog import Table

ROWS_PER_BUCKET = 1 << 17
MAX_BUCKETS = 256
SMALLEST_PART = 1 << 16

_SIZE_OF_FILLER = 32


@dataclass(frozen=True, slots=True)
class Draft:
    """A part without its end: its pages are on disk, its footer is held back."""

    path: Path
    bucket: int
    footer: bytes
    size: int


def bucket_count(row_cap: int) -> int:
    """How many parts a version has: a power of two from the stated row cap alone."""
    wanted = -(-row_cap // ROWS_PER_BUCKET)
    return min(MAX_BUCKETS, 1 << (wanted - 1).bit_length())


def size_class(size: int) -> int:
    """The smallest size of the grid that holds ``size`` bytes.

    Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
    Communication with PURBs", PoPETs 2019, algorithm 1): at most 12 % larger, and
    the size tells O(log log size) bits.  Never below 64 KiB.
    """
    size = max(size, SMALLEST_PART)
    exponent = size.bit_length() - 1
    free = exponent - exponent.bit_length()
    return -(-size >> free) << free


def draft_part(
    rows: pl.DataFrame, bucket: int, table: Table, keys: Mapping[str, bytes], folder: Path
) -> Draft:
    """Encrypt a bucket's rows, in the order they have, and write all but the footer.

    :raises OSError: the disk is full.
    """
    whole = _encrypted(rows, keys, aad_prefix(table.dataset, table.name, table.version, bucket))
    cut = len(whole) - footer_length(bytes(whole[-8:]))
    path = folder / part_name(bucket)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    file = os.open(path, flags, 0o600)
    try:
        write_all(file, whole[:cut])
    finally:
        os.close(file)
    return Draft(path, bucket, bytes(whole[cut:]), len(whole))


def finish_parts(drafts: Sequence[Draft]) -> tuple[PartFacts, ...]:
    """Fill every part up to the one size, and make it durable.

    :raises OSError: the disk is full.
    """
    target = size_class(max(draft.size for draft in drafts) + _SIZE_OF_FILLER)
    return tuple(_filled(draft, target - draft.size) for draft in drafts)


def _encrypted(rows: pl.DataFrame, keys: Mapping[str, bytes], aad: bytes) -> memoryview:
    buffer = io.BytesIO()
    rows.write_parquet(
        buffer,
        compression="lz4",
        statistics=False,
        encryption=pl.ParquetEncryptionProperties(
            footer_key=keys[""],
            column_keys={name: keys[name] for name in rows.columns},
            aad_prefix=aad,
            store_aad_prefix=False,
        ),
    )
    return buffer.getbuffer()


def _filled(draft: Draft, filler: int) -> PartFacts:
    """Append ``filler`` bytes that look like one more encrypted page, then the footer.

    Columns are found by absolute offsets, and the footer from the end, so bytes
    between the last page and the footer belong to nothing (Parquet, File Format).
    """
    file = os.open(draft.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    try:
        write_all(file, (filler - 4).to_bytes(4, "little"))
        write_all(file, secrets.token_bytes(filler - 4))
        write_all(file, draft.footer)
        os.fsync(file)
        size = os.fstat(file).st_size
    finally:
        os.close(file)
    return PartFacts(draft.path.name, draft.bucket, size, footer_digest(draft.footer))
