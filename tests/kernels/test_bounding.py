"""What one privacy unit can do to the sums."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.kernels import adding, bounding
from privlab.kernels.siphash import siphash
from privlab.query.plan import Measure, MeasureKind
from privlab.terms.bounds import ContributionBound
from tests.kernels.twin_bounding import Row, Unit, twin

KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
I64 = (1 << 63) - 1
MEASURES = 3


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


@dataclass(frozen=True)
class Kept:
    """Places of kept rows, their groups, and which are the first of their unit there."""

    rows: np.ndarray
    codes: np.ndarray
    fresh: np.ndarray


def keep(case: Case, rows: int, rows_per_group: int, first: int = 0) -> Kept:
    """What the kernel keeps of a case under these bounds."""
    runs = [(unit, len(list(own))) for unit, own in groupby(case.table, key=lambda row: row.unit)]
    size = len(case.table)
    kept = Kept(np.zeros(size, np.int32), np.zeros(size, np.int32), np.zeros(size, np.bool_))
    count = bounding.keep(
        np.array([unit[0] for unit, _ in runs], np.uint64),
        np.array([unit[1] for unit, _ in runs], np.uint64),
        np.array([many for _, many in runs], np.int64),
        np.array([first + row.code for row in case.table], np.int64),
        first,
        np.array(case.tags, np.uint64),
        rows,
        rows_per_group,
        case.bound.groups,
        np.array(case.key, np.uint64),
        kept.rows,
        kept.codes,
        kept.fresh,
    )
    assert count >= 0
    return Kept(kept.rows[:count], kept.codes[:count], kept.fresh[:count])


def run(case: Case) -> np.ndarray:
    """The sums of a count, a sum and a count of units, int64[measures, G], as the engine makes them."""
    values = np.zeros((MEASURES, len(case.table)), np.int64)
    valid = np.zeros((MEASURES, len(case.table)), np.bool_)
    for i, row in enumerate(case.table):
        for j, value in enumerate(row.values):
            valid[j, i] = value is not None
            values[j, i] = -7 if value is None else value
    out = np.zeros((MEASURES, len(case.tags)), np.int64)
    kept = keep(case, case.bound.rows, case.bound.rows_per_group)
    for j, reach in ((0, 1), (1, case.radius)):
        given = (kept.rows, kept.codes, valid[j], values[j], -reach, reach, 0, reach, 0)
        adding.add_whole(*given, out[j])
    units = keep(case, bounding.MOST, 1)
    adding.add_ones(units.rows, units.codes, np.zeros(0, np.bool_), out[2])
    return out


@st.composite
def cases(draw: st.DrawFn) -> Case:
    word = st.integers(0, (1 << 64) - 1)
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
        for unit in sorted(units)
        for code, numbers in draw(st.lists(row, min_size=1, max_size=12))
    )
    tags = tuple(draw(st.lists(st.integers(0, 2) | word, min_size=cells, max_size=cells)))
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


@given(cases(), st.integers(-(1 << 63), (1 << 63) - 20))
def test_groups_may_be_numbered_from_anywhere(case: Case, first: int) -> None:
    """Codes are told by their distance from the first, also at the ends of int64."""
    if first == -(1 << 63):
        case = replace(case, table=tuple(row for row in case.table if row.code >= 0))
    bound = case.bound
    one, other = (keep(case, bound.rows, bound.rows_per_group, at) for at in (0, first))
    assert one.rows.tolist() == other.rows.tolist()
    assert one.codes.tolist() == other.codes.tolist()


@given(cases())
def test_the_first_rows_of_units_in_groups_are_marked(case: Case) -> None:
    """Once each, in every group with a kept row."""
    kept = keep(case, case.bound.rows, case.bound.rows_per_group)
    seen: set[tuple[Unit, int]] = set()
    for place, code, fresh in zip(kept.rows, kept.codes, kept.fresh, strict=True):
        row = case.table[place]
        assert row.code == code
        assert fresh == ((row.unit, code) not in seen)
        seen.add((row.unit, int(code)))


MANY = 3 * bounding.LANES


@pytest.mark.parametrize("groups", [1, 5, bounding.LANES, MANY - 1, MANY])
@pytest.mark.parametrize(
    "found",
    [bounding.HALF - 1, bounding.HALF, bounding.HALF + 1, bounding.LANES, bounding.LANES + 1, MANY],
)
@pytest.mark.parametrize("alike", [False, True])
def test_units_of_many_groups_are_as_in_the_twin(groups: int, found: int, alike: bool) -> None:
    """Ranked and sorted, on either side of what is ranked; tags that differ, and that do not."""
    draw = np.random.default_rng(found)
    tags = tuple(draw.integers(0, 3 if alike else 1 << 63, MANY).tolist())
    table = tuple(
        Row((1, unit), int(code), (1, 2, None))
        for unit in range(3)
        for code in draw.permutation(MANY)[:found].tolist() * 2
    )
    bound = ContributionBound(2 * MANY, 2, groups)
    case = Case(table, tags, bound, 2, KEY)
    bounds = (bound.rows, bound.rows_per_group, bound.groups)
    assert run(case).tolist() == twin(table, tags, (False, False, True), (1, 2, 1), bounds, KEY)


def test_blocks_do_not_show() -> None:
    """Units around the size of a block, and one of many blocks, are bounded like all others."""
    draw = np.random.default_rng(5)
    sizes = [3, bounding.BLOCK - 2, bounding.BLOCK, 1, bounding.BLOCK + 1, 5, 3 * bounding.BLOCK, 2]
    tags = tuple(draw.integers(0, 1 << 63, 50).tolist())
    table = tuple(
        Row((unit, 7), int(code), (1, 1, None))
        for unit, size in enumerate(sizes)
        for code in draw.integers(-1, 50, size)
    )
    case = Case(table, tags, ContributionBound(2000, 30, 9), 1, KEY)
    expected = twin(table, tags, (False, False, True), (1, 1, 1), (2000, 30, 9), KEY)
    assert run(case).tolist() == expected


def test_hashes_that_agree_in_their_first_bits_are_told_apart() -> None:
    """Of 300 units of 40 groups, some agree in 16 bits where one of the choices ends."""
    tags = tuple(np.random.default_rng(6).integers(0, 1 << 63, 40).tolist())
    table = tuple(Row((0, unit), code, (1, 1, None)) for unit in range(300) for code in range(40))
    hashes = np.array(
        [[int(siphash(*map(np.uint64, (*KEY, 0, unit, tag)))) for tag in tags] for unit in range(300)],
        np.uint64,
    )  # fmt: skip
    ranks = hashes.argsort(axis=1).argsort(axis=1).ravel()
    close = 0
    tops = np.sort(hashes >> np.uint64(48), axis=1)
    for groups in range(1, 40):
        kept = keep(Case(table, tags, ContributionBound(40, 1, groups), 1, KEY), 40, 1)
        assert kept.rows.tolist() == np.flatnonzero(ranks < groups).tolist()
        close += int((tops[:, groups - 1] == tops[:, groups]).sum())
    assert close > 0


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
        "unit_hi": np.array([1, 2], np.uint64),
        "unit_lo": np.array([1, 1], np.uint64),
        "unit_rows": np.array([2, 1], np.int64),
        "codes": np.array([0, 1, 0], np.int64),
        "first": 0,
        "tags": np.array([5, 6], np.uint64),
        "rows": 2,
        "rows_per_group": 1,
        "groups": 2,
        "key": np.array(KEY, np.uint64),
        "kept": np.zeros(3, np.int32),
        "kept_codes": np.zeros(3, np.int32),
        "fresh": np.zeros(3, np.bool_),
    }
    return int(bounding.keep(*{**arguments, **changes}.values()))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 3),
        ({"codes": np.array([0, 2, 0], np.int64)}, 2),
        ({"codes": np.array([-1, -2, 1 << 62], np.int64)}, 0),
        ({"unit_hi": np.array([1], np.uint64)}, bounding.BAD_SHAPE),
        ({"unit_lo": np.array([1], np.uint64)}, bounding.BAD_SHAPE),
        ({"unit_rows": np.array([3], np.int64)}, bounding.BAD_SHAPE),
        ({"unit_rows": np.array([2, 2], np.int64)}, bounding.BAD_SHAPE),
        ({"unit_rows": np.array([1, 1], np.int64)}, bounding.BAD_SHAPE),
        ({"unit_rows": np.array([3, 0], np.int64)}, bounding.BAD_SHAPE),
        ({"unit_rows": np.array([-1, 4], np.int64)}, bounding.BAD_SHAPE),
        ({"unit_rows": np.array([1 << 62, 3 - (1 << 62)], np.int64)}, bounding.BAD_SHAPE),
        ({"key": np.ones(3, np.uint64)}, bounding.BAD_SHAPE),
        ({"kept": np.zeros(2, np.int32)}, bounding.BAD_SHAPE),
        ({"kept_codes": np.zeros(2, np.int32)}, bounding.BAD_SHAPE),
        ({"fresh": np.zeros(2, np.bool_)}, bounding.BAD_SHAPE),
        ({"rows": 0}, bounding.BAD_BOUND),
        ({"rows_per_group": 0}, bounding.BAD_BOUND),
        ({"groups": 0}, bounding.BAD_BOUND),
        ({"groups": (1 << 63) - 1, "rows": (1 << 63) - 1, "rows_per_group": (1 << 63) - 1}, 3),
        ({"unit_hi": np.array([1, 1], np.uint64)}, bounding.BAD_ORDER),
        ({"unit_hi": np.array([3, 2], np.uint64)}, bounding.BAD_ORDER),
        ({"unit_hi": np.array([1 << 63, 2], np.uint64)}, bounding.BAD_ORDER),
        ({"unit_hi": np.ones(2, np.uint64), "unit_lo": np.array([1, 2], np.uint64)}, 3),
    ],
)
def test_inputs_that_would_break_the_promise_have_a_status(
    changes: dict[str, object], status: int
) -> None:
    """Among them a unit whose rows stand in two places: it would count twice."""
    assert call(**changes) == status


def test_read_only_buffers_are_accepted() -> None:
    """Arrays borrowed from a data frame cannot be written to."""
    codes = np.array([0, 1, 0], np.int64)
    codes.flags.writeable = False
    assert call(codes=codes) == 3


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=20))
def test_runs_are_those_of_plain_python(rows: list[Unit]) -> None:
    """Where the pseudonym changes, in either half."""
    hi, lo = (np.array([row[half] for row in rows], np.uint64) for half in (0, 1))
    starts = np.zeros(len(rows), np.int64)
    count = bounding.find_runs(hi, lo, starts)
    expected = [at for at, row in enumerate(rows) if at == 0 or row != rows[at - 1]]
    assert starts[:count].tolist() == expected
    assert bounding.find_runs(hi, lo[1:], starts) == (bounding.BAD_SHAPE if rows else 0)
