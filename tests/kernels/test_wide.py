"""The high half of a product."""

from __future__ import annotations

import numba as nb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privlab.kernels.wide import high_word

WORDS = st.integers(0, (1 << 64) - 1)


@nb.njit(nb.uint64(nb.uint64, nb.uint64))
def compiled(a: np.uint64, b: np.uint64) -> np.uint64:
    return high_word(a, b)


@given(WORDS, WORDS)
def test_it_is_the_floor_of_the_product_over_two_to_the_64(a: int, b: int) -> None:
    """For any two words."""
    assert int(compiled(np.uint64(a), np.uint64(b))) == a * b >> 64


def test_other_types_do_not_compile() -> None:
    """A signed word is refused: it would be extended with its sign."""
    with pytest.raises(nb.core.errors.TypingError):
        nb.njit(nb.uint64(nb.int64, nb.uint64))(compiled.py_func)
