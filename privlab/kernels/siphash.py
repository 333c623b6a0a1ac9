"""SipHash-2-4 of three 64-bit words, compiled.

Source: Aumasson, Bernstein, "SipHash: a fast short-input PRF" (INDOCRYPT
2012), with c = 2 and d = 4.  The message is 24 bytes: the words, little-endian.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

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

_jit: Any = nb.njit
_compile = _jit(nogil=True, error_model="numpy")


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


@_jit(
    nb.uint64(nb.uint64, nb.uint64, nb.uint64, nb.uint64, nb.uint64),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def siphash(key0: np.uint64, key1: np.uint64, a: np.uint64, b: np.uint64, c: np.uint64) -> Any:
    """The 64-bit tag of the words a, b, c under the 128-bit key (key0, key1)."""
    v0 = key0 ^ _V0
    v1 = key1 ^ _V1
    v2 = key0 ^ _V2
    v3 = key1 ^ _V3
    v0, v1, v2, v3 = _absorb(a, v0, v1, v2, v3)
    v0, v1, v2, v3 = _absorb(b, v0, v1, v2, v3)
    v0, v1, v2, v3 = _absorb(c, v0, v1, v2, v3)
    v0, v1, v2, v3 = _absorb(_LENGTH, v0, v1, v2, v3)
    v2 ^= _FINAL
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3
