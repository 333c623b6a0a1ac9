"""Exact rounded Gaussian noise, compiled: integers only, three words a trial.

One trial makes a half-normal real ``z + x`` of variance 8 (z whole, x in
[0, 1)) by rejection, scales it by ``multiplier / 2^shift`` and rounds to the
nearest integer.  Its three uniform 64-bit words are read as the beginnings of
three infinite bit strings:

  word 0   low bit: the sign.  The other 63 bits: U, inverted through the table
           of P(Z <= k), Z having weights ``exp(-k^2 / 16)``
  word 1   x
  word 2   A; the trial is kept when ``A < exp(-x (x + 2z) / 16)``

so the kept ``z + x`` has density proportional to ``exp(-(z + x)^2 / 16)``
(von Neumann's rejection; ``docs/proofs/rounded-gaussian.md`` has the argument
and the error bounds).  Whenever the bits at hand do not decide a comparison
the kernel stops with TIE at that trial, and ``mechanisms/exact.py`` reads
further bits of the same strings.  So the law is exact: no tail is cut off and
no table is approximate.

Time: every trial costs the same words and the same operations, and the number
of trials is independent of the values kept.  Only "kept" and "tie" are
branches.  The plain Python twin is ``tests/kernels/twin_gaussian.py``; the two
must agree word for word.

Numba types ``uint64 + literal`` as int64, so every operand here is np.uint64.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from privlab.kernels.wide import high_word

OK = 0
OUT_OF_WORDS = 1
TIE = 2

WORDS_PER_TRIAL = 3

BAND = 64
"""Ulps around exp(-gamma) inside which word 2 does not decide.  Proved error: 43."""

Z_TABLE = np.array(
    [
        0x1FA50CD44A10D5D3,
        0x3D5F484C4AFB6732,
        0x560462F75AE092D1,
        0x680C39CE4E780A22,
        0x73B06F8308DECAF1,
        0x7A528208AF392C2B,
        0x7DA85A334B764D1E,
        0x7F233E5614F31CB4,
        0x7FB79E919F433F51,
        0x7FEAE59180027F5F,
        0x7FFA8913B7839D24,
        0x7FFEBE9B5468F542,
        0x7FFFBE8AE1746061,
        0x7FFFF430864F0621,
        0x7FFFFE1CFE4AD0D8,
        0x7FFFFFBBB6A41B8C,
        0x7FFFFFF775A45086,
        0x7FFFFFFF0E2ED88A,
        0x7FFFFFFFE85ABDF2,
        0x7FFFFFFFFDF4D41D,
        0x7FFFFFFFFFD80ACA,
        0x7FFFFFFFFFFD4DB7,
        0x7FFFFFFFFFFFD6D9,
        0x7FFFFFFFFFFFFDD5,
        0x7FFFFFFFFFFFFFE6,
        0x7FFFFFFFFFFFFFFE,
        0x7FFFFFFFFFFFFFFF,
    ],
    dtype=np.uint64,
)
"""floor(2^63 P(Z <= k)), k = 0..26.  The last is the largest U: beyond it, a tie."""

EXP_TABLE = np.array(
    [
        0xFFFFFFFFFFFFFFFF,
        0xFFFFFFFFFFFFFFFF,
        0x8000000000000000,
        0x2AAAAAAAAAAAAAAA,
        0x0AAAAAAAAAAAAAAA,
        0x0222222222222222,
        0x005B05B05B05B05B,
        0x000D00D00D00D00D,
        0x0001A01A01A01A01,
        0x00002E3BC74AAD8E,
        0x0000049F93EDDE27,
        0x0000006B99159FD5,
        0x00000008F76C77FC,
        0x00000000B092309D,
        0x000000000C9CBA54,
        0x0000000000D73F9F,
        0x00000000000D73F9,
        0x000000000000CA96,
        0x0000000000000B41,
        0x0000000000000097,
        0x0000000000000007,
    ],
    dtype=np.uint64,
)
"""min(floor(2^64 / k!), 2^64 - 1), k = 0..20."""

_BAND = np.uint64(BAND)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_THREE = np.uint64(WORDS_PER_TRIAL)
_SIX = np.uint64(6)
_TOP = np.uint64(63)
_WIDTH_LESS_SIX = np.uint64(58)
_KEPT = np.uint64(0)
_TIE = np.uint64(TIE)
_OK = np.uint64(OK)
_OUT = np.uint64(OUT_OF_WORDS)

_jit: Any = nb.njit
_types: Any = nb.types
_compile = _jit(nogil=True, error_model="numpy")


@_compile
def _whole_part(u: np.uint64) -> Any:
    """z and 1 if u hits an entry of the table, from 63 bits.  Reads the whole table."""
    z = _ZERO
    tie = _ZERO
    for k in range(Z_TABLE.size):
        z += np.uint64(u > Z_TABLE[k])
        tie |= np.uint64(u == Z_TABLE[k])
    return z, tie


@_compile
def _keep_below(z: np.uint64, x: np.uint64) -> Any:
    """2^64 exp(-x (x + 2z) / 16) within 43, for z <= 26.

    The argument is divided by four, so that alternating Horner needs no range
    reduction, and the result squared twice.
    """
    argument = high_word(x, (z + z) << _WIDTH_LESS_SIX) + (high_word(x, x) >> _SIX)
    value = EXP_TABLE[EXP_TABLE.size - 1]
    for k in range(EXP_TABLE.size - 2, -1, -1):
        value = EXP_TABLE[k] - high_word(argument, value)
    value = high_word(value, value)
    return high_word(value, value)


@_compile
def _scaled(z: np.uint64, x: np.uint64, multiplier: np.uint64, shift: np.uint64) -> Any:
    """round((z + x) multiplier / 2^shift), and 1 if x's further bits could move it."""
    low = multiplier * x
    high = high_word(multiplier, x) + multiplier * z
    half_low = np.uint64(shift == _ZERO) << _TOP
    half_high = (_ONE << shift) >> _ONE
    low_a = low + half_low
    high_a = high + half_high + np.uint64(low_a < low)
    low_b = low_a + (multiplier - _ONE)
    high_b = high_a + np.uint64(low_b < low_a)
    size = high_a >> shift
    return size, np.uint64(size != (high_b >> shift))


@_compile
def _trial(
    word0: np.uint64,
    word1: np.uint64,
    word2: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
) -> Any:
    """(kept, dropped or tie; size of the noise)."""
    z, unsure_z = _whole_part(word0 >> _ONE)
    limit = _keep_below(z, word1)
    size, unsure_size = _scaled(z, word1, multiplier, shift)
    below = np.uint64(word2 < limit)
    gap = (word2 - limit) * (_ONE - below) + (limit - word2) * below
    unsure = unsure_z | np.uint64(gap <= _BAND) | (below & unsure_size)
    return unsure * _TIE + (_ONE - unsure) * (_ONE - below), size


@_jit(
    _types.UniTuple(nb.uint64, 3)(
        nb.uint64[::1], nb.uint64, nb.uint64, nb.uint64, nb.uint64[::1], nb.uint64
    ),
    cache=True,
    nogil=True,
    error_model="numpy",
)
def add_rounded_gaussian(
    values: NDArray[np.uint64],
    cell: np.uint64,
    multiplier: np.uint64,
    shift: np.uint64,
    words: NDArray[np.uint64],
    at: np.uint64,
) -> Any:
    """Add noise of variance ``8 (multiplier / 2^shift)^2`` to ``values``, in place.

    values: int64 seen as uint64, so sums are modulo 2^64; cell: the first one
    that still lacks its noise; multiplier: 1..2^48; shift: 0..62; words: fresh
    uniform words, used in order from ``at``, never twice.

    Returns ``(status, cell, at)``:

      OK            every cell has its noise; words from ``at`` on are unused
      OUT_OF_WORDS  fewer than three are left; call again with more
      TIE           the three words from ``at`` on do not decide the trial of
                    ``cell``; nothing was added to it
    """
    cells = np.uint64(values.size)
    count = np.uint64(words.size)
    while cell < cells:
        if at + _THREE > count:
            return _OUT, cell, at
        word0 = words[at]
        outcome, size = _trial(word0, words[at + _ONE], words[at + _ONE + _ONE], multiplier, shift)
        if outcome == _TIE:
            return _TIE, cell, at
        at += _THREE
        if outcome == _KEPT:
            minus = _ZERO - (word0 & _ONE)
            values[cell] += (size ^ minus) - minus
            cell += _ONE
    return _OK, cell, at
