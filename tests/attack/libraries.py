"""Published faults of differential privacy libraries, told anew in a few lines of Polars.

Each pipeline states a plan and the sensitivity that the faulty rule declares
for it, on the attacks' own tables.  The reports: opendp/opendp #2945 and #2949,
opendp/smartnoise-sdk #317 and #622, IBM/differential-privacy-library #104,
sassoftware/dpmm #18.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tests.attack.contract import UNIT, Place, frame
from tests.attack.record import Kind, Mechanisms, Norm, Pipeline

LOW, HIGH = -10, 10
"""The stated range of points."""

MAX_LENGTH = 3
"""What a margin says: no ward has more rows."""

CHANGED = 6
"""Rows that a neighbour may have more or fewer, as OpenDP counts: three out and three in."""

NOISE = "scale 30"


@dataclass(frozen=True)
class Fault:
    """rule: the pipeline as the faulty rule has it.  kinds: any of these tells it."""

    about: str
    rule: Pipeline[Place]
    kinds: frozenset[Kind]


def _clipped(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("points").clip(LOW, HIGH).fill_null(0))


def _sum_of_points(rows: pl.DataFrame) -> list[int]:
    """Per ward of a public list."""
    sums = dict(rows.group_by("ward").agg(pl.col("points").sum()).iter_rows())
    return [int(sums.get(ward, 0)) for ward in ("north", "south", "west")]


def margin_taken_as_change(place: Place, mechanisms: Mechanisms) -> object:
    """opendp #2945: a group of at most k rows was said to change by at most k rows."""
    changed = min(CHANGED, MAX_LENGTH)
    sums = _sum_of_points(_clipped(frame(place.rows)))
    return mechanisms.add_noise(
        "sum", sums, norm=Norm.ABSOLUTE, sensitivity=changed * HIGH, noise=NOISE
    )


def margin_taken_twice(place: Place, mechanisms: Mechanisms) -> object:
    """The same plan with the right rule: k rows leave and k others come."""
    changed = min(CHANGED, 2 * MAX_LENGTH)
    sums = _sum_of_points(_clipped(frame(place.rows)))
    return mechanisms.add_noise(
        "sum", sums, norm=Norm.ABSOLUTE, sensitivity=changed * HIGH, noise=NOISE
    )


def truncation_outlives_its_column(place: Place, mechanisms: Mechanisms) -> object:
    """opendp #2949: one row per unit and group, and then the group is another column."""
    per_group, cells = 1, 1
    rows = (
        frame(place.rows)
        .filter(pl.col(UNIT).is_not_null())
        .with_columns(group=pl.col("day"))
        .unique([UNIT, "group"], keep="first", maintain_order=True)
        .with_columns(group=pl.lit(0))
    )
    counts = [rows.filter(pl.col("group") == cell).height for cell in range(cells)]
    return mechanisms.add_noise("count", counts, sensitivity=cells * per_group**2, noise=NOISE)


def no_bounds_no_noise(place: Place, mechanisms: Mechanisms) -> object:
    """smartnoise-sdk #317: a column without bounds has no sensitivity, so its sum got no noise."""
    sensitivity = None
    total = frame(place.rows)["big"].fill_null(0).cast(pl.Int128).sum()
    if sensitivity is None:
        return total
    return mechanisms.add_noise("sum", [total], sensitivity=sensitivity, noise=NOISE)


def clipped_and_then_not_used(place: Place, mechanisms: Mechanisms) -> object:
    """smartnoise-sdk #622: the data are clipped, and the second moment is of those that were not."""
    given = frame(place.rows).unique([UNIT], keep="first", maintain_order=True)
    clipped = _clipped(given)
    product = given["points"].fill_null(0).cast(pl.Int128) ** 2
    assert clipped.height == product.len()
    return mechanisms.add_noise(
        "second moment", [int(product.sum())], sensitivity=HIGH**4, noise=NOISE
    )


def low_end_twice(place: Place, mechanisms: Mechanisms) -> object:
    """diffprivlib #104: the square of a column, as wide as its low end alone says."""
    low, high = 18, 60
    given = frame(place.rows).unique([UNIT], keep="first", maintain_order=True)
    score = given["score"].clip(low, high).fill_null(low).cast(pl.Int64)
    return mechanisms.add_noise(
        "square", [int((score**2).sum())], sensitivity=max(low, low) ** 4, noise=NOISE
    )


def domain_of_the_data(place: Place, mechanisms: Mechanisms) -> object:
    """dpmm #18: as many cells as the largest value that occurs."""
    score = frame(place.rows)["score"].clip(0, 100).drop_nulls().to_numpy()
    size = int(score.max()) + 1 if score.size else 1
    counts: Any = np.bincount(score, minlength=size)
    return mechanisms.add_noise("histogram", counts, sensitivity=160**2, noise=NOISE)


FAULTS = (
    Fault("opendp #2949", truncation_outlives_its_column, frozenset({Kind.DISTANCE})),
    Fault("smartnoise-sdk #317", no_bounds_no_noise, frozenset({Kind.SHOWN})),
    Fault("smartnoise-sdk #622", clipped_and_then_not_used, frozenset({Kind.DISTANCE})),
    Fault("diffprivlib #104", low_end_twice, frozenset({Kind.DISTANCE})),
    Fault("dpmm #18", domain_of_the_data, frozenset({Kind.SHAPE})),
)
"""Those that show when one unit comes or leaves; #2945 needs two that change places."""
