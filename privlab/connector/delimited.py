"""A CSV or TSV file in blocks that end where a record ends.

Every field is a text; the contract gives the types.  A line break inside quotes
ends no record: outside quotes their number so far is even, since a quote inside
quotes is written twice (RFC 4180).
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from privlab.errors import BadContract

BLOCK = 8 << 20
"""Bytes read at a time, and of a block where a record does not need more."""

LONGEST = 256 << 20
"""Bytes of a block at most: a quote that is never closed must not fill the memory."""

_GZIP = b"\x1f\x8b"
_QUOTE = b'"'
_TWICE = re.compile(r"(.*)_duplicated_\d+", re.DOTALL)
"""What Polars calls a column whose name the header has already."""


class Delimited:
    """A `Source` of one file with one header line."""

    def __init__(self, path: Path, separator: str, block: int = BLOCK) -> None:
        """:raises OSError, EOFError: the file cannot be read.

        :raises BadContract: PL151, two columns have one name.
        """
        self.name = path.name
        self.rows: int | None = None
        self._path = path
        self._separator = separator
        self._block = block
        head = next(self._blocks(), b"")
        self.schema = self._scan(head, first=True).collect_schema()
        twice = [found[1] for name in self.schema if (found := _TWICE.fullmatch(name))]
        if any(name in self.schema for name in twice):
            raise BadContract(
                f"{path.name} has several columns of one name",
                code="PL151",
                hint="give each its own name in the header line",
            )

    def reads(self, columns: Sequence[pl.Expr]) -> Iterator[_Block]:
        for number, block in enumerate(self._blocks()):
            yield _Block(self._scan(block, first=number == 0).select(columns))

    def proposed(self, rows: int) -> pl.Schema:
        """The types that the first rows of the file look like.

        :raises OSError, EOFError, PolarsError: the file cannot be read.
        """
        return pl.scan_csv(
            io.BytesIO(next(self._blocks(), b"")),
            separator=self._separator,
            infer_schema_length=rows,
            try_parse_dates=True,
            glob=False,
        ).collect_schema()

    def _scan(self, block: bytes, *, first: bool) -> pl.LazyFrame:
        if first:
            return pl.scan_csv(
                io.BytesIO(block), separator=self._separator, infer_schema=False, glob=False
            )
        return pl.scan_csv(
            io.BytesIO(block),
            separator=self._separator,
            has_header=False,
            schema=self.schema,
            glob=False,
        )

    def _blocks(self) -> Iterator[bytes]:
        with _opened(self._path) as file:
            kept = b""
            while read := file.read(self._block):
                kept += read
                cut = last_record_end(kept)
                if cut:
                    yield kept[:cut]
                    kept = kept[cut:]
                elif len(kept) > LONGEST:
                    raise OSError("a record without an end")
            if kept:
                yield kept


class _Block:
    def __init__(self, plan: pl.LazyFrame) -> None:
        self._plan = plan

    def __call__(self) -> pl.DataFrame:
        """Reads every field, also of columns that nobody asked for: a line with too many is wrong."""
        whole = pl.QueryOptFlags(projection_pushdown=False)
        return self._plan.collect(engine="in-memory", optimizations=whole)


def last_record_end(block: bytes) -> int:
    """Where the last whole record of a block that begins with one ends; 0: it has none."""
    end = len(block)
    quotes = block.count(_QUOTE)
    while (cut := block.rfind(b"\n", 0, end)) >= 0:
        quotes -= block.count(_QUOTE, cut, end)
        if quotes % 2 == 0:
            return cut + 1
        end = cut
    return 0


def _opened(path: Path) -> BinaryIO | gzip.GzipFile:
    file = path.open("rb")
    head = file.read(2)
    file.seek(0)
    if head == _GZIP:
        file.close()
        return gzip.open(path, "rb")
    return file
