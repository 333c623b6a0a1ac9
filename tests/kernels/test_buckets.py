"""Buckets are the leading bits, and the order inside one is that of (pseudonym, tag)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.kernels.buckets import partition, settle

words = st.sampled_from([0, 1, 2, 2**63 - 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)
triples = st.lists(st.tuples(words, words, words), max_size=80)


def array(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


@given(st.lists(words, max_size=60), st.integers(0, 8))
def test_a_bucket_holds_the_rows_of_its_leading_bits_as_they_came(
    high: list[int], bits: int
) -> None:
    order = np.empty(len(high), dtype=np.uint32)
    starts = np.empty((1 << bits) + 1, dtype=np.int64)

    partition(array(high), bits, order, starts)

    for bucket in range(1 << bits):
        expected = [i for i, word in enumerate(high) if word >> (64 - bits) == bucket]
        assert order[starts[bucket] : starts[bucket + 1]].tolist() == expected


def settled(rows: list[tuple[int, int, int]]) -> tuple[list[tuple[int, int, int]], int]:
    high, low, tag = (array([row[n] for row in rows]) for n in range(3))
    order = np.argsort(high)
    units = settle(order, high, low, tag)
    assert sorted(order.tolist()) == list(range(len(rows)))
    return [rows[i] for i in order.tolist()], units


@given(triples, st.sets(st.sampled_from([0, 1]), max_size=2))
def test_rows_are_sorted_and_units_counted(
    rows: list[tuple[int, int, int]], equal: set[int]
) -> None:
    """equal: halves that all rows share, so that runs are long."""
    rows = [tuple(5 if n in equal else word for n, word in enumerate(row)) for row in rows]

    ordered, units = settled(rows)

    assert ordered == sorted(rows)
    assert units == len({row[:2] for row in rows})


@pytest.mark.parametrize("count", [1, 2, 23, 24, 25, 26, 1000])
def test_runs_sorted_by_a_heap_are_sorted(count: int) -> None:
    rows = [(7, n * 37 % 11, n * 7919 % 1009) for n in range(count)]

    ordered, units = settled(rows)

    assert ordered == sorted(rows)
    assert units == min(count, 11)
