"""The kept rows are those that sums are made of, and a unit's own business."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.kernels import bounding, keeping
from privlab.terms.bounds import ContributionBound

KEY = np.array([0x0706050403020100, 0x0F0E0D0C0B0A0908], np.uint64)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units in runs, group codes, tags."""
    cells = draw(st.integers(1, 5))
    sizes = draw(st.lists(st.integers(1, 7), max_size=4))
    units = np.repeat(np.arange(len(sizes), dtype=np.uint64), sizes)
    codes = draw(st.lists(st.integers(-1, cells - 1), min_size=len(units), max_size=len(units)))
    tags = draw(st.lists(st.integers(0, 3), min_size=cells, max_size=cells))
    return units, np.array(codes, np.int64), np.array(tags, np.uint64)


@st.composite
def bounds(draw: st.DrawFn) -> ContributionBound:
    rows = draw(st.integers(1, 6))
    return ContributionBound(rows, draw(st.integers(1, rows)), draw(st.integers(1, rows)))


def kept(
    units: np.ndarray, codes: np.ndarray, tags: np.ndarray, bound: ContributionBound
) -> np.ndarray:
    found = np.ones(codes.size, np.bool_)
    status = keeping.keep(
        units, units, codes, tags, bound.rows, bound.rows_per_group, bound.groups, KEY, found
    )
    assert status == keeping.OK
    return found


@given(table=tables(), bound=bounds())
def test_the_kept_rows_are_those_that_are_added_up(
    table: tuple[np.ndarray, np.ndarray, np.ndarray], bound: ContributionBound
) -> None:
    units, codes, tags = table
    values = (np.int64(1) << np.arange(codes.size, dtype=np.int64))[None, :]
    out = np.zeros((1, tags.size), np.int64)
    bounding.accumulate(
        units, units, codes, tags, values, np.ones(values.shape, np.bool_), np.zeros(1, np.bool_),
        np.array([1 << 62], np.int64), bound.rows, bound.rows_per_group, bound.groups, KEY, out,
    )  # fmt: skip
    mine = np.zeros_like(out)
    marked = kept(units, codes, tags, bound)
    np.add.at(mine[0], codes[marked], values[0, marked])
    assert np.array_equal(mine, out)


@given(table=tables(), bound=bounds())
def test_no_unit_keeps_more_than_its_bound(
    table: tuple[np.ndarray, np.ndarray, np.ndarray], bound: ContributionBound
) -> None:
    units, codes, tags = table
    marked = kept(units, codes, tags, bound)
    assert (codes[marked] >= 0).all()
    for unit in set(units.tolist()):
        groups, sizes = np.unique(codes[marked & (units == unit)], return_counts=True)
        assert len(groups) <= bound.groups
        assert sizes.sum() <= bound.rows
        assert (sizes <= bound.rows_per_group).all()


@given(table=tables(), bound=bounds(), gone=st.integers(0, 3))
def test_units_do_not_influence_each_other(
    table: tuple[np.ndarray, np.ndarray, np.ndarray], bound: ContributionBound, gone: int
) -> None:
    units, codes, tags = table
    others = units != gone
    alone = kept(np.ascontiguousarray(units[others]), codes[others], tags, bound)
    assert np.array_equal(alone, kept(units, codes, tags, bound)[others])


@pytest.mark.parametrize(
    ("units", "codes", "rows", "status"),
    [
        ([1, 2, 1], [0, 0, 0], 1, keeping.BAD_ORDER),
        ([1, 1, 2], [0, 0, 1], 1, keeping.BAD_CODE),
        ([1, 1, 2], [0, 0, -2], 1, keeping.BAD_CODE),
        ([1, 1, 2], [0, 0, 0], 0, keeping.BAD_BOUND),
        ([1, 1], [0, 0, 0], 1, keeping.BAD_SHAPE),
    ],
)
def test_inputs_that_would_break_the_promise_have_a_status(
    units: list[int], codes: list[int], rows: int, status: int
) -> None:
    found = keeping.keep(
        np.array(units, np.uint64),
        np.array(units, np.uint64),
        np.array(codes, np.int64),
        np.zeros(1, np.uint64),
        rows,
        1,
        1,
        KEY,
        np.zeros(len(codes), np.bool_),
    )
    assert found == status
