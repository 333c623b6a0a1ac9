"""A secret 64-bit tag of each row's content, built up column by column.

Start from zero and fold in one column after the other.  A fold is SipHash-2-4
of (state, value, position), so a row's tag is a keyed function of its values
alone: not of its place in a file, not of other rows.  A text is folded as its
length, then its UTF-8 bytes in words of eight.  Rows of equal content have
equal tags; others collide with probability 2^-64 per pair.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels.siphash import siphash

Words = NDArray[np.uint64]

_NULL = np.uint64(1 << 62)
_ZERO = np.uint64(0)
_EIGHT = np.uint64(8)


@nb.njit(
    nb.void(
        nb.uint64[::1],
        nb.types.Array(nb.uint64, 1, "C", readonly=True),
        nb.types.Array(nb.boolean, 1, "C", readonly=True),
        nb.uint64,
        nb.uint64,
        nb.uint64,
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def fold_words(
    state: Words,
    words: Words,
    present: NDArray[np.bool_],
    position: np.uint64,
    key0: np.uint64,
    key1: np.uint64,
) -> None:
    """Fold a column of 64-bit values into ``state``, in place.

    state, words: uint64[n]; present: bool[n], False where the value is null;
    position: the column's number, below 2^16; key0, key1: the secret key.
    """
    for i in range(state.size):
        if present[i]:
            state[i] = siphash(key0, key1, state[i], words[i], position)
        else:
            state[i] = siphash(key0, key1, state[i], _ZERO, position | _NULL)


@nb.njit(
    nb.void(
        nb.uint64[::1],
        nb.types.Array(nb.int64, 1, "C", readonly=True),
        nb.types.Array(nb.uint8, 1, "C", readonly=True),
        nb.types.Array(nb.boolean, 1, "C", readonly=True),
        nb.uint64,
        nb.uint64,
        nb.uint64,
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def fold_texts(
    state: Words,
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    present: NDArray[np.bool_],
    position: np.uint64,
    key0: np.uint64,
    key1: np.uint64,
) -> None:
    """Fold a column of texts into ``state``, in place.

    offsets: int64[n + 1] into data, uint8; the rest as in `fold_words`.
    """
    for i in range(state.size):
        if not present[i]:
            state[i] = siphash(key0, key1, state[i], _ZERO, position | _NULL)
            continue
        at, end = offsets[i], offsets[i + 1]
        folded = siphash(key0, key1, state[i], np.uint64(end - at), position)
        while at < end:
            word = _ZERO
            stop = min(at + 8, end)
            for j in range(at, stop):
                word |= np.uint64(data[j]) << (np.uint64(j - at) * _EIGHT)
            folded = siphash(key0, key1, folded, word, position)
            at = stop
        state[i] = folded
