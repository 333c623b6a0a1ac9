"""Write a table version: an owner's rows as encrypted parts.

Run by the owner.  Rows go to buckets by a keyed pseudonym of their unit and are
sorted by it, inside a unit by a secret tag of their content; so a later bound
on rows per unit keeps a secret sample that does not depend on the file's order.
The unit's own id is not stored.  Each part is Parquet under Modular Encryption
(AES-GCM, 256 bit, encrypted footer, a key per column); all parts of a version
have one size from a coarse grid (``docs/spec/table.md``).
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from privlab.connector.manifest import UNIT_COLUMNS, PartFacts, key_names
from privlab.connector.parts import aad_prefix, footer_digest, footer_length, part_name
from privlab.connector.scan import casts, open_source, outside, present, source_schema, unreadable
from privlab.connector.versions import new_version
from privlab.errors import BadContract
from privlab.kernels.rowtag import fold_texts, fold_words
from privlab.terms.catalog import Kind, Table
from privlab.terms.contract import Contract

ROWS_PER_BUCKET = 1 << 17
MAX_BUCKETS = 256
SMALLEST_PART = 1 << 16
KEY_BYTES = 32

_TAG = "privlab_tag"
_HI, _LO = UNIT_COLUMNS
_SIZE_OF_FILLER = 32

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """What the owner should know about her file.  Computed from rows: for her eyes only.

    without_unit: rows whose unit is null.  unreadable: values that are not of
    their column's type.  outside: values outside the stated range or keys.
    unexpected_nulls: nulls in columns stated as never null.  Only columns with
    at least one such value are listed.
    """

    rows_read: int
    rows_kept: int
    without_unit: int
    units: int
    unreadable: Mapping[str, int] = field(default_factory=dict)
    outside: Mapping[str, int] = field(default_factory=dict)
    unexpected_nulls: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Protected:
    """The written parts, the fresh data keys (``""`` is the footer's), and the counts."""

    parts: tuple[PartFacts, ...]
    keys: dict[str, bytes]
    counts: Counts

    def __repr__(self) -> str:
        return f"Protected({len(self.parts)} parts, {len(self.keys)} keys)"


def protect(
    source: Path,
    contract: Contract,
    *,
    version: int,
    unit_key: bytes,
    order_key: bytes,
    folder: Path,
    progress: Progress | None = None,
) -> Protected:
    """Write ``source`` as version ``version`` into ``folder``, whole or not at all.

    unit_key: 32 secret bytes, the same for every table of the dataset.
    order_key: 32 secret bytes of this version.
    progress: hears (steps done, steps in all).

    :raises BadContract: PL151, the file does not fit the contract, has more rows
        than ``row_cap``, or the version exists already.
    """
    table = contract.table(version)
    buckets = bucket_count(table.row_cap)
    step = _steps(progress, buckets + 4)
    frame, counts = _read(source, contract)
    step()
    frame, units = _with_pseudonyms(frame, contract, unit_key)
    step()
    tags = pl.Series(_TAG, _row_tags(frame, table, order_key))
    frame = _collect(frame.lazy().with_columns(tags).sort(_HI, _LO, _TAG).drop(_TAG))
    step()
    keys = {name: secrets.token_bytes(KEY_BYTES) for name in key_names(table)}
    with new_version(folder) as draft:
        parts = _write(frame, table, buckets, keys, draft, step)
    step()
    kept = Counts(
        rows_read=counts.rows_read,
        rows_kept=frame.height,
        without_unit=counts.without_unit,
        units=units,
        unreadable=counts.unreadable,
        outside=counts.outside,
        unexpected_nulls=counts.unexpected_nulls,
    )
    return Protected(parts, keys, kept)


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


def _collect(frame: pl.LazyFrame) -> pl.DataFrame:
    """In memory: the streaming engine may spill plain rows to a temporary file."""
    return frame.collect(engine="in-memory")


def _steps(progress: Progress | None, total: int) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return step


def _read(source: Path, contract: Contract) -> tuple[pl.DataFrame, Counts]:
    """The contract's columns, read and counted, without rows that have no unit."""
    stated = contract.stated
    scanned = open_source(source)
    schema = source_schema(scanned, source.name)
    readers = casts(schema, contract)
    raw = {name: present(name, schema[name], contract.null_values) for name in readers}
    try:
        rows = _collect(
            scanned.select(
                *(expr.alias(name) for name, expr in readers.items()),
                *(
                    (raw[name].is_not_null() & expr.is_null()).alias(f"{_TAG}{name}")
                    for name, expr in readers.items()
                ),
            )
        )
    except (pl.exceptions.PolarsError, OSError, UnicodeError):
        raise unreadable(source.name) from None
    names = list(readers)
    unreadable_values = {name: int(rows[f"{_TAG}{name}"].sum()) for name in names}
    if unreadable_values[stated.unit]:
        raise BadContract(
            f"{unreadable_values[stated.unit]:,} ids in {stated.unit} are not of the stated type",
            code="PL151",
            hint=f'state type = "text" for {stated.unit}: rows of different people '
            "must not become rows without an id",
        )
    frame = rows.select(names)
    del rows
    read = frame.height
    without = frame[stated.unit].null_count()
    if contract.null_unit == "drop":
        frame = frame.filter(frame[stated.unit].is_not_null())
    if frame.height > stated.row_cap:
        raise BadContract(
            f"the file has {frame.height:,} rows, above row_cap = {stated.row_cap:,}",
            code="PL151",
            hint="raise row_cap in the contract; it must bound every later version too",
        )
    tests = {c.name: test for c in stated.columns if (test := outside(c)) is not None}
    outsiders = _collect(
        frame.lazy().select(test.sum().alias(name) for name, test in tests.items())
    )
    nulls = {
        c.name: frame[c.name].null_count()
        for c in stated.columns
        if not c.nullable and c.name != stated.unit
    }
    counts = Counts(
        rows_read=read,
        rows_kept=frame.height,
        without_unit=without,
        units=0,
        unreadable=_some(unreadable_values),
        outside=_some(outsiders.row(0, named=True) if tests else {}),
        unexpected_nulls=_some(nulls),
    )
    return frame, counts


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: int(count) for name, count in counts.items() if count}


def _with_pseudonyms(
    frame: pl.DataFrame, contract: Contract, unit_key: bytes
) -> tuple[pl.DataFrame, int]:
    """Replace the unit's column by two 64-bit halves of its pseudonym."""
    unit = contract.stated.unit
    distinct = frame[unit].unique()
    texts = distinct.cast(pl.String).to_list()
    digests = b"".join(pseudonym(unit_key, text) for text in texts)
    halves = np.frombuffer(digests, dtype=">u8").astype(np.uint64).reshape(-1, 2)
    names = pl.DataFrame(
        {
            unit: distinct,
            _HI: np.ascontiguousarray(halves[:, 0]),
            _LO: np.ascontiguousarray(halves[:, 1]),
        }
    )
    joined = frame.lazy().join(names.lazy(), on=unit, how="left", nulls_equal=True)
    return _collect(joined.drop(unit)), len(texts)


def pseudonym(unit_key: bytes, unit: str | None) -> bytes:
    """16 bytes that stand for a unit: keyed BLAKE2b (RFC 7693) of its canonical text.

    The text is the decimal of a whole number, else the id itself, so that tables
    of one dataset agree on a unit whatever type its column has.  None is the one
    unit of all rows without one.
    """
    content = b"\0" if unit is None else b"\1" + unit.encode("utf-8")
    return hashlib.blake2b(
        content, digest_size=16, key=unit_key, person=b"privlab/unit/v1"
    ).digest()


def _row_tags(frame: pl.DataFrame, table: Table, order_key: bytes) -> np.ndarray[Any, Any]:
    """The secret tag of each row: over its unit's pseudonym and all its values."""
    seed = hashlib.blake2b(order_key, digest_size=16, person=b"privlab/rows/v1").digest()
    key0, key1 = (np.uint64(int.from_bytes(half, "little")) for half in (seed[:8], seed[8:]))
    state = frame[_HI].to_numpy().copy()
    everywhere = np.ones(frame.height, dtype=np.bool_)
    fold_words(state, frame[_LO].to_numpy(), everywhere, np.uint64(0), key0, key1)
    columns = sorted((c for c in table.columns if c.name != table.unit), key=lambda c: c.name)
    for position, column in enumerate(columns, 1):
        series = frame[column.name]
        there = series.is_not_null().to_numpy()
        place = np.uint64(position)
        if column.kind is Kind.TEXT:
            offsets, data = _text_buffers(series)
            fold_texts(state, offsets, data, there, place, key0, key1)
        else:
            fold_words(state, _words(series, column.kind), there, place, key0, key1)
    return state


def _words(series: pl.Series, kind: Kind) -> np.ndarray[Any, Any]:
    """Values as 64-bit words; whatever where they are null."""
    if kind is Kind.FLOAT:
        return np.ascontiguousarray(series.fill_null(0.0).to_numpy()).view(np.uint64)
    whole = series.to_physical().cast(pl.Int64).fill_null(0)
    return np.ascontiguousarray(whole.to_numpy()).view(np.uint64)


def _text_buffers(series: pl.Series) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Offsets and UTF-8 bytes of a text column (Arrow's large_string)."""
    array = series.fill_null("").rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = array.buffers()
    count = len(array) + 1
    start = array.offset
    bounds = np.frombuffer(offsets, dtype=np.int64, count=count, offset=8 * start)
    return bounds, np.frombuffer(data if data is not None else b"", dtype=np.uint8)


def _write(
    frame: pl.DataFrame,
    table: Table,
    buckets: int,
    keys: Mapping[str, bytes],
    draft: Path,
    step: Callable[[], None],
) -> tuple[PartFacts, ...]:
    """Write every bucket, then fill all files up to one size."""
    high = frame[_HI].to_numpy()
    firsts = np.array([(b << 64) // buckets for b in range(1, buckets)], dtype=np.uint64)
    cuts = [0, *np.searchsorted(high, firsts, side="left").tolist(), frame.height]
    order = [_HI, _LO, *(c.name for c in table.columns if c.name != table.unit)]
    footers: list[bytes] = []
    sizes: list[int] = []
    for bucket in range(buckets):
        rows = frame[cuts[bucket] : cuts[bucket + 1]].select(order)
        whole = _encrypted(rows, keys, aad_prefix(table.dataset, table.name, table.version, bucket))
        cut = len(whole) - footer_length(whole[-8:])
        _path(draft, bucket).write_bytes(whole[:cut])
        footers.append(bytes(whole[cut:]))
        sizes.append(len(whole))
        step()
    target = size_class(max(sizes) + _SIZE_OF_FILLER)
    return tuple(
        _filled(_path(draft, bucket), bucket, footers[bucket], target - sizes[bucket])
        for bucket in range(buckets)
    )


def _path(draft: Path, bucket: int) -> Path:
    return draft / part_name(bucket)


def _encrypted(rows: pl.DataFrame, keys: Mapping[str, bytes], aad: bytes) -> bytes:
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
    return buffer.getvalue()


def _filled(path: Path, bucket: int, footer: bytes, filler: int) -> PartFacts:
    """Append ``filler`` bytes that look like one more encrypted page, then the footer.

    Columns are found by absolute offsets, and the footer from the end, so bytes
    between the last page and the footer belong to nothing (Parquet, File Format).
    """
    with path.open("ab") as file:
        file.write((filler - 4).to_bytes(4, "little"))
        file.write(secrets.token_bytes(filler - 4))
        file.write(footer)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    path.chmod(0o600)
    return PartFacts(path.name, bucket, size, footer_digest(footer))
