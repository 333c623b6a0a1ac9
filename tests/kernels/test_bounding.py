"""What one privacy unit can do to the sums."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.kernels import bounding
from privlab.query.plan import Measure, MeasureKind
from privlab.terms.bounds import ContributionBound
from tests.kernels.twin_bounding import Row, Unit, twin

KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
I64 = (1 << 63) - 1


@dataclass(frozen=True)
class Case:
    """A small table and how it is asked about: a count, a sum and a count of units."""

    table: tuple[Row, ...]
    tags: tuple[int, ...]
    bound: ContributionBound
    radius: int
    key: tuple[int, int]

    def without(self, unit: Unit) -> Case:
        return replace(self, table=tuple(row for row in self.table if row.unit != unit))


MEASURES = 3


def run(case: Case, which: tuple[int, ...] = (0, 1, 2)) -> np.ndarray:
    """The kernel's sums of these measures, int64[measures, G]."""
    rows, cells = len(case.table), len(case.tags)
    chosen = list(which)
    values = np.zeros((MEASURES, rows), np.int64)
    valid = np.zeros((MEASURES, rows), np.bool_)
    for i, row in enumerate(case.table):
        for j, value in enumerate(row.values):
            valid[j, i] = value is not None
            values[j, i] = -7 if value is None else value
    out = np.zeros((len(chosen), cells), np.int64)
    status = bounding.accumulate(
        np.array([row.unit[0] for row in case.table], np.uint64),
        np.array([row.unit[1] for row in case.table], np.uint64),
        np.array([row.code for row in case.table], np.int64),
        np.array(case.tags, np.uint64),
        values[chosen],
        valid[chosen],
        np.array([False, False, True])[chosen],
        np.array([1, case.radius, 1], np.int64)[chosen],
        case.bound.rows,
        case.bound.rows_per_group,
        case.bound.groups,
        np.array(case.key, np.uint64),
        out,
    )
    assert status == bounding.OK
    return out


@st.composite
def cases(draw: st.DrawFn) -> Case:
    cells = draw(st.integers(1, 6))
    rows = draw(st.integers(1, 6))
    bound = ContributionBound(rows, draw(st.integers(1, rows)), draw(st.integers(1, rows)))
    units = draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(0, 1 << 64).map(lambda n: n % (1 << 64))),
            max_size=5,
            unique=True,
        )
    )
    values = st.one_of(
        st.none(), st.integers(-12, 12), st.sampled_from([-I64 - 1, I64, -(10**9), 10**9])
    )
    row = st.tuples(st.integers(-1, cells - 1), st.tuples(st.just(1), values, st.none()))
    table = tuple(
        Row(unit, code, numbers)
        for unit in units
        for code, numbers in draw(st.lists(row, min_size=1, max_size=12))
    )
    tags = tuple(
        draw(st.lists(st.integers(0, (1 << 64) - 1), min_size=cells, max_size=cells, unique=True))
    )
    word = st.integers(0, (1 << 64) - 1)
    return Case(table, tags, bound, draw(st.integers(0, 9)), (draw(word), draw(word)))


@given(cases())
def test_the_twin_agrees(case: Case) -> None:
    """Kernel and plain Python give the same sums."""
    bound = (case.bound.rows, case.bound.rows_per_group, case.bound.groups)
    expected = twin(
        case.table, case.tags, (False, False, True), (1, case.radius, 1), bound, case.key
    )
    assert run(case).tolist() == expected


@given(cases(), st.data())
def test_one_unit_moves_the_sums_by_at_most_the_squared_sensitivity(
    case: Case, data: st.DataObject
) -> None:
    """The promise every charge rests on, for each kind of measure."""
    if not case.table:
        return
    unit = data.draw(st.sampled_from([row.unit for row in case.table]))
    moved = run(case) - run(case.without(unit))
    measures = (
        Measure(MeasureKind.ROWS),
        Measure(MeasureKind.SUM, low=Fraction(-case.radius), high=Fraction(case.radius)),
        Measure(MeasureKind.UNITS),
    )
    for measure, vector in zip(measures, moved, strict=True):
        assert sum(int(v) ** 2 for v in vector) <= measure.squared_sensitivity(case.bound)


@given(cases())
def test_units_do_not_influence_each_other(case: Case) -> None:
    """The sums are those of the units one by one, whatever stands beside them."""
    alone = np.zeros((MEASURES, len(case.tags)), np.int64)
    for unit in {row.unit for row in case.table}:
        alone += run(replace(case, table=tuple(row for row in case.table if row.unit == unit)))
    assert run(case).tolist() == alone.tolist()


@given(cases(), st.data())
def test_rows_in_no_group_leave_no_trace(case: Case, data: st.DataObject) -> None:
    """They do not even use up a unit's bound."""
    mixed: list[Row] = []
    for row in case.table:
        mixed += [Row(row.unit, -1, (1, 5, None))] * data.draw(st.integers(0, 2))
        mixed.append(row)
    assert run(replace(case, table=tuple(mixed))).tolist() == run(case).tolist()


@given(cases())
def test_without_too_many_rows_nothing_is_left_out(case: Case) -> None:
    """Bounds that do not bind change nothing: the sums are the plain ones."""
    loose = replace(case, bound=ContributionBound(100, 100, 100))
    counts = [sum(row.code == g for row in case.table) for g in range(len(case.tags))]
    units = [len({r.unit for r in case.table if r.code == g}) for g in range(len(case.tags))]
    assert run(loose)[0].tolist() == counts
    assert run(loose)[2].tolist() == units


@given(cases())
def test_units_are_looked_for_in_all_rows(case: Case) -> None:
    """A count of units pays for groups: no bound on rows hides one of them."""
    found = run(case)[2].tolist()
    assert (
        found == run(replace(case, bound=ContributionBound(50, 50, case.bound.groups)))[2].tolist()
    )
    units = {row.unit for row in case.table}
    most = [{r.code for r in case.table if r.unit == unit and r.code >= 0} for unit in units]
    assert sum(found) == sum(min(len(codes), case.bound.groups) for codes in most)


@given(cases(), st.integers(0, 2))
def test_a_measure_is_the_same_beside_others(case: Case, alone: int) -> None:
    """Counting units reads further; what rows add does not change by it."""
    assert run(case, (alone,)).tolist() == run(case)[[alone]].tolist()


def one_unit(codes: list[int], bound: ContributionBound, tags: tuple[int, ...]) -> list[list[int]]:
    table = tuple(Row((1, 1), code, (1, 3, None)) for code in codes)
    return run(Case(table, tags, bound, 2, KEY)).tolist()


def test_the_total_cap_takes_the_first_rows() -> None:
    """Of five rows with a bound of three, the last two add nothing; the unit is in all groups."""
    sums = one_unit([0, 0, 1, 1, 2], ContributionBound(3, 3, 3), (5, 6, 7))
    assert sums == [[2, 1, 0], [4, 2, 0], [1, 1, 1]]


def test_the_cap_per_group_leaves_other_groups_alone() -> None:
    """Two rows per group: the third of group 0 is left out, group 1 keeps its one."""
    sums = one_unit([0, 0, 0, 1], ContributionBound(4, 2, 4), (5, 6))
    assert sums == [[2, 1], [4, 2], [1, 1]]


def test_which_group_is_kept_follows_the_key_and_the_tag_not_the_row_order() -> None:
    """One group of four is kept: always the same one, however the rows are ordered."""
    bound = ContributionBound(4, 1, 1)
    forward = one_unit([0, 1, 2, 3], bound, (5, 6, 7, 8))
    backward = one_unit([3, 2, 1, 0], bound, (5, 6, 7, 8))
    renumbered = one_unit([0, 1, 2, 3], bound, (8, 7, 6, 5))
    assert forward == backward == [list(reversed(row)) for row in renumbered]
    assert sum(forward[0]) == 1


def test_another_key_keeps_another_group_sooner_or_later() -> None:
    """The choice is keyed: over fifty keys each of two groups is kept at times."""
    table = tuple(Row((1, 1), code, (1, 1, None)) for code in (0, 1))
    kept = {
        tuple(run(Case(table, (5, 6), ContributionBound(2, 1, 1), 1, (key, 0)))[0].tolist())
        for key in range(50)
    }
    assert kept == {(1, 0), (0, 1)}


def call(**changes: object) -> int:
    arguments: dict[str, object] = {
        "unit_hi": np.array([1, 1, 2], np.uint64),
        "unit_lo": np.array([1, 1, 1], np.uint64),
        "codes": np.array([0, 1, 0], np.int64),
        "tags": np.array([5, 6], np.uint64),
        "values": np.ones((1, 3), np.int64),
        "valid": np.ones((1, 3), np.bool_),
        "per_unit": np.zeros(1, np.bool_),
        "radius": np.ones(1, np.int64),
        "rows": 2,
        "rows_per_group": 1,
        "groups": 2,
        "key": np.array(KEY, np.uint64),
        "out": np.zeros((1, 2), np.int64),
    }
    return int(bounding.accumulate(*{**arguments, **changes}.values()))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, bounding.OK),
        ({"codes": np.array([0, 2, 0], np.int64)}, bounding.BAD_CODE),
        ({"codes": np.array([0, -2, 0], np.int64)}, bounding.BAD_CODE),
        ({"unit_hi": np.array([1, 1], np.uint64)}, bounding.BAD_SHAPE),
        ({"unit_lo": np.array([1, 1], np.uint64)}, bounding.BAD_SHAPE),
        ({"values": np.ones((1, 2), np.int64)}, bounding.BAD_SHAPE),
        ({"valid": np.ones((2, 3), np.bool_)}, bounding.BAD_SHAPE),
        ({"per_unit": np.zeros(2, np.bool_)}, bounding.BAD_SHAPE),
        ({"key": np.ones(3, np.uint64)}, bounding.BAD_SHAPE),
        ({"out": np.zeros((1, 3), np.int64)}, bounding.BAD_SHAPE),
        ({"rows": 0}, bounding.BAD_BOUND),
        ({"rows_per_group": 0}, bounding.BAD_BOUND),
        ({"groups": 0}, bounding.BAD_BOUND),
        ({"radius": np.array([-1], np.int64)}, bounding.BAD_BOUND),
        ({"unit_hi": np.array([1, 2, 1], np.uint64)}, bounding.BAD_ORDER),
        ({"unit_hi": np.array([3, 3, 2], np.uint64)}, bounding.OK),
    ],
)
def test_inputs_that_would_break_the_promise_have_a_status(
    changes: dict[str, object], status: int
) -> None:
    """Among them a unit whose rows stand in two places: it would count twice."""
    assert call(**changes) == status


def test_a_unit_in_two_places_is_found_among_many() -> None:
    """Also where thousands of units are in no order."""
    draw = np.random.default_rng(3)
    units = draw.integers(0, 1 << 64, 5000, dtype=np.uint64)
    ones = np.ones(5000, np.uint64)
    fits = {
        "unit_lo": ones,
        "codes": np.zeros(5000, np.int64),
        "values": np.ones((1, 5000), np.int64),
        "valid": np.ones((1, 5000), np.bool_),
    }
    assert call(unit_hi=units, **fits) == bounding.OK
    units[4900] = units[17]
    assert call(unit_hi=units, **fits) == bounding.BAD_ORDER


def test_read_only_buffers_are_accepted() -> None:
    """Arrays borrowed from a data frame cannot be written to."""
    codes = np.array([0, 1, 0], np.int64)
    codes.flags.writeable = False
    assert call(codes=codes) == bounding.OK
