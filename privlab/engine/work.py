"""A batch of whole units becomes exact sums and samples: the one place where rows are bounded.

Polars works out what is more than a column, the kernels keep rows and add.  Batches
hold whole units, so their sums just add and their samples stand side by side.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.connector.bucket import Bucket
from privlab.connector.manifest import UNIT_COLUMNS
from privlab.engine.cells import group_tags
from privlab.engine.columns import ALL, Adder, Coding, Flags, Shorts, selected, told_apart
from privlab.engine.expressions import translate
from privlab.engine.found import Found, labelled, put_together, tags_of
from privlab.engine.samples import Exact, Ints, Sample, numbers
from privlab.engine.totals import Totals
from privlab.engine.units import Units
from privlab.kernels import adding, bounding
from privlab.query.plan import MeasureKind, Plan

MEASURES_PER_PASS = 8
"""So many measures of a batch are in memory at once."""

SAMPLED = (MeasureKind.DISTINCT, MeasureKind.QUANTILE)
"""Measures that need the kept rows themselves."""

Rows = pl.LazyFrame | Bucket
"""The rows of whole units: with the pseudonym in each, or beside an array of the units."""

Opener = Callable[[], Rows]
"""The rows of one batch, decrypted when it is called."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Of every kept row its place, its group, and whether it is the first of its unit there."""

    rows: Shorts
    codes: Shorts
    fresh: Flags


@dataclass(frozen=True, slots=True)
class Pass:
    """Measures that are worked out together."""

    measures: tuple[int, ...]
    adders: tuple[Adder, ...]
    exprs: tuple[pl.Expr, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What is the same for every batch of a table."""

    plan: Plan
    passes: tuple[Pass, ...]
    coding: Coding | None
    tags: NDArray[np.uint64]
    key: NDArray[np.uint64]

    @classmethod
    def of(cls, plan: Plan, bounding_key: bytes) -> Work:
        """bounding_key: 16 bytes."""
        key = np.frombuffer(bounding_key, dtype="<u8").astype(np.uint64)
        return cls(
            plan,
            tuple(_pass(plan, group, key) for group in passes(plan)),
            None if plan.thresholded else Coding.of(plan),
            np.zeros(0, dtype=np.uint64) if plan.thresholded else group_tags(plan),
            key,
        )

    def exact(self, batches: Sequence[Opener]) -> Exact:
        """The exact sums and samples of all batches: secret."""
        threads = threads_for(batches)
        totals = Totals(len(self.plan.measures), self.plan.cells, threads)
        with ThreadPoolExecutor(max_workers=threads) as pool:
            samples = list(pool.map(lambda rows: self._bounded(rows(), totals), batches))
        return finished(self.plan, totals.together(), samples)

    def find(self, batches: Sequence[Opener]) -> Found:
        """The groups that all batches hold, and as `exact` of each."""
        with ThreadPoolExecutor(max_workers=threads_for(batches)) as pool:
            return put_together(self.plan, pool.map(lambda rows: self.found(rows()), batches))

    def _bounded(self, rows: Rows, totals: Totals) -> dict[int, Sample]:
        """rows: with the plan's columns."""
        return Batch(self, rows, None, self.tags).added(totals)

    def found(self, rows: Rows) -> Found:
        """The groups that one batch holds, and the exact sums and samples of each."""
        named = sorted(self.plan.named)
        if isinstance(rows, Bucket):
            read = rows.rows.select(named) if named else rows.rows
        else:
            read = rows.select(*UNIT_COLUMNS, *named)
        held = read.collect(engine="in-memory")  # once: rows and codes are side by side
        codes, labels = labelled(self.plan, held)
        lazy = held.lazy()
        again: Rows = replace(rows, rows=lazy) if isinstance(rows, Bucket) else lazy
        totals = Totals(len(self.plan.measures), labels.height, 1)
        samples = Batch(self, again, codes, tags_of(self.plan, labels)).added(totals)
        return Found(labels, Exact(totals.together(), samples))


class Batch:
    """One batch at work.  codes: the group of each row, where it is not worked out with the rest."""

    def __init__(
        self, work: Work, rows: Rows, codes: Ints | None, tags: NDArray[np.uint64]
    ) -> None:
        self._work = work
        self._scan = rows.rows if isinstance(rows, Bucket) else rows
        self._tags = tags
        self._first = 0 if work.coding is None else work.coding.first
        self._none = -1 if work.coding is None else work.coding.none
        self._codes = codes
        self._units = Units.of_bucket(rows) if isinstance(rows, Bucket) else None
        self._all: Kept | None = None

    def added(self, totals: Totals) -> dict[int, Sample]:
        """Add every measure's sums to ``totals``; what is no sum is returned."""
        samples: dict[int, Sample] = {}
        for one in self._work.passes:
            frame = self._worked_out(one)
            j = one.measures[0]
            if self._work.plan.measures[j].kind in SAMPLED:
                samples[j] = self._sample(frame, j)
            elif one.adders:
                self._add(frame, one, totals)
            else:
                self._add_units(frame, j, totals)
        return samples

    def _worked_out(self, one: Pass) -> pl.DataFrame:
        """The columns of a pass; with the first one, units and groups as well."""
        coding = self._work.coding if self._codes is None else None
        also = [] if self._units is not None else [pl.col(name) for name in UNIT_COLUMNS]
        if coding is not None and coding.expr is not None:
            also.append(coding.expr.alias("code"))
        names = [expr.meta.output_name() for expr in (*also, *one.exprs)]
        frame = pl.DataFrame()
        if names:
            asked = self._scan.with_columns(*also, *one.exprs).select(names)
            frame = asked.collect(engine="in-memory")
        if self._units is None:
            self._units = Units.of_rows(frame)
        if coding is not None:
            nowhere = coding.expr is None
            self._codes = (
                np.zeros(self._units.height, dtype=np.int64)
                if nowhere
                else coding.codes(frame["code"])
            )
        if names and frame.height != self._units.height:
            raise RuntimeError("a part's rows and its units disagree")
        return frame

    def _keep(self, codes: Ints, rows: int, rows_per_group: int) -> Kept:
        units, size = self.units, codes.size
        kept = Kept(np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.bool_))
        count = bounding.keep(
            units.hi,
            units.lo,
            units.rows,
            codes,
            self._first,
            self._tags,
            rows,
            rows_per_group,
            self._work.plan.bound.groups,
            self._work.key,
            kept.rows,
            kept.codes,
            kept.fresh,
        )
        if count < 0:
            raise RuntimeError("the kernel refused its input")
        return Kept(kept.rows[:count], kept.codes[:count], kept.fresh[:count])

    @property
    def units(self) -> Units:
        """Known with the first pass."""
        if self._units is None:
            raise RuntimeError("no pass was made")
        return self._units

    @property
    def codes(self) -> Ints:
        """The group of each row, as the kernel takes it."""
        if self._codes is None:
            raise RuntimeError("no pass was made")
        return self._codes

    def _every(self) -> Kept:
        """The rows that count, worked out once."""
        if self._all is None:
            bound = self._work.plan.bound
            self._all = self._keep(self.codes, bound.rows, bound.rows_per_group)
        return self._all

    def _add(self, frame: pl.DataFrame, one: Pass, totals: Totals) -> None:
        kept = self._every()
        with totals.turn() as sums:
            for j, adder in zip(one.measures, one.adders, strict=True):
                adder.add(frame, kept.rows, kept.codes, sums[j])

    def _add_units(self, frame: pl.DataFrame, j: int, totals: Totals) -> None:
        """One in each of the groups of a unit, which pays for groups and not for rows."""
        one = self._work.plan.measures[j]
        if (
            one.of is None
            and self._all is not None
            and self.units.largest <= self._work.plan.bound.rows
        ):
            codes = self._all.codes[self._all.fresh]  # all rows of each unit are looked at
        else:
            codes = self._firsts(None if one.of is None else frame[f"valid{j}"]).codes
        with totals.turn() as sums:
            adding.add_ones(codes, codes, ALL, sums[j])

    def _firsts(self, valid: pl.Series | None) -> Kept:
        """The first row of each unit in each of its groups; of those that are valid."""
        codes = self.codes
        if valid is not None:
            codes = np.where(valid.to_numpy(), codes, self._none)
        return self._keep(codes, bounding.MOST, 1)

    def _sample(self, frame: pl.DataFrame, j: int) -> Sample:
        """The rows that are kept for a measure that is no sum, each with its number.

        A choice takes one value of each unit in a group, and pays for groups, so it
        needs no other bound on rows: the first row that has a value.
        """
        chosen = self._work.plan.measures[j].chosen
        valid = frame[f"valid{j}"]
        kept = self._firsts(valid) if chosen else self._every()
        there = valid.to_numpy()[kept.rows]
        rows, codes = kept.rows[there], kept.codes[there].astype(np.int64)
        sample = Sample(codes, numbers(frame[f"value{j}"])[rows])
        return sample if chosen else sample.unique()


def threads_for(batches: Sequence[Opener]) -> int:
    """How many batches are worked on at once."""
    return max(1, min(len(batches), os.cpu_count() or 1))


def finished(plan: Plan, sums: Ints, parts: Sequence[Mapping[int, Sample]]) -> Exact:
    """What all batches hold together."""
    samples: dict[int, list[Sample]] = {}
    for part in parts:
        for j, sample in part.items():
            samples.setdefault(j, []).append(sample)
    merged = {j: Sample.merged(found) for j, found in samples.items()}
    for j, one in enumerate(plan.measures):
        if one.kind is MeasureKind.DISTINCT and j in merged:
            sums[j] = merged.pop(j).unique().sizes(sums.shape[1])
    return Exact(sums, merged)


def passes(plan: Plan) -> Iterator[list[int]]:
    """Measures that share one pass; what has rows of its own, or is no sum, has one alone.

    Few at a time, so that the memory of a batch follows from its rows alone: all
    rows of a table may be one unit's, and then they are in one batch.
    """
    alone = [
        j
        for j, one in enumerate(plan.measures)
        if one.kind in SAMPLED or one.kind is MeasureKind.UNITS
    ]
    together = [j for j in range(len(plan.measures)) if j not in alone]
    for start in range(0, len(together), MEASURES_PER_PASS):
        yield together[start : start + MEASURES_PER_PASS]
    for j in alone:
        yield [j]


def _pass(plan: Plan, group: list[int], key: NDArray[np.uint64]) -> Pass:
    """Of what is added its columns; of what is not, ``value`` and ``valid`` of every row."""
    first = plan.measures[group[0]]
    if first.kind is not MeasureKind.UNITS and first.kind not in SAMPLED:
        adders = tuple(Adder.of(j, plan.measures[j]) for j in group)
        return Pass(tuple(group), adders, tuple(selected(adders)))
    if first.of is None:
        return Pass(tuple(group), (), ())
    j, value = group[0], translate(first.of)
    exprs = [value.expr.is_not_null().alias(f"valid{j}")]
    if first.kind in SAMPLED:
        exprs.append(told_apart(first, value, key).alias(f"value{j}"))
    return Pass(tuple(group), (), tuple(exprs))
