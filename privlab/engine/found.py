"""Groups whose keys are not public: those that rows hold.  Secret until a threshold showed them.

Per part the key values of each row, the different ones as labels, and the sums of each;
then labels of all parts are put together and what they have in common is added up.
Tags are made of the labels' values, so the order in which a unit's groups are kept is
that of a question whose keys are public.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR

import numpy as np
import polars as pl
from numpy.typing import NDArray

from privlab.engine.cells import place_in
from privlab.engine.expressions import translate
from privlab.engine.names import column_hashes, hashes_of
from privlab.engine.samples import Exact, Ints, Sample
from privlab.kernels.rowtag import fold_words
from privlab.query.plan import MOST_LABEL, Key, MeasureKind, Plan
from privlab.terms.catalog import Kind
from privlab.terms.groups import Label

CODE, PART = "code", "part"

YEARS = (MINYEAR, MAXYEAR)
"""Of times: what a label can hold."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Groups, and what noise is to hide of each.

    labels: a row per group, a column per key: its value, or of a public key its place.
    exact: a cell per row of labels.
    """

    labels: pl.DataFrame
    exact: Exact

    def only(self, places: Ints) -> Found:
        """These groups, in this order."""
        return Found(self.labels[places], self.exact.cells(places))

    def labels_of(self, plan: Plan, places: Ints) -> list[Label]:
        """The labels of groups as values."""
        columns = [
            [None if value is None else key.values[value] for value in column]
            if key.public
            else column
            for key, column in zip(
                plan.keys,
                (one.to_list() for one in self.labels[places].iter_columns()),
                strict=True,
            )
        ]
        return list(zip(*columns, strict=True))


def names(plan: Plan) -> list[str]:
    """The columns of labels."""
    return [f"key{at}" for at in range(len(plan.keys))]


def labelled(plan: Plan, rows: pl.DataFrame) -> tuple[Ints, pl.DataFrame]:
    """The group of each row among those of this part, -1 for none, and their labels."""
    keys = names(plan)
    inside = pl.lit(True, pl.Boolean)  # noqa: FBT003
    if plan.where is not None:
        inside = translate(plan.where).expr.cast(pl.Boolean).fill_null(False)  # noqa: FBT003
    columns = [_column(key).alias(name) for key, name in zip(plan.keys, keys, strict=True)]
    fits = [_fits(key, name) for key, name in zip(plan.keys, keys, strict=True)]
    told = rows.select(inside.alias("inside"), *columns).with_columns(
        pl.all_horizontal("inside", *fits).alias("inside")
    )
    found = told.filter("inside").select(keys).unique(maintain_order=True).with_row_index(CODE)
    codes = (
        told.join(found, on=keys, how="left", nulls_equal=True, maintain_order="left")
        .select(pl.when("inside").then(pl.col(CODE).cast(pl.Int64)).otherwise(-1))
        .to_series()
    )
    return codes.to_numpy(), found.select(keys)


def _column(key: Key) -> pl.Expr:
    """A key's value; of a public key its place, -1 for none."""
    return place_in(key).cast(pl.Int64) if key.public else translate(key.expr).expr


def _fits(key: Key, name: str) -> pl.Expr:
    """Whether a row belongs to a group as far as this key is concerned; null is a value."""
    value = pl.col(name)
    if key.public:
        return value >= 0
    if key.kind is Kind.TEXT:
        return (value.str.len_chars() <= MOST_LABEL).fill_null(True)  # noqa: FBT003
    if key.kind.is_time:
        return value.dt.year().is_between(*YEARS).fill_null(True)  # noqa: FBT003
    return pl.lit(True, pl.Boolean)  # noqa: FBT003


def tags_of(plan: Plan, labels: pl.DataFrame) -> NDArray[np.uint64]:
    """The tag of each label, as `group_tags` makes it of public cells."""
    tags = np.zeros(labels.height, dtype=np.uint64)
    everywhere = np.ones(labels.height, dtype=np.bool_)
    zero = np.uint64(0)
    for position, (key, column) in enumerate(zip(plan.keys, labels.iter_columns(), strict=True)):
        if key.public:
            words = hashes_of(key.values)[column.to_numpy()]
        else:
            words = column_hashes(column, key.kind)
        fold_words(tags, words, everywhere, np.uint64(position), zero, zero)
    return tags


def put_together(plan: Plan, parts: Iterable[Found]) -> Found:
    """What all parts of a table hold together."""
    found, keys = list(parts), names(plan)
    every = pl.concat(
        one.labels.with_columns(pl.lit(at, pl.Int64).alias(PART)) for at, one in enumerate(found)
    )
    labels = every.select(keys).unique().sort(keys, nulls_last=True)
    codes = every.join(
        labels.with_row_index(CODE), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    sums = np.zeros((len(plan.measures), labels.height), dtype=np.int64)
    samples: dict[int, list[Sample]] = {}
    for at, one in enumerate(found):
        places = codes.filter(pl.col(PART) == at)[CODE].cast(pl.Int64).to_numpy()
        sums[:, places] += one.exact.sums  # a part has each label once
        for j, sample in one.exact.samples.items():
            samples.setdefault(j, []).append(Sample(places[sample.codes], sample.values))
    merged = {j: Sample.merged(each) for j, each in samples.items()}
    for j, measure in enumerate(plan.measures):
        if measure.kind is MeasureKind.DISTINCT:
            sums[j] = merged.pop(j).unique().sizes(labels.height)
    return Found(labels, Exact(sums, merged))


def of_measures(exact: Exact, chosen: Sequence[int]) -> Exact:
    """What is to be hidden of some measures, in this order."""
    return Exact(
        np.ascontiguousarray(exact.sums[list(chosen)]),
        {at: exact.samples[j] for at, j in enumerate(chosen) if j in exact.samples},
    )
