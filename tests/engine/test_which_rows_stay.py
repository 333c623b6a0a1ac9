"""Which rows and which groups of a unit stay is fair: as if drawn, over units and over keys.

Chi-square from recorded keys; each test is a false alarm for one in 10^6 of them.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations, groupby, permutations
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from privlab.engine.reference import UNIT
from privlab.engine.run import measure
from privlab.kernels import bounding
from privlab.query.plan import Key, Measure, MeasureKind, Ref
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from tests.engine.conftest import SCHEMA, protected

pytestmark = pytest.mark.slow

FALSE_ALARM = 1e-6
GROUPS, STAY = 6, 3
SUBSETS = {one: at for at, one in enumerate(combinations(range(GROUPS), STAY))}
Words = np.ndarray[Any, np.dtype[np.uint64]]


def subsets(hi: Words, lo: Words, key: Words) -> list[int]:
    """Of units in six groups each, which three stay: one of twenty sets per unit."""
    units = hi.size
    rows = units * GROUPS
    kept, codes, fresh = (
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.bool_),
    )
    count = bounding.keep(
        hi,
        lo,
        np.full(units, GROUPS, np.int64),
        np.tile(np.arange(GROUPS), units),
        0,
        np.arange(GROUPS, dtype=np.uint64),
        GROUPS,
        1,
        STAY,
        key,
        kept,
        codes,
        fresh,
    )
    assert count == units * STAY
    return [SUBSETS[tuple(sorted(one))] for one in codes[:count].reshape(units, STAY).tolist()]


def fair(found: list[int], classes: int) -> bool:
    """Whether so many equally likely classes explain what was found."""
    return float(stats.chisquare(np.bincount(found, minlength=classes)).pvalue) > FALSE_ALARM


def test_over_units_each_set_of_groups_stays_as_often() -> None:
    """Of 100,000 units with pseudonyms that only count up, under one key."""
    lo = np.arange(100_000, dtype=np.uint64)
    found = subsets(np.zeros_like(lo), lo, np.array([7, 11], np.uint64))
    assert fair(found, len(SUBSETS))


def test_over_keys_each_set_of_groups_of_one_unit_stays_as_often() -> None:
    """Of 20,000 keys that only count up."""
    one = np.array([5], np.uint64)
    found = [subsets(one, one, np.array([key, 0], np.uint64))[0] for key in range(20_000)]
    assert fair(found, len(SUBSETS))


def test_what_stays_of_one_unit_says_nothing_of_the_next() -> None:
    """Sets of two neighbours, of 80,000 pairs: independent."""
    lo = np.arange(160_000, dtype=np.uint64)
    found = np.array(subsets(np.full_like(lo, 3), lo, np.array([1, 2], np.uint64)))
    table = np.zeros((len(SUBSETS), len(SUBSETS)), np.int64)
    np.add.at(table, (found[::2], found[1::2]), 1)
    assert stats.chi2_contingency(table).pvalue > FALSE_ALARM


def test_what_stays_under_one_key_says_nothing_of_the_next_key() -> None:
    """The same 100,000 units under two keys that differ by one bit: independent."""
    lo = np.arange(100_000, dtype=np.uint64)
    first, second = (
        subsets(np.zeros_like(lo), lo, np.array([4, bit], np.uint64)) for bit in (0, 1)
    )
    table = np.zeros((len(SUBSETS), len(SUBSETS)), np.int64)
    np.add.at(table, (first, second), 1)
    assert stats.chi2_contingency(table).pvalue > FALSE_ALARM


UNITS, ROWS = 6000, 4


def visits() -> pl.DataFrame:
    """Units of four rows that differ by age alone, in the order of their ages."""
    frame = pl.DataFrame(
        {"patient": np.repeat(np.arange(UNITS), ROWS), "age": np.tile(np.arange(ROWS), UNITS)}
    )
    others = [pl.lit(None, kind).alias(name) for name, kind in SCHEMA.items() if name not in frame]
    return frame.with_columns(others).select(*SCHEMA)


def test_each_order_of_a_units_rows_is_stored_as_often(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Of a protected table: so which rows are a unit's first ones is fair, whatever the source's order."""
    place = protected(tmp_path_factory.mktemp("fair"), visits())
    orders = {one: at for at, one in enumerate(permutations(range(ROWS)))}
    found = [
        orders[tuple(row["age"] for row in own)]
        for _, own in groupby(place.rows, key=lambda row: row[UNIT])
    ]
    assert len(found) == UNITS
    assert fair(found, len(orders))


def test_each_row_of_a_unit_is_kept_as_often_and_in_any_order_of_the_source(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Two rows of four, and then two groups of four: counts of kept rows by age.

    A row stays with chance 1/2, and two of four do, so the counts' chi-square is 3/4 of the
    sum of squares over their variance, at 3 degrees.
    """
    table = visits()
    ages = (Key(Ref("age", Kind.INT), Kind.INT, tuple(range(ROWS))),)
    seen: dict[str, list[list[int]]] = {}
    for name, source in {
        "as it is": table,
        "turned": table.reverse(),
        "shuffled": table.sample(fraction=1.0, shuffle=True, seed=3),
    }.items():
        place = protected(tmp_path_factory.mktemp("fair"), source)
        for bound in (ContributionBound(2, 1, 2), ContributionBound(4, 4, 2)):
            plan = place.plan(Measure(MeasureKind.ROWS), keys=ages, bound=bound)
            (counts,) = measure(place.job(plan)).sums.tolist()
            assert sum(counts) == 2 * UNITS
            seen.setdefault(name, []).append(counts)
            squares = sum((count - UNITS / 2) ** 2 for count in counts)
            statistic = squares / (UNITS / 4) * (ROWS - 1) / ROWS
            assert stats.chi2.sf(statistic, ROWS - 1) > FALSE_ALARM
    assert Counter(map(str, seen.values())) == {str(seen["as it is"]): 3}


def test_a_choice_that_is_not_fair_would_be_seen() -> None:
    """One unit in fifty has always the same groups: the same check, at the same size."""
    lo = np.arange(100_000, dtype=np.uint64)
    found = subsets(np.zeros_like(lo), lo, np.array([7, 11], np.uint64))
    assert not fair([one if at % 50 else 0 for at, one in enumerate(found)], len(SUBSETS))
