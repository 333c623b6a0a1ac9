"""Rows made up from contracts alone, and a question put to them.

What it is for: practice.  The rows have the contract's types, ranges, keys and
nulls and as many rows per unit as it allows, spread evenly, so they look nothing
like real data; the same contract gives the same rows.  What it does not know:
files, keys, parts.  Everything after the rows is `privlab.engine.run`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.scan import DTYPES
from privlab.engine.expressions import fitted, nearest, saturated
from privlab.engine.practice import Practice
from privlab.engine.run import hidden, shown
from privlab.engine.sources import standing
from privlab.engine.work import Work
from privlab.kernels.rowtag import fold_words
from privlab.terms.catalog import Column, Kind, Table

MOST_ROWS = 20_000
"""Rows invented at most; a larger declared table is scaled down to it."""

ONE_NULL_IN = 16
"""A nullable column is null in about one row of so many."""

LEAST_UNITS = 20
"""No unit has more than this part of all rows, unless there are fewer rows than that."""

OPEN_RANGE = (Fraction(-1000), Fraction(1000))
"""Numbers of a column without a stated range."""

OPEN_DAYS = (date(2000, 1, 1), date(2029, 12, 31))
"""Days of a column without a stated range."""

OPEN_TEXTS = ("", *(f"invented {n}" for n in range(1, 100)))
"""Texts of a column without stated keys."""

OPEN_STEP = Fraction(1, 4)
"""Between the decimals of a column without a stated range."""

_DAY_SECONDS = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_BOUNDING_KEY = bytes(16)
"""Public: whose rows are left out of invented rows is nobody's secret."""

Words = NDArray[np.uint64]


def warm() -> None:
    """Nothing left to compile when a job comes."""
    nothing = np.zeros(0, dtype=np.uint64)
    fold_words(nothing, nothing, np.zeros(0, dtype=np.bool_), *([np.uint64(0)] * 3))


def release(job: Practice) -> Any:
    """As `privlab.engine.run.release`, over invented rows."""
    tables, reads = job.tables(), job.plan.reads
    made = {one.name: invented(one, reads[one.name], tables[0]).lazy() for one in tables}
    work, rows = Work.of(job.plan, _BOUNDING_KEY), standing(job.plan, made)
    if job.threshold is not None:
        return shown(job.plan, job.noises, job.threshold, work.find([lambda: rows]))
    return hidden(job.plan, job.noises, work.exact([lambda: rows]))


def row_count(table: Table) -> int:
    """How many rows are invented: the declared size, else the cap, and not too many."""
    return min(table.rows or table.row_cap, table.row_cap, MOST_ROWS)


def invented(table: Table, columns: frozenset[str], units_of: Table | None = None) -> pl.DataFrame:
    """Rows of the contract's ``columns`` and the pseudonym, those of one unit together.

    A column does not depend on which others there are.
    units_of: a table with which it shares its units, so that their rows meet.
    """
    count = row_count(table)
    units = _units(table, count)
    found = {
        name: _words(units_of or table, part, units, 0)
        for name, part in zip(UNIT_COLUMNS, ("unit hi", "unit lo"), strict=True)
    }
    made = [pl.Series(name, words) for name, words in found.items()]
    made += [
        _column(table, column, count)
        for column in table.columns
        if column.name in columns and column.name != table.unit
    ]
    return pl.DataFrame(made).sort(UNIT_COLUMNS, maintain_order=True)


def _units(table: Table, count: int) -> Words:
    """The unit of each row, uint64[count]: the first has most rows, the second one."""
    most = max(1, min(table.bound.rows, count // LEAST_UNITS))
    sizes = 1 + (_words(table, "rows of a unit", _counter(count), 0) % np.uint64(most))
    sizes[0] = most
    sizes[1:2] = 1
    return np.repeat(_counter(count), sizes.astype(np.int64))[:count]


def _counter(count: int) -> Words:
    return np.arange(count, dtype=np.uint64)


def _words(table: Table, what: str, of: Words, stream: int) -> Words:
    """SipHash-2-4 of each number under a public key of the table and ``what``, uint64[n]."""
    name = json.dumps([table.dataset, table.name, what]).encode("ascii")
    digest = hashlib.blake2b(name, digest_size=16, person=b"privlab/invented").digest()
    low, high = (np.uint64(int.from_bytes(half, "little")) for half in (digest[:8], digest[8:]))
    tags = np.zeros(of.size, dtype=np.uint64)
    fold_words(tags, of, np.ones(of.size, dtype=np.bool_), np.uint64(stream), low, high)
    return tags


@dataclass(frozen=True, slots=True)
class _Values:
    """All values of a column, numbered from 0.

    special: numbers of those that must occur.  at: numbers to values, uint64[n] to a series.
    """

    size: int
    special: range
    at: Callable[[Words], pl.Series]


def _column(table: Table, column: Column, count: int) -> pl.Series:
    """Evenly spread values; every key or both ends, and a null, where there are rows enough."""
    values, rows, what = _values(column), _counter(count), f"column {column.name}"
    numbers = _words(table, what, rows, 0) % np.uint64(values.size)
    places = np.argsort(_words(table, what, rows, 1), kind="stable")
    present = np.ones(count, dtype=np.bool_)
    if column.nullable:
        present = _words(table, what, rows, 2) % np.uint64(ONE_NULL_IN) != 0
    special = np.array(values.special[:count], dtype=np.uint64)
    numbers[places[: special.size]] = special
    present[places[: special.size]] = True
    if column.nullable:
        present[places[special.size : special.size + 1]] = False
    made = values.at(numbers).alias(column.name)
    return made.zip_with(
        pl.Series(present), pl.Series([None], dtype=made.dtype).new_from_index(0, count)
    )


def _values(column: Column) -> _Values:
    low, high = column.low, column.high
    if column.keys is not None:
        return _listed(column.kind, column.keys)
    match column.kind:
        case Kind.BOOL:
            return _listed(Kind.BOOL, (False, True))
        case Kind.TEXT:
            return _listed(Kind.TEXT, OPEN_TEXTS)
        case Kind.INT | Kind.FLOAT:
            ends = OPEN_RANGE
            if isinstance(low, Fraction) and isinstance(high, Fraction):
                ends = (low, high)
            if column.kind is Kind.INT:
                return _whole(*ends)
            return _decimal(*ends, column.step or OPEN_STEP)
        case Kind.DATE | Kind.DATETIME:
            days = (low, high) if isinstance(low, date) and isinstance(high, date) else OPEN_DAYS
            return _times(column.kind, *days)


def _listed(kind: Kind, values: tuple[object, ...]) -> _Values:
    fit = [one for value in values if (one := fitted(value, kind)) is not None]  # type: ignore[arg-type]
    every = pl.Series(fit, dtype=DTYPES[kind])
    return _Values(len(fit), range(len(fit)), lambda numbers: every.gather(numbers))


def _ends(size: int) -> range:
    """The first and the last of ``size``."""
    return range(0, size, max(1, size - 1))


def _whole(low: Fraction, high: Fraction) -> _Values:
    first, last = saturated(ceil(low)), saturated(floor(high))
    size = min(last - first + 1, (1 << 64) - 1)
    start = np.uint64(first % (1 << 64))

    def at(numbers: Words) -> pl.Series:
        return pl.Series((numbers + start).view(np.int64))

    return _Values(size, _ends(size), at)


def _decimal(low: Fraction, high: Fraction, step: Fraction) -> _Values:
    size = floor((high - low) / step) + 1
    first, last, by = nearest(low), nearest(high), nearest(step)

    def at(numbers: Words) -> pl.Series:
        return pl.Series(np.minimum(first + numbers.astype(np.float64) * by, last))

    return _Values(size, _ends(size), at)


def _times(kind: Kind, low: date, high: date) -> _Values:
    first, days = low.toordinal() - _EPOCH, high.toordinal() - low.toordinal() + 1
    size = days if kind is Kind.DATE else days * _DAY_SECONDS

    def at(numbers: Words) -> pl.Series:
        if kind is Kind.DATE:
            return pl.Series(first + numbers.astype(np.int64)).cast(pl.Int32).cast(DTYPES[kind])
        seconds = first * _DAY_SECONDS + numbers.astype(np.int64)
        return pl.Series(seconds * 1_000_000).cast(DTYPES[kind])

    return _Values(size, _ends(size), at)
