"""SipHash-2-4 of three 64-bit words, compiled.

Source: Aumasson, Bernstein, "SipHash: a fast short-input PRF" (INDOCRYPT
2012), with c = 2 and d = 4.  The message is 24 bytes: the words, little-endian.
Of messages that begin alike, the state after two words can be kept and many third
words finished from it, in vector registers.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

_V0 = np.uint64(0x736F6D6570736575)
_V1 = np.uint64(0x646F72616E646F6D)
_V2 = np.uint64(0x6C7967656E657261)
_V3 = np.uint64(0x7465646279746573)
_LENGTH = np.uint64(24 << 56)
_FINAL = np.uint64(0xFF)
_WORD = np.uint64(64)
_BY_13 = np.uint64(13)
_BY_16 = np.uint64(16)
_BY_17 = np.uint64(17)
_BY_21 = np.uint64(21)
_BY_32 = np.uint64(32)

Words = NDArray[np.uint64]

_jit: Any = nb.njit
_compile = _jit(nogil=True, error_model="numpy", inline="always")
"""Put into the caller as source: a loop over calls would not be made one of vectors."""


@_compile
def _rotate(word: np.uint64, by: np.uint64) -> Any:
    return (word << by) | (word >> (_WORD - by))


@_compile
def _round(v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64) -> Any:
    v0 += v1
    v2 += v3
    v1 = _rotate(v1, _BY_13) ^ v0
    v3 = _rotate(v3, _BY_16) ^ v2
    v0 = _rotate(v0, _BY_32)
    v2 += v1
    v0 += v3
    v1 = _rotate(v1, _BY_17) ^ v2
    v3 = _rotate(v3, _BY_21) ^ v0
    v2 = _rotate(v2, _BY_32)
    return v0, v1, v2, v3


@_compile
def _absorb(word: np.uint64, v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64) -> Any:
    v3 ^= word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


@_compile
def begun(key0: np.uint64, key1: np.uint64, a: np.uint64, b: np.uint64) -> Any:
    """The four words of state after a and b, under the 128-bit key (key0, key1)."""
    v0, v1, v2, v3 = _absorb(a, key0 ^ _V0, key1 ^ _V1, key0 ^ _V2, key1 ^ _V3)
    return _absorb(b, v0, v1, v2, v3)


@_compile
def finished(c: np.uint64, v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64) -> Any:
    """The tag of a message whose first two words left this state, and whose third is c."""
    v0, v1, v2, v3 = _absorb(c, v0, v1, v2, v3)
    v0, v1, v2, v3 = _absorb(_LENGTH, v0, v1, v2, v3)
    v2 ^= _FINAL
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@_jit(
    nb.uint64(nb.uint64, nb.uint64, nb.uint64, nb.uint64, nb.uint64),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def siphash(key0: np.uint64, key1: np.uint64, a: np.uint64, b: np.uint64, c: np.uint64) -> Any:
    """The 64-bit tag of the words a, b, c under the 128-bit key (key0, key1)."""
    v0, v1, v2, v3 = begun(key0, key1, a, b)
    return finished(c, v0, v1, v2, v3)


@_jit(nogil=True, error_model="numpy")
def finish_all(
    size: int, v0: Words, v1: Words, v2: Words, v3: Words, words: Words, tags: Words
) -> None:
    """`finished` of the first ``size`` of words, each from its own state, into ``tags``.

    All of them: uint64[n], n >= size.  Eight at a time where registers have 512 bits.
    """
    for i in range(size):
        tags[i] = finished(words[i], v0[i], v1[i], v2[i], v3[i])
