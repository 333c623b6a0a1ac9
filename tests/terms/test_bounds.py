"""Both sensitivities of counts are the worst that any unit can do, and no less."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.terms.bounds import ContributionBound


def spreads(rows: int, most: int, groups: int) -> Iterator[tuple[int, ...]]:
    """Every way to put at most ``rows`` rows into ``groups`` groups, at most ``most`` in each."""
    if groups == 0:
        yield ()
        return
    for first in range(min(rows, most) + 1):
        for rest in spreads(rows - first, most, groups - 1):
            yield (first, *rest)


@st.composite
def bounds(draw: st.DrawFn) -> ContributionBound:
    rows = draw(st.integers(1, 7))
    return ContributionBound(rows, draw(st.integers(1, rows)), draw(st.integers(1, min(rows, 4))))


@given(bounds())
def test_squared_rows_is_the_largest_sum_of_squares(bound: ContributionBound) -> None:
    worst = max(
        sum(count**2 for count in spread)
        for spread in spreads(bound.rows, bound.rows_per_group, bound.groups)
    )

    assert bound.squared_rows == worst


@given(bounds())
def test_most_rows_is_the_largest_sum_of_counts(bound: ContributionBound) -> None:
    worst = max(sum(spread) for spread in spreads(bound.rows, bound.rows_per_group, bound.groups))

    assert bound.most_rows == worst


def test_one_cell_holds_all_rows_of_a_unit() -> None:
    assert ContributionBound(8, 4, 3).for_cells(1) == ContributionBound(8, 8, 1)


def test_a_unit_touches_no_more_groups_than_there_are() -> None:
    assert ContributionBound(8, 4, 8).for_cells(3).groups == 3


@pytest.mark.parametrize("wrong", [(0, 1, 1), (3, 4, 1), (3, 0, 1), (3, 1, 4), (3, 1, 0)])
def test_a_bound_that_bounds_nothing_is_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="must be in"):
        ContributionBound(*wrong)
