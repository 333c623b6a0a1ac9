"""Sums that threads share: nothing is lost, and there are no more of them than public facts allow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from privlab.engine.totals import SMALL, Totals


@pytest.mark.parametrize("cells", [3, SMALL + 1])
def test_what_every_thread_adds_is_in_the_sum(cells: int) -> None:
    """Where each has its own sums, and where they take turns."""
    totals = Totals(1, cells, 4)

    def add(number: int) -> None:
        with totals.turn() as sums:
            sums[0, number % 3] += number

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(300)))

    expected = [sum(range(at, 300, 3)) for at in range(3)]
    assert totals.together()[0, :3].tolist() == expected
    assert totals.together()[0, :3].tolist() == expected


def test_many_groups_have_one_set_of_sums() -> None:
    """A second one is not to be had while the first is in use."""
    totals = Totals(2, SMALL, 4)
    with totals.turn() as sums:
        assert sums.shape == (2, SMALL)
        assert totals._free.empty()


def test_a_turn_ends_when_it_fails() -> None:
    totals = Totals(1, SMALL + 1, 2)
    with pytest.raises(KeyError), totals.turn():
        raise KeyError
    with totals.turn():
        pass
