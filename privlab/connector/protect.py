"""Write a table version: an owner's rows as encrypted parts, whatever their number.

Run by the owner.  Rows go to buckets by a keyed pseudonym of their unit and are
sorted by it, inside a unit by a secret tag of their content; so a later bound
on rows per unit keeps a secret sample that does not depend on the file's order.
The unit's own id is not stored (``docs/spec/table.md``).

Two passes, each on two threads.  The first reads pieces of the source and spills
their rows into encrypted buckets without a name; the second sorts one bucket at a
time and writes its part.  Memory holds two pieces, then two buckets: it does not
grow with the source, only with what falls into one bucket.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from privlab.connector.arrange import ordered
from privlab.connector.counts import Counter, Counts, Reading, reading
from privlab.connector.datakeys import DataKeys
from privlab.connector.manifest import UNIT_COLUMNS, PartFacts, key_names
from privlab.connector.pseudonyms import Pseudonyms
from privlab.connector.scan import DTYPES
from privlab.connector.source import UNREADABLE, Read, Source, open_source, unreadable
from privlab.connector.spill import Spill
from privlab.connector.versions import disk_full_told, new_version
from privlab.connector.write import Draft, bucket_count, draft_part, finish_parts
from privlab.kernels.buckets import partition
from privlab.terms.catalog import Table
from privlab.terms.contract import Contract

WORKERS = 2

LARGE_BUCKET = 96 << 20
"""Spilled bytes of a bucket above which buckets are written one after the other."""

_HI, _LO = UNIT_COLUMNS

Progress = Callable[[str, int, int | None], None]
"""Hears the phase, the rows done, and the rows in all where that is known."""

READING, WRITING, FINISHING = "reading", "writing", "finishing"

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Protected:
    """The written parts in the order of their buckets, the fresh data keys, and the counts."""

    parts: tuple[PartFacts, ...]
    keys: DataKeys
    counts: Counts

    def __repr__(self) -> str:
        return f"Protected({len(self.parts)} parts)"


def protect(
    source: Path | Source,
    contract: Contract,
    *,
    version: int,
    unit_key: bytes,
    order_key: bytes,
    folder: Path,
    progress: Progress | None = None,
) -> Protected:
    """Write ``source`` as version ``version`` into ``folder``, whole or not at all.

    source: a path as in `open_source`, or an opened source.
    unit_key: 32 secret bytes, the same for every table of the dataset.
    order_key: 32 secret bytes of this version.

    :raises BadContract: PL151, the source does not fit the contract, has more rows
        than ``row_cap``, or the version exists already;
        PL153, the disk is full; nothing of the version is left then.
    """
    opened = open_source(source) if isinstance(source, Path) else source
    table = contract.table(version)
    how = reading(opened.schema, contract)
    work = _Work(table, order_key, Counter(contract, how), progress or _silent)
    buckets = bucket_count(table.row_cap)
    keys = DataKeys.fresh(key_names(table), range(buckets))
    with (
        disk_full_told(table.name),
        new_version(folder) as draft,
        closing(Spill(draft, buckets)) as spill,
    ):
        work.scatter(opened, how, spill, Pseudonyms(unit_key))
        counts = work.counter.accepted()
        drafts, units = work.gather(spill, keys, draft, counts.rows_kept)
        work.progress(FINISHING, counts.rows_kept, counts.rows_kept)
        parts = finish_parts(drafts, version)
    return Protected(parts, keys, counts.of(units))


class _Work:
    """What both passes share: the table, the keys of its order, and what is counted."""

    def __init__(
        self, table: Table, order_key: bytes, counter: Counter, progress: Progress
    ) -> None:
        self.table = table
        self.order_key = order_key
        self.counter = counter
        self.progress = progress
        self._lock = threading.Lock()

    def scatter(self, source: Source, how: Reading, spill: Spill, pseudonyms: Pseudonyms) -> None:
        """Read the source in pieces, count, and spill the rows by bucket."""

        def piece(read: Read) -> None:
            frame = self.counter.add(decoded(read, source.name))
            if frame.height and not self.counter.refused:
                self._spill(frame, spill, pseudonyms)
            with self._lock:
                self.progress(READING, self.counter.rows_read, source.rows)

        for _ in parallel(piece, reads(source, how), WORKERS):
            pass

    def _spill(self, frame: pl.DataFrame, spill: Spill, pseudonyms: Pseudonyms) -> None:
        unit = self.table.unit
        high, low = pseudonyms.of(frame[unit])
        frame = frame.drop(unit).with_columns(pl.Series(_HI, high), pl.Series(_LO, low))
        buckets = bucket_count(self.table.row_cap)
        order = np.empty(frame.height, dtype=np.uint32)
        starts = np.empty(buckets + 1, dtype=np.int64)
        partition(high, buckets.bit_length() - 1, order, starts)
        frame = frame[order]
        for bucket in range(buckets):
            rows = frame[int(starts[bucket]) : int(starts[bucket + 1])]
            if rows.height:
                spill.put(bucket, rows)

    def gather(
        self, spill: Spill, keys: DataKeys, folder: Path, total: int
    ) -> tuple[list[Draft], int]:
        """Sort each bucket and write its part; the parts by bucket, and how many units."""
        buckets = bucket_count(self.table.row_cap)
        written = 0

        def write(bucket: int) -> tuple[Draft, int]:
            nonlocal written
            frame = spill.take(bucket)
            rows, units = ordered(
                self._empty() if frame is None else frame, self.table, self.order_key
            )
            del frame
            draft = draft_part(rows, units, bucket, self.table, keys.of(bucket), folder)
            with self._lock:
                written += rows.height
                self.progress(WRITING, written, total)
            return draft, units.height

        workers = 1 if spill.largest > LARGE_BUCKET else WORKERS
        done = list(parallel(write, range(buckets), workers))
        drafts = sorted((draft for draft, _ in done), key=lambda draft: draft.bucket)
        return drafts, sum(units for _, units in done)

    def _empty(self) -> pl.DataFrame:
        stored = {c.name: DTYPES[c.kind] for c in self.table.columns if c.name != self.table.unit}
        return pl.DataFrame(schema={_HI: pl.UInt64(), _LO: pl.UInt64(), **stored})


def parallel(do: Callable[[Task], Result], tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    """Results as they come; no more tasks are taken than there are workers.

    The first failure is raised once the tasks under way have ended.
    """
    with ThreadPoolExecutor(workers) as pool:
        running: set[Future[Result]] = set()
        for task in tasks:
            running.add(pool.submit(do, task))
            if len(running) >= workers:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in ended)
        yield from (future.result() for future in running)


def reads(source: Source, how: Reading) -> Iterator[Read]:
    """Reads of a source; that it cannot be decoded is said in our words."""
    try:
        yield from source.reads(how.columns)
    except UNREADABLE:
        raise unreadable(source.name) from None


def decoded(read: Read, name: str) -> pl.DataFrame:
    """A piece; that it cannot be decoded is said in our words."""
    try:
        return read()
    except UNREADABLE:
        raise unreadable(name) from None


def _silent(_phase: str, _done: int, _total: int | None) -> None:
    """Nobody listens."""
