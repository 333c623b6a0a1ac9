"""A bucket's rows and units as two encrypted files, and all files of a kind of one size.

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

from privlab.connector.parts import (
    ROWS,
    UNITS,
    FileFacts,
    PartFacts,
    aad_prefix,
    file_name,
    footer_digest,
    footer_length,
)
from privlab.connector.spill import write_all
from privlab.terms.catalog import Table

ROWS_PER_BUCKET = 1 << 19
"""Of the stated row cap.  Every file costs a question something, whatever is in it."""

MAX_BUCKETS = 256
SMALLEST_PART = 1 << 16

_SIZE_OF_FILLER = 32


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file without its end: its pages are on disk, its footer is held back."""

    path: Path
    footer: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A part of such files."""

    bucket: int
    rows: DraftFile
    units: DraftFile


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
    rows: pl.DataFrame,
    units: pl.DataFrame,
    bucket: int,
    table: Table,
    keys: Mapping[str, bytes],
    folder: Path,
) -> Draft:
    """Encrypt a bucket's rows and units, in the order they have, and write all but the footers.

    keys: of this bucket.

    :raises OSError: the disk is full.
    """

    def file(kind: str, frame: pl.DataFrame) -> DraftFile:
        aad = aad_prefix(table.dataset, table.name, table.version, bucket, kind)
        return _begun(folder / file_name(kind, bucket), _encrypted(frame, keys, aad))

    return Draft(bucket, file(ROWS, rows), file(UNITS, units))


def finish_parts(
    drafts: Sequence[Draft], version: int, least: tuple[int, int] = (0, 0)
) -> tuple[PartFacts, ...]:
    """Fill the files of each kind up to one size, and make them durable.

    least: of rows files and of units files, where parts beside them have a size already.

    :raises OSError: the disk is full.
    """
    largest_rows = _size([one.rows for one in drafts], least[0])
    largest_units = _size([one.units for one in drafts], least[1])
    return tuple(
        PartFacts(
            one.bucket, version, _filled(one.rows, largest_rows), _filled(one.units, largest_units)
        )
        for one in drafts
    )


def _size(drafts: Sequence[DraftFile], least: int) -> int:
    return max([least, *(size_class(one.size + _SIZE_OF_FILLER) for one in drafts)])


def _begun(path: Path, whole: memoryview) -> DraftFile:
    cut = len(whole) - footer_length(bytes(whole[-8:]))
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(file, whole[:cut])
    finally:
        os.close(file)
    return DraftFile(path, bytes(whole[cut:]), len(whole))


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


def _filled(draft: DraftFile, target: int) -> FileFacts:
    """Append bytes that look like one more encrypted page, then the footer: ``target`` in all.

    Columns are found by absolute offsets, and the footer from the end, so bytes
    between the last page and the footer belong to nothing (Parquet, File Format).
    """
    filler = target - draft.size - 4
    file = os.open(draft.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    try:
        write_all(file, filler.to_bytes(4, "little"))
        write_all(file, secrets.token_bytes(filler))
        write_all(file, draft.footer)
        os.fsync(file)
        size = os.fstat(file).st_size
    finally:
        os.close(file)
    return FileFacts(draft.path.name, size, footer_digest(draft.footer))
