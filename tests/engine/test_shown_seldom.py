"""How often a group of one unit is shown: no oftener than its delta says, by the engine's own draws.

The delta is coarse, so that it can be seen; noise, entropy and selection are those of
every question.  The tests are one-sided binomial ones: of all of them together one run
in 10^6 is a false alarm.  That a threshold which is one too low would be seen is
tested as well.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from scipy import stats

from privlab.connector.manifest import UNIT_COLUMNS
from privlab.engine.found import Found
from privlab.engine.run import shown
from privlab.engine.work import Work
from privlab.mechanisms.threshold import delta_of_threshold, gaussian_threshold
from privlab.query.plan import Key, Measure, MeasureKind, Plan
from privlab.query.relations import Scan
from privlab.terms.bounds import ContributionBound
from privlab.terms.catalog import Kind
from privlab.terms.noise import RoundedGaussian
from tests.engine.test_run import BIG

NOISE = RoundedGaussian.at_most(Fraction(1, 9))
"""Of a standard deviation of 3."""

DELTA = Fraction(1, 20)
RUNS = 4_000
ALARM = 1e-6 / 3


def plan(groups: int) -> Plan:
    return Plan(
        dataset="clinic",
        source=Scan("visits", 1),
        unit="patient",
        bound=ContributionBound(groups, 1, groups),
        row_cap=1_000,
        where=None,
        keys=(Key(BIG, Kind.INT, ()),),
        measures=(Measure(MeasureKind.UNITS),),
    )


def groups_of_one_unit(of: Plan, count: int) -> Found:
    """What the engine finds in a table of one unit with a row in each of ``count`` groups."""
    rows = pl.DataFrame(
        {
            "big": list(range(count)),
            UNIT_COLUMNS[0]: pl.Series([7] * count, dtype=pl.UInt64),
            UNIT_COLUMNS[1]: pl.Series([9] * count, dtype=pl.UInt64),
        }
    )
    return Work.of(of, bytes(range(16))).found(rows.lazy())


def times_shown(of: Plan, threshold: int, found: Found, runs: int = RUNS) -> int:
    """In how many of the runs any group is shown."""
    return sum(bool(shown(of, (NOISE,), threshold, found)["labels"]) for _ in range(runs))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("groups", "count"),
    [(1, 1), (3, 3), (3, 12)],
    ids=["one group", "all groups that count", "a unit in more groups than count"],
)
def test_a_unit_alone_is_shown_with_a_chance_of_at_most_delta(groups: int, count: int) -> None:
    """Whatever number of groups the unit made, only as many as its bound are tested."""
    of = plan(groups)
    found = groups_of_one_unit(of, count)
    assert found.labels.height == count
    assert found.exact.sums.sum() == groups
    threshold = gaussian_threshold(NOISE, DELTA, groups)
    exact = delta_of_threshold(NOISE, threshold, groups)

    seen = times_shown(of, threshold, found)

    assert exact <= DELTA
    assert stats.binomtest(seen, RUNS, float(DELTA), "greater").pvalue > ALARM
    assert stats.binomtest(seen, RUNS, float(exact), "less").pvalue > ALARM
    assert delta_of_threshold(NOISE, threshold - 1, groups) > DELTA


@pytest.mark.slow
def test_a_threshold_that_is_too_low_would_be_seen() -> None:
    """Two steps lower, or groups beyond the bound: the same test then says so."""
    of, wide = plan(3), plan(12)
    threshold = gaussian_threshold(NOISE, DELTA, 3)
    few, many = groups_of_one_unit(of, 12), groups_of_one_unit(wide, 12)
    for seen in (times_shown(of, threshold - 2, few), times_shown(wide, threshold, many)):
        assert stats.binomtest(seen, RUNS, float(DELTA), "greater").pvalue < ALARM


def test_nobody_is_ever_shown_where_nobody_counts() -> None:
    """Not even at a threshold that every count reaches."""
    of = plan(2)
    found = groups_of_one_unit(of, 9)
    for _ in range(20):
        assert len(shown(of, (NOISE,), -1_000, found)["labels"]) == 2
    assert np.flatnonzero(found.exact.sums[0]).size == 2
