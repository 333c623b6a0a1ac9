"""Comparisons whose result is a mask say what a loop over the lanes says."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privlab.kernels import lanes

_jit: Any = nb.njit


@_jit
def same_of_32(array: Any, at: int, own: Any) -> Any:
    return lanes.same_of_32(array, at, own)


@_jit
def same_of_64(array: Any, at: int, own: Any) -> Any:
    return lanes.same_of_64(array, at, own)


@_jit
def below_of_32(array: Any, at: int, own: Any) -> Any:
    return lanes.below_of_32(array, at, own)


@_jit
def below_of_64(array: Any, at: int, own: Any) -> Any:
    return lanes.below_of_64(array, at, own)


@_jit
def ones(mask: Any) -> Any:
    return lanes.ones(mask)


@pytest.mark.parametrize(("compare", "width"), [(same_of_32, 32), (same_of_64, 64)])
@settings(deadline=None)  # the first one compiles
@given(data=st.data(), at=st.integers(0, 5))
def test_equal_ones_are_told(compare: Any, width: int, data: st.DataObject, at: int) -> None:
    numbers = st.sampled_from([-(2**31), -1, 0, 1, 7, 2**31 - 1])
    items = data.draw(st.lists(numbers, min_size=width + 5, max_size=width + 5))
    own = data.draw(numbers)
    found = int(compare(np.array(items, np.int32), at, np.int32(own)))
    assert found == sum(1 << i for i in range(width) if items[at + i] == own)


@pytest.mark.parametrize(("compare", "width"), [(below_of_32, 32), (below_of_64, 64)])
@settings(deadline=None)  # the first one compiles
@given(data=st.data(), at=st.integers(0, 5))
def test_lesser_ones_are_told(compare: Any, width: int, data: st.DataObject, at: int) -> None:
    numbers = st.sampled_from([0, 1, 2**15 - 1, 2**15, 2**16 - 1])
    items = data.draw(st.lists(numbers, min_size=width + 5, max_size=width + 5))
    own = data.draw(numbers)
    found = int(compare(np.array(items, np.uint16), at, np.uint16(own)))
    assert found == sum(1 << i for i in range(width) if items[at + i] < own)


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1))
def test_set_bits_are_counted(mask: int) -> None:
    assert ones(np.uint64(mask)) == mask.bit_count()
