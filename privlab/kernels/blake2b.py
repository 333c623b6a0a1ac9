"""BLAKE2b of many short texts at once, compiled: keyed digests of 128 bits, plain ones of 64.

Source: RFC 7693, with the key block and the person string of its parameter
block (section 2.8; the person is that of the BLAKE2 paper, section 2.8).  The
state after the key block is the same for every text and comes in from outside;
a text of up to 127 bytes then is one compression.  Without a key, one of up to 128 is.  Lanes of 64 texts go through
it together, so that the machine's vector registers are filled.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

LANES = 64
_BLOCK = 128
_KEY_BLOCK = np.uint64(128)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_EIGHT = np.uint64(8)
_WORD = np.uint64(64)

IV = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)
_SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    dtype=np.int64,
)
_MIX = np.array(
    [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ],
    dtype=np.int64,
)
_ROUNDS = 12

_compile = nb.njit(nogil=True, error_model="numpy", inline="never")


@_compile
def _compress(v: Words, m: Words, lanes: int) -> None:
    """Twelve rounds on ``lanes`` columns of v, uint64[16, LANES], with messages m, likewise."""
    for r in range(_ROUNDS):
        for g in range(8):
            a, b, c, d = v[_MIX[g, 0]], v[_MIX[g, 1]], v[_MIX[g, 2]], v[_MIX[g, 3]]
            x, y = m[_SIGMA[r % 10, 2 * g]], m[_SIGMA[r % 10, 2 * g + 1]]
            for i in range(lanes):
                p = a[i] + b[i] + x[i]
                q = d[i] ^ p
                q = (q >> np.uint64(32)) | (q << np.uint64(32))
                s = c[i] + q
                t = b[i] ^ s
                t = (t >> np.uint64(24)) | (t << np.uint64(40))
                p = p + t + y[i]
                q = q ^ p
                q = (q >> np.uint64(16)) | (q << np.uint64(48))
                s = s + q
                t = t ^ s
                t = (t >> np.uint64(63)) | (t << np.uint64(1))
                a[i] = p
                b[i] = t
                c[i] = s
                d[i] = q


@_compile
def _absorb(v: Words, m: Words, h: Words, at: int, counter: np.uint64, last: bool) -> None:
    """One block of the text in column 0, into its state h, uint64[8]."""
    for w in range(8):
        v[w, at] = h[w]
        v[w + 8, at] = IV[w]
    v[12, at] ^= counter
    if last:
        v[14, at] ^= _ALL
    _compress(v, m, 1)
    for w in range(8):
        h[w] ^= v[w, at] ^ v[w + 8, at]


@_compile
def _load(m: Words, lane: int, data: NDArray[np.uint8], at: int, end: int, first: int) -> None:
    """The bytes data[at:end] into a block, the first of them at place ``first``."""
    for w in range(16):
        m[w, lane] = np.uint64(0)
    for k in range(end - at):
        place = first + k
        m[place >> 3, lane] |= np.uint64(data[at + k]) << (np.uint64(place & 7) * _EIGHT)


@_compile
def _swapped(word: np.uint64) -> np.uint64:
    """The eight bytes the other way round."""
    out = np.uint64(0)
    for _ in range(8):
        out = (out << _EIGHT) | (word & np.uint64(0xFF))
        word >>= _EIGHT
    return out


@nb.njit(
    nb.void(
        nb.types.Array(nb.uint64, 1, "C", readonly=True),
        nb.types.Array(nb.int64, 1, "C", readonly=True),
        nb.types.Array(nb.uint8, 1, "C", readonly=True),
        nb.types.Array(nb.boolean, 1, "C", readonly=True),
        nb.uint64[::1],
        nb.uint64[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def digests(
    keyed: Words,
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    present: NDArray[np.bool_],
    high: Words,
    low: Words,
) -> None:
    """The digest of each text as two big-endian halves.

    keyed: uint64[8], the state after the key block (`keyed_state`); offsets:
    int64[n + 1] into data, uint8; present: bool[n].  What is hashed is the byte
    0x01 and the text, or the single byte 0x00 where there is no text.
    high, low: uint64[n], filled.
    """
    v = np.empty((16, LANES), dtype=np.uint64)
    m = np.zeros((16, LANES), dtype=np.uint64)
    long = np.empty(8, dtype=np.uint64)
    n = present.size
    for start in range(0, n, LANES):
        lanes = min(LANES, n - start)
        for i in range(lanes):
            row = start + i
            size = offsets[row + 1] - offsets[row] if present[row] else 0
            short = min(size, _BLOCK - 1)
            _load(m, i, data, offsets[row], offsets[row] + short, 1)
            if present[row]:
                m[0, i] |= np.uint64(1)
            for w in range(8):
                v[w, i] = keyed[w]
                v[w + 8, i] = IV[w]
            v[12, i] ^= _KEY_BLOCK + np.uint64(size + 1)
            v[14, i] ^= _ALL
        _compress(v, m, lanes)
        for i in range(lanes):
            high[start + i] = _swapped(keyed[0] ^ v[0, i] ^ v[8, i])
            low[start + i] = _swapped(keyed[1] ^ v[1, i] ^ v[9, i])
        for i in range(lanes):
            row = start + i
            size = offsets[row + 1] - offsets[row]
            if not present[row] or size < _BLOCK:
                continue
            for w in range(8):
                long[w] = keyed[w]
            _load(m, 0, data, offsets[row], offsets[row] + _BLOCK - 1, 1)
            m[0, 0] |= np.uint64(1)
            done = _BLOCK
            _absorb(v, m, long, 0, _KEY_BLOCK + np.uint64(done), False)  # noqa: FBT003
            while done <= size:
                at = offsets[row] + done - 1
                end = min(at + _BLOCK, offsets[row + 1])
                _load(m, 0, data, at, end, 0)
                done += end - at
                _absorb(v, m, long, 0, _KEY_BLOCK + np.uint64(done), done > size)
            high[row] = _swapped(long[0])
            low[row] = _swapped(long[1])


@nb.njit(
    nb.void(
        nb.types.Array(nb.uint64, 1, "C", readonly=True),
        nb.types.Array(nb.int64, 1, "C", readonly=True),
        nb.types.Array(nb.uint8, 1, "C", readonly=True),
        nb.uint64[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def first_words(
    parameters: Words, offsets: NDArray[np.int64], data: NDArray[np.uint8], out: Words
) -> None:
    """The first eight bytes of the digest of each text, little-endian; without a key.

    parameters: uint64[8], the parameter block; offsets: int64[n + 1] into data, uint8;
    out: uint64[n], filled.  What is hashed is the text alone.
    """
    v = np.empty((16, LANES), dtype=np.uint64)
    m = np.zeros((16, LANES), dtype=np.uint64)
    h = np.empty(8, dtype=np.uint64)
    for start in range(0, out.size, LANES):
        lanes = min(LANES, out.size - start)
        for i in range(lanes):
            at = offsets[start + i]
            size = min(offsets[start + i + 1] - at, _BLOCK)
            _load(m, i, data, at, at + size, 0)
            for w in range(8):
                v[w, i] = IV[w] ^ parameters[w]
                v[w + 8, i] = IV[w]
            v[12, i] ^= np.uint64(size)
            v[14, i] ^= _ALL
        _compress(v, m, lanes)
        for i in range(lanes):
            out[start + i] = IV[0] ^ parameters[0] ^ v[0, i] ^ v[8, i]
        for i in range(lanes):
            begin, stop = offsets[start + i], offsets[start + i + 1]
            if stop - begin <= _BLOCK:
                continue
            for w in range(8):
                h[w] = IV[w] ^ parameters[w]
            for at in range(begin, stop, _BLOCK):
                end = min(at + _BLOCK, stop)
                _load(m, 0, data, at, end, 0)
                _absorb(v, m, h, 0, np.uint64(end - begin), end == stop)
            out[start + i] = h[0]


@nb.njit(
    nb.void(
        nb.types.Array(nb.uint64, 1, "C", readonly=True),
        nb.types.Array(nb.uint64, 1, "C", readonly=True),
        nb.uint64[::1],
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def keyed_state(parameters: Words, key_block: Words, out: Words) -> None:
    """The state after the key block.

    parameters: uint64[8], the parameter block; key_block: uint64[16], the key and
    zeros; out: uint64[8], filled.  All words little-endian.
    """
    v = np.empty((16, LANES), dtype=np.uint64)
    m = np.zeros((16, LANES), dtype=np.uint64)
    for w in range(8):
        out[w] = IV[w] ^ parameters[w]
    for w in range(16):
        m[w, 0] = key_block[w]
    _absorb(v, m, out, 0, _KEY_BLOCK, False)  # noqa: FBT003
