"""Rows to noisy integers: the one place where decrypted rows are.

Per part: decrypt the plan's columns, evaluate its expressions to a group code
and an integer per measure, and let the kernel bound and sum, or mark the rows
that are kept.  Parts hold whole units, so their sums just add and their samples
stand side by side.  Then noise and choices, and only they leave.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.engine.cells import group_codes, group_tags
from privlab.engine.expressions import translate
from privlab.engine.found import Found, labelled, of_measures, put_together, tags_of
from privlab.engine.job import Job
from privlab.engine.samples import Exact, Ints, Sample, identity, numbers
from privlab.engine.sources import opened
from privlab.engine.steps import added
from privlab.engine.stored import batches
from privlab.kernels import bounding, keeping
from privlab.mechanisms.draw import add_noise
from privlab.mechanisms.entropy import Words
from privlab.mechanisms.quantile import quantile
from privlab.mechanisms.quantiles import quantiles
from privlab.query.labels import encode_labels, place_of
from privlab.query.plan import Measure, MeasureKind, Plan
from privlab.terms.noise import Choice, Mechanism

MEASURES_PER_PASS = 8
"""So many measures of a part are in memory at once."""

SAMPLED = (MeasureKind.DISTINCT, MeasureKind.QUANTILE)
"""Measures that need the kept rows themselves."""


def warm() -> None:
    """Nothing left to import or compile when a job comes."""
    with Words() as words:
        words.take(1)


def release(job: Job) -> Any:
    """What `Released.decode` reads: all that may leave this process.

    :raises IntegrityError: a part is not the one signed.
    """
    if job.threshold is not None:
        return shown(job.plan, job.noises, job.threshold, find(job))
    return hidden(job.plan, job.noises, measure(job))


def hidden(plan: Plan, noises: Sequence[Mechanism], exact: Exact) -> list[list[int]]:
    """``exact`` behind its noise, or what was chosen of it: one vector per measure."""
    released: list[list[int]] = []
    size = exact.sums.shape[1]
    together: dict[Measure, list[list[int]]] = {}
    for j, (one, mechanism) in enumerate(zip(plan.measures, noises, strict=True)):
        with Words() as words:
            if isinstance(mechanism, Choice):
                key = replace(one, q=None)
                if not one.among or key not in together:
                    cells = exact.samples[j].by_cell(size)
                    together[key] = [chosen(one, values, mechanism, words) for values in cells]
                at = one.among.index(one.q) if one.q is not None and one.among else 0
                released.append([answers[at] for answers in together[key]])
            else:
                row = np.ascontiguousarray(exact.sums[j])
                released.append(add_noise(row, mechanism, words).tolist())
    return released


def chosen(one: Measure, values: Ints, choice: Choice, words: Words) -> list[int]:
    """A quantile of one group's values, in steps, or all that it is chosen among."""
    if one.q is None:
        raise TypeError("only a quantile is chosen")
    low, high = int(one.low / one.step), int(one.high / one.step)
    inside = np.clip(values, low, high)
    if one.among:
        return quantiles(inside, low, high, one.among, choice.epsilon, words)
    return [quantile(inside, low, high, one.q, choice.epsilon, words)]


def shown(plan: Plan, noises: Sequence[Mechanism], threshold: int, found: Found) -> dict[str, Any]:
    """The groups whose noisy count of units reaches the threshold, behind their noise.

    A group that nobody counts in is none: it may be there for a unit that is in more
    groups than count, of which there can be any number.  Every other has noise of its
    own, and which are shown follows from noisy counts and labels alone.  Of the
    others nothing is kept, not even how many there were.
    """
    at = plan.tested
    found = found.only(np.flatnonzero(found.exact.sums[at] > 0))
    count = replace(plan, measures=(plan.measures[at],))
    (noisy,) = hidden(count, (noises[at],), of_measures(found.exact, [at]))
    counts = np.array(noisy, dtype=np.int64)
    reached = np.flatnonzero(counts >= threshold)
    largest = reached[np.argsort(-counts[reached], kind="stable")][: plan.cells]
    labels = found.labels_of(plan, largest)
    order = sorted(range(len(labels)), key=lambda place: place_of(labels[place]))
    places = largest[order] if order else largest
    found, counts = found.only(places), counts[places]
    others = [j for j in range(len(plan.measures)) if j != at]
    vectors = iter(
        hidden(
            replace(plan, measures=tuple(plan.measures[j] for j in others)),
            [noises[j] for j in others],
            of_measures(found.exact, others),
        )
    )
    return {
        "labels": encode_labels([labels[place] for place in order]),
        "vectors": [
            counts.tolist() if j == at else next(vectors) for j in range(len(plan.measures))
        ],
    }


def measure(job: Job) -> Exact:
    """The exact sums and samples: secret.

    :raises IntegrityError: a part is not the one signed.
    """
    work = Work.of(job.plan, job.bounding_key)
    ranges = batches(job.tables)
    with ThreadPoolExecutor(max_workers=min(len(ranges), os.cpu_count() or 1)) as pool:
        return gathered(job.plan, pool.map(lambda batch: work.bounded(opened(job, batch)), ranges))


def find(job: Job) -> Found:
    """The groups that rows hold, and the exact sums and samples of each: secret.

    :raises IntegrityError: a part is not the one signed.
    """
    work = Work.of(job.plan, job.bounding_key)
    ranges = batches(job.tables)
    with ThreadPoolExecutor(max_workers=min(len(ranges), os.cpu_count() or 1)) as pool:
        return put_together(
            job.plan, pool.map(lambda batch: work.found(opened(job, batch)), ranges)
        )


def gathered(plan: Plan, parts: Iterable[Exact]) -> Exact:
    """What all parts of a table hold together."""
    sums = np.zeros((len(plan.measures), plan.cells), dtype=np.int64)
    samples: dict[int, list[Sample]] = {}
    for found in parts:
        sums += found.sums
        for j, sample in found.samples.items():
            samples.setdefault(j, []).append(sample)
    merged = {j: Sample.merged(found) for j, found in samples.items()}
    for j, one in enumerate(plan.measures):
        if one.kind is MeasureKind.DISTINCT:
            sums[j] = merged.pop(j).unique().sizes(plan.cells)
    return Exact(sums, merged)


@dataclass(frozen=True, slots=True)
class Work:
    """What is the same for every part of a table."""

    plan: Plan
    passes: tuple[tuple[list[int], tuple[pl.Expr, ...]], ...]
    tags: NDArray[np.uint64]
    key: NDArray[np.uint64]

    @classmethod
    def of(cls, plan: Plan, bounding_key: bytes) -> Work:
        """bounding_key: 16 bytes."""
        key = np.frombuffer(bounding_key, dtype="<u8").astype(np.uint64)
        return cls(
            plan,
            tuple((group, tuple(_selected(plan, group, key))) for group in _passes(plan)),
            np.zeros(0, dtype=np.uint64) if plan.thresholded else group_tags(plan),
            key,
        )

    def bounded(self, scan: pl.LazyFrame) -> Exact:
        """The exact sums and the kept rows of one part, whose units are whole.

        scan: the plan's columns and the pseudonym, rows of one unit together.
        """
        return self._exact(scan, None, self.tags)

    def found(self, scan: pl.LazyFrame) -> Found:
        """The groups that one part holds, and as `bounded` of each."""
        read = scan.select(*UNIT_COLUMNS, *sorted(self.plan.named))
        rows = read.collect(engine="in-memory")  # once: rows and codes are side by side
        codes, labels = labelled(self.plan, rows)
        return Found(labels, self._exact(rows.lazy(), codes, tags_of(self.plan, labels)))

    def _exact(self, scan: pl.LazyFrame, codes: Ints | None, tags: NDArray[np.uint64]) -> Exact:
        """codes: the group of each row, where it is not worked out with the rest."""
        plan = self.plan
        sums = np.zeros((len(plan.measures), tags.size), dtype=np.int64)
        samples: dict[int, Sample] = {}
        for group, selected in self.passes:
            rows = scan.select(selected).collect(engine="in-memory")
            of = rows["code"].to_numpy() if codes is None else codes
            if plan.measures[group[0]].kind in SAMPLED:
                samples[group[0]] = self._kept(rows, of, tags, group[0])
            else:
                sums[group] = self._accumulate(rows, of, tags, group)
        return Exact(sums, samples)

    def _accumulate(
        self, rows: pl.DataFrame, codes: Ints, tags: NDArray[np.uint64], group: list[int]
    ) -> Ints:
        plan = self.plan
        measures = [plan.measures[j] for j in group]
        values = np.zeros((len(group), rows.height), dtype=np.int64)
        valid = np.ones((len(group), rows.height), dtype=np.bool_)
        for at, (j, one) in enumerate(zip(group, measures, strict=True)):
            if one.kind is MeasureKind.SUM:
                values[at] = rows[f"value{j}"].to_numpy()
            else:
                values[at] = 1
            if one.of is not None and one.kind is MeasureKind.UNITS:
                codes = np.where(rows[f"valid{j}"].to_numpy(), codes, -1)
            elif one.of is not None:
                valid[at] = rows[f"valid{j}"].to_numpy()
        out = np.zeros((len(group), tags.size), dtype=np.int64)
        status = bounding.accumulate(
            rows["unit_hi"].to_numpy(),
            rows["unit_lo"].to_numpy(),
            codes,
            tags,
            values,
            valid,
            np.array([one.kind is MeasureKind.UNITS for one in measures], dtype=np.bool_),
            np.array([one.radius for one in measures], dtype=np.int64),
            plan.bound.rows,
            plan.bound.rows_per_group,
            plan.bound.groups,
            self.key,
            out,
        )
        if status != bounding.OK:
            raise RuntimeError("the kernel refused its input")
        return out

    def _kept(self, rows: pl.DataFrame, codes: Ints, tags: NDArray[np.uint64], j: int) -> Sample:
        """The rows that are kept for a measure that is no sum, each with its number.

        A choice takes one value of each unit in a group, and pays for groups, so it
        needs no other bound on rows: the first row that has a value.
        """
        one, bound = self.plan.measures[j], self.plan.bound
        valid = rows[f"valid{j}"].to_numpy()
        most, most_per_group = bound.rows, bound.rows_per_group
        if one.chosen:
            codes = np.where(valid, codes, -1)
            most, most_per_group = max(1, rows.height), 1
        kept = np.empty(rows.height, dtype=np.bool_)
        status = keeping.keep(
            rows["unit_hi"].to_numpy(),
            rows["unit_lo"].to_numpy(),
            codes,
            tags,
            most,
            most_per_group,
            bound.groups,
            self.key,
            kept,
        )
        if status != bounding.OK:
            raise RuntimeError("the kernel refused its input")
        kept &= valid
        sample = Sample(codes[kept], numbers(rows[f"value{j}"])[kept])
        return sample if one.chosen else sample.unique()


def _passes(plan: Plan) -> Iterator[list[int]]:
    """Measures that share one pass; what has rows of its own, or is no sum, has one alone.

    Few at a time, so that the memory of a part follows from its rows alone: all
    rows of a table may be one unit's, and then they are in one part.
    """
    alone = [
        j
        for j, one in enumerate(plan.measures)
        if one.kind in SAMPLED or (one.kind is MeasureKind.UNITS and one.of is not None)
    ]
    together = [j for j in range(len(plan.measures)) if j not in alone]
    for start in range(0, len(together), MEASURES_PER_PASS):
        yield together[start : start + MEASURES_PER_PASS]
    for j in alone:
        yield [j]


def _selected(plan: Plan, group: list[int], key: NDArray[np.uint64]) -> Iterator[pl.Expr]:
    """Pseudonym, group code, and per measure of ``group`` value and validity, of every row."""
    for name, column in zip(("unit_hi", "unit_lo"), UNIT_COLUMNS, strict=True):
        yield pl.col(column).alias(name)
    if not plan.thresholded:
        code = group_codes(plan)
        if plan.where is not None:
            code = pl.when(translate(plan.where).expr.cast(pl.Boolean)).then(code).otherwise(-1)
        yield code.cast(pl.Int64).alias("code")
    for j in group:
        one = plan.measures[j]
        if one.of is None:
            continue
        value = translate(one.of)
        if one.kind in (MeasureKind.SUM, MeasureKind.QUANTILE):
            yield added(one, value).fill_null(0).alias(f"value{j}")
        elif one.kind is MeasureKind.DISTINCT:
            yield identity(value, key).alias(f"value{j}")
        yield value.expr.is_not_null().alias(f"valid{j}")
