"""An owner's rows, wherever they are, in pieces of bounded size.

A file, a folder or a pattern of files, a frame in memory, a database: each is a
`Source`, which knows its columns and hands out reads.  A read is done by whoever
calls it, on its thread, in memory: the streaming engine of Polars may keep plain
rows in a temporary file, so it is not used here.  Names and types alone are taken
from a source's schema; its metadata and statistics are ignored.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from privlab.connector.delimited import Delimited
from privlab.errors import BadContract

FORMATS = (".parquet", ".csv", ".csv.gz", ".tsv", ".arrow", ".ipc", ".feather")

CELLS = 1 << 22
"""Values of a piece, at most: half a million rows of eight columns."""

MOST_ROWS = 1 << 19

Read = Callable[[], pl.DataFrame]

UNREADABLE = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,  # no Exception: a value that Polars does not foresee
    pa.ArrowException,
    OSError,
    EOFError,
    UnicodeError,
)
"""What a source that cannot be decoded raises."""


class Source(Protocol):
    """Rows with a name for messages, columns with types, and a number where it is known."""

    name: str
    schema: pl.Schema
    rows: int | None

    def reads(self, columns: Sequence[pl.Expr]) -> Iterator[Read]:
        """Reads that together give every row once, as these expressions of its columns."""
        ...


class Scanned:
    """A file that Polars scans, or a frame in memory: slices of a lazy frame."""

    def __init__(self, name: str, frame: pl.LazyFrame, groups: Sequence[int]) -> None:
        """groups: the lengths of stretches that are best read whole (row groups)."""
        self.name = name
        self.schema = frame.collect_schema()
        self.rows: int | None = sum(groups)
        self._frame = frame
        self._groups = groups

    def reads(self, columns: Sequence[pl.Expr]) -> Iterator[Read]:
        most = piece(len(columns))
        for start, length in _stretches(self._groups, most):
            yield _Slice(self._frame, start, length, columns)


class _Slice:
    def __init__(
        self, frame: pl.LazyFrame, start: int, length: int, columns: Sequence[pl.Expr]
    ) -> None:
        self._plan = frame.slice(start, length).select(columns)

    def __call__(self) -> pl.DataFrame:
        return self._plan.collect(engine="in-memory")


class Stream:
    """Arrow record batches as they come, once."""

    def __init__(self, name: str, batches: Any) -> None:
        """batches: a ``pyarrow.RecordBatchReader``."""
        self.name = name
        self.schema = _frame(batches.schema.empty_table()).schema
        self.rows: int | None = None
        self._batches = batches

    def reads(self, columns: Sequence[pl.Expr]) -> Iterator[Read]:
        most = piece(len(columns))
        for batch in self._batches:
            for start in range(0, batch.num_rows, most):
                frame = _frame(pa.Table.from_batches([batch.slice(start, most)]))
                yield _Slice(frame.lazy(), 0, most, columns)


class Several:
    """Files of one format whose columns, as far as they are asked for, have the same types."""

    def __init__(self, name: str, files: Sequence[Path]) -> None:
        self.name = name
        self._files = files
        self.first = open_file(files[0])
        self.schema = self.first.schema
        self.rows: int | None = self.first.rows if len(files) == 1 else None

    def reads(self, columns: Sequence[pl.Expr]) -> Iterator[Read]:
        asked = sorted({name for column in columns for name in column.meta.root_names()})
        for number, file in enumerate(self._files):
            source = open_file(file) if number else self.first
            for name in asked:
                if source.schema.get(name) != self.schema[name]:
                    raise BadContract(
                        f"{file.name} has no column {name!r} of the type that "
                        f"{self.first.name} has",
                        code="PL151",
                        hint="all files of one table must have its columns, each of one type",
                    )
            yield from source.reads(columns)


def piece(columns: int) -> int:
    """Rows of one read of so many columns."""
    return max(1, min(MOST_ROWS, CELLS // max(1, columns)))


def open_source(place: Path | str) -> Source:
    """A file, every file of a folder, or the files that match a pattern, as `listed`.

    :raises BadContract: PL151, absent, of no known format, or of several.
    """
    path = Path(place)
    if path.is_file():
        return open_file(path)
    found = listed(place)
    formats = {_format(file) for file in found}
    if len(formats) > 1:
        raise BadContract(
            f"{path.name} holds files of several formats: {', '.join(sorted(formats))}",
            code="PL151",
            hint=f"name those of one format by a pattern: '{path}/*.parquet'",
        )
    return Several(path.name, found)


def listed(place: Path | str) -> list[Path]:
    """The files that a path or a pattern names.

    A folder's files are those directly in it and in its folders, but none whose
    name begins with "." or "_".

    :raises BadContract: PL151, there is none.
    """
    path = Path(place)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = sorted(
            file
            for file in path.rglob("*")
            if file.is_file()
            and not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
        )
    else:
        found = sorted(Path(name) for name in glob.glob(str(place), recursive=True))  # noqa: PTH207
        found = [file for file in found if file.is_file()]
    if not found:
        raise BadContract(f"there is no file {path.name}", code="PL151", hint="check the path")
    return found


def open_file(path: Path) -> Source:
    """One file, unread.  A CSV is all text: the contract gives the types.

    :raises BadContract: PL151, absent, of no known format or not readable.
    """
    if not path.is_file():
        raise BadContract(f"there is no file {path.name}", code="PL151", hint="check the path")
    form = _format(path)
    try:
        if form == "Parquet":
            metadata = pq.read_metadata(path)
            groups = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
            return Scanned(
                path.name, pl.scan_parquet(path, glob=False, hive_partitioning=False), groups
            )
        if form == "Arrow":
            scan = pl.scan_ipc(path, hive_partitioning=False)
            return Scanned(
                path.name, scan, [int(scan.select(pl.len()).collect(engine="in-memory").item())]
            )
        return Delimited(path, "\t" if form == "TSV" else ",")
    except UNREADABLE:
        raise unreadable(path.name) from None


def open_frame(frame: object) -> Source:
    """A Polars or pandas frame, or whatever gives an Arrow stream of rows.

    :raises BadContract: PL151, it is none, or a Polars frame that is not computed yet.
    """
    name = "the frame"
    if isinstance(frame, pl.DataFrame):
        return Scanned(name, frame.lazy(), [frame.height])
    if isinstance(frame, pl.LazyFrame):
        raise BadContract(
            "a LazyFrame has no rows yet, and computing it may put plain rows into a "
            "temporary file",
            code="PL151",
            hint="pass frame.collect(), or the file it scans",
        )
    if not hasattr(frame, "__arrow_c_stream__"):
        raise BadContract(
            f"a {type(frame).__name__} is no table",
            code="PL151",
            hint="pass a path, or a frame of Polars, pandas or another library that speaks Arrow",
        )
    try:
        return Stream(name, pa.RecordBatchReader.from_stream(frame))
    except UNREADABLE:
        raise unreadable(name) from None


def unreadable(name: str) -> BadContract:
    """The words for a source that cannot be decoded; they quote nothing of it."""
    return BadContract(
        f"{name} cannot be read in the format its name says",
        code="PL151",
        hint="check that it opens elsewhere; a CSV must be UTF-8 with one header line",
    )


def _format(path: Path) -> str:
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return "Parquet"
    if name.endswith((".arrow", ".ipc", ".feather")):
        return "Arrow"
    if name.endswith((".csv", ".csv.gz")):
        return "CSV"
    if name.endswith((".tsv", ".tsv.gz")):
        return "TSV"
    raise BadContract(
        f"{path.name} is of no format privlab reads",
        code="PL151",
        hint=f"save the table as one of: {', '.join(FORMATS)}",
    )


def _stretches(groups: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """(start, length) of reads: small groups together, large ones in pieces."""
    start = length = 0
    for group in groups:
        if length and length + group > most:
            yield start, length
            start, length = start + length, 0
        length += group
        while length > most:
            yield start, most
            start, length = start + most, length - most
    if length:
        yield start, length


def _frame(table: Any) -> pl.DataFrame:
    made = pl.from_arrow(table)
    if not isinstance(made, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return made
