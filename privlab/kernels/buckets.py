"""Rows into hash buckets, and the rows of a bucket into their order.

`partition` is a counting sort by the leading bits of the pseudonym.  `settle`
finishes a sort by (pseudonym, tag) that began by the pseudonym's upper half
alone, which the processor's vector sort does: it orders each run of equal halves.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_FEW = 24
"""Runs up to this long are sorted by insertion, longer ones by a heap."""

_WORDS = nb.types.Array(nb.uint64, 1, "C", readonly=True)
_compile = nb.njit(nogil=True, error_model="numpy")


@nb.njit(
    nb.void(_WORDS, nb.int64, nb.uint32[::1], nb.int64[::1]),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def partition(high: Words, bits: int, order: NDArray[np.uint32], starts: NDArray[np.int64]) -> None:
    """Rows by bucket, inside a bucket as they came.

    high: uint64[n], upper halves of pseudonyms; bits: 0..8, the bucket is so many
    leading ones; order: uint32[n], filled with row numbers; starts: int64[2^bits + 1],
    filled: bucket b has order[starts[b] : starts[b + 1]].
    """
    n = high.size
    bucket = np.zeros(n, dtype=np.uint8)
    if bits > 0:
        shift = np.uint64(64 - bits)
        for i in range(n):
            bucket[i] = np.uint8(high[i] >> shift)
    starts[:] = 0
    for i in range(n):
        starts[bucket[i] + 1] += 1
    for b in range(starts.size - 1):
        starts[b + 1] += starts[b]
    at = starts.copy()
    for i in range(n):
        b = bucket[i]
        order[at[b]] = i
        at[b] += 1


@_compile
def _before(low: Words, tag: Words, i: int, j: int) -> bool:
    return bool(low[i] < low[j] or (low[i] == low[j] and tag[i] < tag[j]))


@_compile
def _sift(
    order: NDArray[np.int64], low: Words, tag: Words, first: int, root: int, size: int
) -> None:
    while True:
        child = 2 * root + 1
        if child >= size:
            return
        if child + 1 < size and _before(low, tag, order[first + child], order[first + child + 1]):
            child += 1
        if not _before(low, tag, order[first + root], order[first + child]):
            return
        order[first + root], order[first + child] = order[first + child], order[first + root]
        root = child


@_compile
def _sorted(order: NDArray[np.int64], low: Words, tag: Words, first: int, end: int) -> None:
    size = end - first
    if size <= _FEW:
        for i in range(first + 1, end):
            row = order[i]
            j = i
            while j > first and _before(low, tag, row, order[j - 1]):
                order[j] = order[j - 1]
                j -= 1
            order[j] = row
        return
    for root in range(size // 2 - 1, -1, -1):
        _sift(order, low, tag, first, root, size)
    for last in range(size - 1, 0, -1):
        order[first], order[first + last] = order[first + last], order[first]
        _sift(order, low, tag, first, 0, last)


@nb.njit(
    nb.int64(nb.int64[::1], _WORDS, _WORDS, _WORDS),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def settle(order: NDArray[np.int64], high: Words, low: Words, tag: Words) -> int:
    """Finish a sort by (high, low, tag) in place; returns how many units there are.

    order: int64[n], row numbers sorted by high alone; high, low: uint64[n], the
    halves of pseudonyms; tag: uint64[n].
    """
    units = 0
    first = 0
    while first < order.size:
        word = high[order[first]]
        end = first + 1
        while end < order.size and high[order[end]] == word:
            end += 1
        if end - first > 1:
            _sorted(order, low, tag, first, end)
        units += 1
        for i in range(first + 1, end):
            if low[order[i]] != low[order[i - 1]]:
                units += 1
        first = end
    return units
