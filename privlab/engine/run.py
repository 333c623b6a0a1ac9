"""Rows to noisy integers: the one place where decrypted rows are.

Per part: decrypt the plan's columns, evaluate its expressions to a group code
and an integer per measure, and let the kernel bound and sum, or mark the rows
that are kept.  Parts hold whole units, so their sums just add and their samples
stand side by side.  Then noise and choices, and only they leave.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.connector.scan import DTYPES
from privlab.engine.expressions import fitted, translate
from privlab.engine.job import Job
from privlab.engine.samples import Ints, Sample, identity, numbers
from privlab.engine.sources import opened
from privlab.engine.steps import added
from privlab.engine.stored import batches
from privlab.kernels import bounding, keeping
from privlab.kernels.rowtag import fold_words
from privlab.mechanisms.draw import add_noise
from privlab.mechanisms.entropy import Words
from privlab.mechanisms.quantile import quantile
from privlab.mechanisms.quantiles import quantiles
from privlab.query.encoding import encode_scalar
from privlab.query.plan import Key, Measure, MeasureKind, Plan
from privlab.terms.catalog import Kind, Scalar
from privlab.terms.noise import Choice, Mechanism

MAX_PLAIN_KEYS = 8
"""Up to so many texts are compared one by one; more are looked up."""

MEASURES_PER_PASS = 8
"""So many measures of a part are in memory at once."""

SAMPLED = (MeasureKind.DISTINCT, MeasureKind.QUANTILE)
"""Measures that need the kept rows themselves."""


def warm() -> None:
    """Nothing left to import or compile when a job comes."""
    with Words() as words:
        words.take(1)


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """What noise and choices are to hide.

    sums: int64[measures, cells]; of a quantile nothing.  samples: of each quantile,
    by its place among the measures, the kept rows of all parts.
    """

    sums: Ints
    samples: Mapping[int, Sample]


def release(job: Job) -> list[list[int]]:
    """The released vector of each measure.  All that may leave this process.

    :raises IntegrityError: a part is not the one signed.
    """
    return hidden(job.plan, job.noises, measure(job))


def hidden(plan: Plan, noises: Sequence[Mechanism], exact: Exact) -> list[list[int]]:
    """``exact`` behind its noise, or what was chosen of it: one vector per measure."""
    released: list[list[int]] = []
    together: dict[Measure, list[list[int]]] = {}
    for j, (one, mechanism) in enumerate(zip(plan.measures, noises, strict=True)):
        with Words() as words:
            if isinstance(mechanism, Choice):
                key = replace(one, q=None)
                if not one.among or key not in together:
                    cells = exact.samples[j].by_cell(plan.cells)
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


def measure(job: Job) -> Exact:
    """The exact sums and samples: secret.

    :raises IntegrityError: a part is not the one signed.
    """
    work = Work.of(job.plan, job.bounding_key)
    ranges = batches(job.tables)
    with ThreadPoolExecutor(max_workers=min(len(ranges), os.cpu_count() or 1)) as pool:
        return gathered(job.plan, pool.map(lambda batch: work.bounded(opened(job, batch)), ranges))


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
            group_tags(plan),
            key,
        )

    def bounded(self, scan: pl.LazyFrame) -> Exact:
        """The exact sums and the kept rows of one part, whose units are whole.

        scan: the plan's columns and the pseudonym, rows of one unit together.
        """
        plan = self.plan
        sums = np.zeros((len(plan.measures), plan.cells), dtype=np.int64)
        samples: dict[int, Sample] = {}
        for group, selected in self.passes:
            rows = scan.select(selected).collect(engine="in-memory")
            if plan.measures[group[0]].kind in SAMPLED:
                samples[group[0]] = self._kept(rows, group[0])
            else:
                sums[group] = self._accumulate(rows, group)
        return Exact(sums, samples)

    def _accumulate(self, rows: pl.DataFrame, group: list[int]) -> Ints:
        plan = self.plan
        measures = [plan.measures[j] for j in group]
        codes = rows["code"].to_numpy()
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
        out = np.zeros((len(group), plan.cells), dtype=np.int64)
        status = bounding.accumulate(
            rows["unit_hi"].to_numpy(),
            rows["unit_lo"].to_numpy(),
            codes,
            self.tags,
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

    def _kept(self, rows: pl.DataFrame, j: int) -> Sample:
        """The rows that are kept for a measure that is no sum, each with its number.

        A choice takes one value of each unit in a group, and pays for groups, so it
        needs no other bound on rows: the first row that has a value.
        """
        one, bound = self.plan.measures[j], self.plan.bound
        codes, valid = rows["code"].to_numpy(), rows[f"valid{j}"].to_numpy()
        most, most_per_group = bound.rows, bound.rows_per_group
        if one.chosen:
            codes = np.where(valid, codes, -1)
            most, most_per_group = max(1, rows.height), 1
        kept = np.empty(rows.height, dtype=np.bool_)
        status = keeping.keep(
            rows["unit_hi"].to_numpy(),
            rows["unit_lo"].to_numpy(),
            codes,
            self.tags,
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
    code = _codes(plan)
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


def _codes(plan: Plan) -> pl.Expr:
    """The row's group: mixed radix over the keys, last key fastest; -1 for none."""
    code: pl.Expr = pl.lit(0, pl.Int64)
    known: pl.Expr = pl.lit(True, pl.Boolean)  # noqa: FBT003
    for key in plan.keys:
        index = _index(key)
        code = code * len(key.values) + index
        known = known & (index >= 0)
    return pl.when(known).then(code).otherwise(-1)


def _index(key: Key) -> pl.Expr:
    """The position of the row's value in the key's values, -1 for none."""
    value = translate(key.expr)
    if value.kind is not key.kind:
        raise TypeError("a key's values are of its expression's kind")
    places = {
        fit: place
        for place, one in enumerate(key.values)
        if (fit := fitted(one, key.kind)) is not None
    }
    null = next((place for place, one in enumerate(key.values) if one is None), -1)
    return (
        pl.when(value.expr.is_null())
        .then(pl.lit(null, pl.Int64))
        .otherwise(_lookup(value.expr, key.kind, places))
    )


def _lookup(value: pl.Expr, kind: Kind, places: dict[Any, int]) -> pl.Expr:
    run = _run(kind, list(places))
    if run is not None and list(places.values()) == list(range(len(places))):
        first, last = run
        number = value.cast(pl.Int32).cast(pl.Int64) if kind is Kind.DATE else value
        return pl.when(number.is_between(first, last)).then(number - first).otherwise(-1)
    if len(places) <= MAX_PLAIN_KEYS:
        code: pl.Expr = pl.lit(-1, pl.Int64)
        for one, place in places.items():
            code = pl.when(value == pl.lit(one, DTYPES[kind])).then(place).otherwise(code)
        return code.cast(pl.Int64)
    old = pl.Series(list(places), dtype=DTYPES[kind])
    new = pl.Series(list(places.values()), dtype=pl.Int64)
    return value.replace_strict(old, new, default=-1, return_dtype=pl.Int64)


def _run(kind: Kind, values: list[Any]) -> tuple[int, int] | None:
    """First and last, when the values are consecutive whole numbers or days."""
    if kind is Kind.DATE:
        numbers = [day.toordinal() - _EPOCH for day in values]
    elif kind is Kind.INT:
        numbers = values
    else:
        return None
    if not numbers or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    return numbers[0], numbers[-1]


_EPOCH = 719163
"""1970-01-01 as a proleptic Gregorian ordinal."""


def group_tags(plan: Plan) -> NDArray[np.uint64]:
    """A 64-bit hash of each cell's key values: the same in every question that has the cell.

    SipHash-2-4 under a public key of zeros, folded over the keys, outermost first.
    It names cells; the secret order among them is the kernel's.
    """
    tags = np.zeros(plan.cells, dtype=np.uint64)
    everywhere = np.ones(plan.cells, dtype=np.bool_)
    zero = np.uint64(0)
    inner = plan.cells
    for position, key in enumerate(plan.keys):
        inner //= len(key.values)
        hashes = np.array([value_hash(value) for value in key.values], dtype=np.uint64)
        words = np.tile(np.repeat(hashes, inner), plan.cells // (inner * len(key.values)))
        fold_words(tags, words, everywhere, np.uint64(position), zero, zero)
    return tags


def value_hash(value: Scalar | None) -> int:
    """64 bits of BLAKE2b (RFC 7693) over a key value's type and text."""
    encoded = encode_scalar(value)
    text = "\0".join(encoded) if encoded is not None else ""
    digest = hashlib.blake2b(text.encode("utf-8"), digest_size=8, person=b"privlab/value/v1")
    return int.from_bytes(digest.digest(), "little")
